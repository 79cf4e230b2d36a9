import { readProgram } from '#core/http/program-info.ts'

/** Name and version of this tool. */
export async function versionText(): Promise<string> {
  const { version } = await readProgram('zms-cli')
  return `zms-cli ${version}`
}
