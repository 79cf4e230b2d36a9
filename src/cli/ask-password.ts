import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CommandFailure } from './command-failure.ts'

/** Asks on the terminal for what nobody may see. Throws a CommandFailure where there is no terminal. */
export async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new CommandFailure('there is no terminal to ask for a password')
  // What is typed goes nowhere.
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silence, terminal: true })
  // Only now: whoever answers at once would be echoed by a terminal that does not know yet.
  process.stderr.write(question)
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.question('', resolve)
      lines.once('SIGINT', () => reject(new CommandFailure('ended at the wish of the user')))
      lines.once('close', () => reject(new CommandFailure('no password was given')))
    })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
