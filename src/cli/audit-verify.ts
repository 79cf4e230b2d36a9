import { readFile } from 'node:fs/promises'
import { type AuditHead, headFile, readHead } from '#core/audit/audit-files.ts'
import type { ChainPosition } from '#core/audit/chain-line.ts'
import { type ChainSeal, keyedSeal, openSeal } from '#core/audit/chain-seal.ts'
import { ChainBreak, MissingKey, verifyChain } from '#core/audit/verify-chain.ts'
import { type AuditPlace, auditLogFiles, findAuditLog, streamed } from './audit-log-files.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'

const BROKEN = 1
const UNUSABLE = 2

/**
 * Prints whether a log is as its server wrote it; gives 0 when it is. Throws CommandFailure: status 1 names the first
 * place that is not, status 2 says why the log cannot be judged.
 */
export async function verifyAuditLog(
  place: AuditPlace,
  options: { readonly keyFiles: readonly string[]; readonly contains?: ChainPosition },
): Promise<number> {
  const { folder, key } = await findAuditLog(place)
  const keys = [...(await Promise.all(options.keyFiles.map(keyOf))), ...(key ? [key] : [])]
  // Before the files, because the log grows meanwhile and must only never be shorter than the note says.
  const head = folder === undefined ? undefined : await headOf(folder, keys)
  const files = await auditLogFiles(place, folder)
  if (files.length === 0) {
    if (head === undefined) throw new CommandFailure(`${folder}: there is no audit log`, UNUSABLE)
    throw new CommandFailure(`${folder}: the files of the audit log are missing`, BROKEN)
  }
  try {
    const report = await verifyChain(files.map(streamed), {
      keys,
      complete: folder !== undefined,
      ...(head && head !== 'damaged' && { head }),
      ...(options.contains && { contains: options.contains }),
    })
    if (folder !== undefined && (head === undefined || head === 'damaged')) {
      const state = head === undefined ? 'is missing' : 'is not as the server wrote it'
      throw new ChainBreak(headFile(folder), 1, `the note of how far the log reaches ${state}`)
    }
    for (const note of report.notes) console.log(`note: ${note}`)
    const { seq, hash } = report.end
    console.log(
      `the audit log is whole: ${report.changes} changes in ${report.files} files, up to line ${seq} with hash ${hash}`,
    )
    return 0
  } catch (error) {
    if (error instanceof ChainBreak) throw new CommandFailure(error.message, BROKEN)
    if (error instanceof MissingKey) throw new CommandFailure(error.message, UNUSABLE)
    throw error
  }
}

/** The note of how far the log reaches; undefined when there is none. */
async function headOf(folder: string, keys: readonly ChainSeal[]): Promise<AuditHead | 'damaged' | undefined> {
  let content: Buffer
  try {
    content = await readFile(headFile(folder))
  } catch {
    return undefined
  }
  const seals = keys.length > 0 ? keys : [openSeal]
  return seals.map((seal) => readHead(seal, content)).find((head) => head !== undefined) ?? 'damaged'
}

/** The seal under the secret in a file, whose last line end does not belong to it. */
async function keyOf(file: string): Promise<ChainSeal> {
  try {
    return keyedSeal((await readFile(file, 'utf8')).replace(/\r?\n$/, ''))
  } catch (error) {
    throw new CommandFailure(`${file}: ${reasonOf(error)}`, UNUSABLE)
  }
}
