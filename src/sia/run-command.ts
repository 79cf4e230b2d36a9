import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

const OUTPUT_MAX_BYTES = 1_048_576

/**
 * Runs a program with its arguments, without a shell, and gives what it prints. Rejects with an Error that says how it
 * ended when that was not well, or after the time-out, when it is killed.
 */
export async function runCommand(words: readonly string[], timeoutSeconds: number): Promise<string> {
  const [program = '', ...args] = words
  try {
    const options = { timeout: timeoutSeconds * 1000, killSignal: 'SIGKILL', maxBuffer: OUTPUT_MAX_BYTES } as const
    return (await execute(program, args, options)).stdout
  } catch (cause) {
    const { killed, code, stderr = '' } = cause as { killed?: boolean; code?: string | number; stderr?: string }
    const how = killed ? `did not end in ${timeoutSeconds} s` : `ended with ${code ?? 'a signal'}`
    throw new Error(`${program} ${how}${stderr === '' ? '' : `: ${stderr.trim().slice(0, 500)}`}`, { cause })
  }
}
