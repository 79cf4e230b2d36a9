import { setTimeout as pause } from 'node:timers/promises'
import { CommandFailure } from '../command-failure.ts'
import { WaitingProgress } from '../progress.ts'
import { EXIT, isAbsence } from './exit-status.ts'
import type { Session, SessionOptions } from './session.ts'

/** Options of `athenz policy wait`. */
export interface WaitOptions extends SessionOptions {
  readonly modified?: Date
  readonly timeout: number
}

const LOOK_MILLIS = 200

/**
 * Waits until the policies that ZTS signs for a domain are of the time of its last change in ZMS, or of `modified`, or
 * later. Gives the exit status: 0, or 6 when that does not come in time.
 */
export async function waitForPolicies(
  session: Session,
  domain: string,
  { modified, timeout }: WaitOptions,
): Promise<number> {
  const wanted = modified ?? (await lastChange(session, domain))
  const zts = await session.zts()
  const end = Date.now() + timeout * 1000
  const waiting = new WaitingProgress(`waiting for ${domain} of ${wanted.toISOString()}`)
  let served: string | undefined
  try {
    for (;;) {
      served = await servedTime(() => zts.getSignedPolicies(domain))
      if (served !== undefined && Date.parse(served) >= wanted.getTime()) break
      if (Date.now() + LOOK_MILLIS > end) {
        const is = served === undefined ? 'does not serve it' : `serves that of ${served}`
        throw new CommandFailure(
          `ZTS ${is} after ${timeout} s, not the ${domain} of ${wanted.toISOString()}`,
          EXIT.negative,
        )
      }
      waiting.tick()
      await pause(LOOK_MILLIS)
    }
  } finally {
    waiting.end()
  }
  await session.print({ value: { domain, modified: served }, table: () => [`ZTS serves ${domain} of ${served}`] })
  return EXIT.done
}

async function lastChange(session: Session, domain: string): Promise<Date> {
  const { modified } = await (await session.zms()).call('getDomain', { domain })
  if (modified === undefined) throw new CommandFailure(`ZMS does not say when ${domain} was changed`)
  return new Date(modified)
}

type Signed = { readonly policies: { readonly signedPolicyData: { readonly modified?: string | undefined } } } | null

/** When the domain was changed that is served; undefined while there is none. */
async function servedTime(ask: () => Promise<Signed>): Promise<string | undefined> {
  try {
    return (await ask())?.policies.signedPolicyData.modified
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}
