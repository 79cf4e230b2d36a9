import { auditFilesIn, headFile, readHead } from '#core/audit/audit-files.ts'
import type { AuditEntry } from '#core/audit/audit-log.ts'
import { readLine } from '#core/audit/chain-line.ts'
import { openSeal } from '#core/audit/chain-seal.ts'
import { FileAuditLog, type FileAuditLogOptions } from '#core/audit/file-audit-log.ts'
import { type ChainReport, type VerifyOptions, verifyChain } from '#core/audit/verify-chain.ts'
import { openLogger } from '#core/log/logger.ts'
import type { FileSystem } from '#core/seam/file-system.ts'

/** Folder of the log in simulated file systems. */
export const FOLDER = '/logs/audit'

/** Noon of a day, in epoch milliseconds. */
export const NOON = Date.UTC(2030, 0, 2, 12)

/** A change with a number. */
export const entryOf = (number: number, more: Partial<AuditEntry> = {}): AuditEntry => ({
  when: NOON + number,
  who: 'v=U1;d=user;n=joe',
  whoFullName: 'user.joe',
  why: `ticket ${number}`,
  where: 'zms.example.com',
  clientAddress: '10.0.0.1',
  method: 'PUT',
  api: 'putrole',
  domain: 'sports',
  entity: `role${number}`,
  details: `[{"kind":"putRole","number":${number}}]`,
  ...more,
})

/** A line of the server's log. */
export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly [name: string]: unknown
}

/** A log whose lines a test can look at. */
export function recordingLog() {
  const lines: LogLine[] = []
  const sink = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) }
  return { lines, log: openLogger({ level: 'info', sink }) }
}

/** Opens a log with what a test does not care about. */
export const openLog = (options: Partial<FileAuditLogOptions> = {}): Promise<FileAuditLog> =>
  FileAuditLog.open({
    folder: FOLDER,
    seal: openSeal,
    server: 'zms',
    host: 'zms.example.com',
    maxFileBytes: 1_000_000,
    daily: true,
    retainDays: 0,
    required: false,
    log: recordingLog().log,
    now: () => NOON,
    ...options,
  })

/** The content of a log's files, by name, in their order. */
export async function contentOf(fileSystem: FileSystem, folder = FOLDER): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>()
  for (const { name } of auditFilesIn(await fileSystem.list(folder))) {
    contents.set(name, await fileSystem.readFile(`${folder}/${name}`))
  }
  return contents
}

/** Verifies contents as the files of a whole log. */
export const verifyContents = (
  contents: ReadonlyMap<string, Buffer>,
  options: VerifyOptions = {},
): Promise<ChainReport> =>
  verifyChain(
    [...contents].map(([name, content]) => ({ name, read: () => inPieces(content) })),
    { complete: true, ...options },
  )

/** Verifies a log with its note of how far it reaches, as the command does. */
export async function verifyLog(fileSystem: FileSystem, options: VerifyOptions = {}): Promise<ChainReport> {
  const head = readHead(options.keys?.[0] ?? openSeal, await fileSystem.readFile(headFile(FOLDER)))
  if (!head) throw new Error('the note of the head is not readable')
  return verifyContents(await contentOf(fileSystem), { head, ...options })
}

/** Local names of the objects in the changes of a log, in their order. What a failed disk has left is passed over. */
export async function entitiesOf(fileSystem: FileSystem, folder = FOLDER): Promise<string[]> {
  const lines = [...(await contentOf(fileSystem, folder)).values()].flatMap((content) => content.toString().split('\n'))
  return lines.flatMap((text) => {
    const line = readLine(Buffer.from(text))
    if (line?.type !== 'change') return []
    return (JSON.parse(text) as Record<string, string>)['WHAT-entity'] ?? []
  })
}

/** Pieces that end anywhere. */
async function* inPieces(content: Buffer): AsyncGenerator<Buffer> {
  const size = Math.max(1, Math.ceil(content.length / 3))
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}
