import { lstat, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeAtomically } from '#sia/atomic-file.ts'
import { reasonOf } from '../command-failure.ts'
import { ToolFailure } from './tool.ts'

/** Everybody may read it, nobody writes it: certificates and tokens for other programs. */
export const READ_ONLY = 0o444
/** For its owner alone. */
export const PRIVATE = 0o400
export const ORDINARY = 0o644

/**
 * Writes a file in one step, in place of one that is there, even a read-only one; what is no ordinary file, such as a pipe or
 * a link, is written to as it is. Throws a ToolFailure with the reason.
 */
export async function writeOutput(file: string, content: string, mode: number): Promise<void> {
  try {
    // A folder that is missing is more likely a slip than a wish.
    await stat(dirname(file))
    const before = await lstat(file).catch(() => undefined)
    if (before === undefined || before.isFile()) await writeAtomically(file, content, { mode })
    else await writeFile(file, content, { mode })
  } catch (error) {
    throw new ToolFailure(`unable to write ${file}: ${reasonOf(error)}`)
  }
}
