import { messageOf } from '#core/error/message-of.ts'

/** A command cannot do what it was asked to: `message` is one clear line for a person, without the command's name. */
export class CommandFailure extends Error {
  /** Exit status of the command. */
  readonly exitStatus: number

  constructor(message: string, exitStatus = 1) {
    super(message)
    this.name = 'CommandFailure'
    this.exitStatus = exitStatus
  }
}

/** What went wrong, in words: of a failed system call its usual description, of other errors their message. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS.get(code) ?? messageOf(error)
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'the disk quota is exceeded'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EEXIST', 'it is not a folder'],
  ['EISDIR', 'it is a folder'],
  ['ENOENT', 'it does not exist'],
  ['EADDRNOTAVAIL', 'the address does not belong to this machine'],
])

/**
 * Runs a command to its end and sets the exit status of the process: what `command` gives, or that of its
 * CommandFailure after one line `NAME: message` on standard error. Other errors are bugs and show their stack.
 */
export async function runCommand(name: string, command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command()
  } catch (error) {
    if (error instanceof CommandFailure) {
      console.error(`${name}: ${error.message}`)
      process.exitCode = error.exitStatus
    } else {
      console.error(`${name}:`, error)
      process.exitCode = 1
    }
  }
}
