import { readFile } from 'node:fs/promises'

/** The program that is running. */
export interface Program {
  readonly name: string
  readonly version: string
  /** Whose program it is. */
  readonly vendor: string
}

/** Name and version of this package; `server` is what the program is within it, e.g. `ZMS`. */
export async function readProgram(server: string): Promise<Program> {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
  const { name, version } = JSON.parse(text) as { name: string; version: string }
  return { name: `${name} ${server}`, version, vendor: name }
}

/** The program as the API tells it, in the words that the original has for its own. */
export const programInfo = ({ name, version, vendor }: Program) => ({
  buildJdkSpec: process.version,
  implementationTitle: name,
  implementationVersion: version,
  implementationVendor: vendor,
})
