import { messageOf } from '#core/error/message-of.ts'
import type { Wait } from '#core/main/periodic-job.ts'
import type { DomainUpdate, PolicyUpdater } from './policy-updater.ts'

/** How domains are followed. */
export interface PolicyWatchOptions {
  readonly updater: Pick<PolicyUpdater, 'update'>
  readonly domains: readonly string[]
  /** Time between two questions where ZTS does not hold its answers back. */
  readonly intervalMillis: number
  /** Told of every answer, and of every failure. */
  readonly onUpdate: (domain: string, update: DomainUpdate) => Promise<void> | void
  readonly onFailure: (domain: string, message: string) => Promise<void> | void
  readonly wait: Wait
  /** From 0 to below 1. */
  readonly random: () => number
}

/** How long ZTS may hold an answer back. */
const WAIT_SECONDS = 30
const FIRST_RETRY_MILLIS = 500
/** No pause after a failure is longer, so that the files are soon up to date when ZTS is back. */
const RETRY_MAX_MILLIS = 30_000

/**
 * Follows domains until it is stopped: ZTS holds its answers back until there is something new, and where it does not, it
 * is asked at intervals. After failures the pauses grow, with chance in them so that not all clients come back at once.
 */
export async function watchPolicies(options: PolicyWatchOptions, stopping: AbortSignal): Promise<void> {
  await Promise.all(options.domains.map((domain) => watchDomain(domain, options, stopping)))
}

async function watchDomain(domain: string, options: PolicyWatchOptions, stopping: AbortSignal): Promise<void> {
  const { updater, intervalMillis, onUpdate, onFailure, wait, random } = options
  let failures = 0
  let version: string | undefined
  while (!stopping.aborted) {
    let pauseMillis = 0
    try {
      // The first answer is wanted at once: it says whether what is there is up to date.
      const isFirst = version === undefined
      const update = await updater.update(domain, { ...(!isFirst && { waitSeconds: WAIT_SECONDS }), signal: stopping })
      failures = 0
      // A server that does not wait answers at once that nothing has changed; so does any whose policies soon expire.
      const isNews = isFirst || (update.written && update.policies.modified !== version)
      pauseMillis = isNews || update.waited ? 0 : intervalMillis
      version = update.policies.modified
      await onUpdate(domain, update)
    } catch (error) {
      if (stopping.aborted) return
      pauseMillis = (0.5 + random() / 2) * Math.min(FIRST_RETRY_MILLIS * 2 ** failures, RETRY_MAX_MILLIS)
      failures++
      await onFailure(domain, messageOf(error))
    }
    // Only stopping ends a pause early.
    if (pauseMillis > 0) await wait(pauseMillis, stopping).catch(() => {})
  }
}
