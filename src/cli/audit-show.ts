import { once } from 'node:events'
import { linesOf } from '#core/audit/lines.ts'
import { type AuditFilter, type AuditPlace, auditLogFiles, findAuditLog, streamed } from './audit-log-files.ts'

/** A line of the log, as far as it is shown. */
type ShownChange = Readonly<Partial<Record<string, unknown>>>

/** Prints the changes of a log that pass a filter; gives 0. Throws CommandFailure with status 2 when it cannot be read. */
export async function showAuditLog(place: AuditPlace, filter: AuditFilter, asJson: boolean): Promise<number> {
  const { folder } = await findAuditLog(place)
  const passes = predicateOf(filter)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read has seen enough, as in `audit show | head`.
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  for (const path of await auditLogFiles(place, folder)) {
    let line = 0
    for await (const { bytes, whole } of linesOf(streamed(path).read())) {
      line++
      // The server is about to write the rest.
      if (!whole) break
      const change = parsed(bytes)
      if (change === undefined) console.error(`${path}:${line}: this is no line of the audit log`)
      else if (change['type'] === 'change' && passes(change)) await print(asJson ? bytes.toString() : textOf(change))
    }
  }
  return 0
}

/** Waits for a reader that is slower than the disk. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
}

function parsed(bytes: Buffer): ShownChange | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null ? (value as ShownChange) : undefined
  } catch {
    return undefined
  }
}

function predicateOf({ domain, principal, api, since, until }: AuditFilter): (change: ShownChange) => boolean {
  const operation = api?.toLowerCase()
  return (change) => {
    const when = Number(change['WHEN-epoch'])
    return (
      (domain === undefined || change['WHAT-domain'] === domain) &&
      (principal === undefined || change['WHO-fullname'] === principal) &&
      (operation === undefined || change['WHAT-api'] === operation) &&
      (since === undefined || when >= since) &&
      (until === undefined || when < until)
    )
  }
}

/** Values come from clients: what controls a terminal is shown as an escape. */
const shown = (value: unknown): string =>
  (typeof value === 'string' ? value : '-').replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const textOf = (change: ShownChange): string =>
  [
    shown(change['WHEN']),
    shown(change['WHO-fullname']),
    shown(change['CLIENT-IP']),
    shown(change['WHAT-method']),
    shown(change['WHAT-api']),
    shown(change['WHAT-domain']),
    shown(change['WHAT-entity']),
    ...(change['WHY'] === null ? [] : [`(${shown(change['WHY'])})`]),
    shown(JSON.stringify(change['WHAT-details'])),
  ].join(' ')
