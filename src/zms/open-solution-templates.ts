import { readFile } from 'node:fs/promises'
import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { messageOf } from '#core/error/message-of.ts'
import { optionalFile, type Warn } from './optional-file.ts'
import { SolutionTemplates } from './service/solution-templates.ts'

const SHIPPED = 'athenz.zms.solution_templates_fname'
const FURTHER = 'athenz.ts.further_templates_fname'

/**
 * Reads the files of templates. The one that the original has too may be absent, which is said; a further one that is
 * named has to be there.
 * @throws ConfigError that names property, file, place in it and what is wrong there
 */
export async function openSolutionTemplates(
  { zms }: Pick<ConfigOf['zms'], 'zms'>,
  warn: Warn,
): Promise<SolutionTemplates> {
  const { solutionTemplatesFname: shipped, furtherTemplatesFname: further } = zms
  const text = await optionalFile(shipped, SHIPPED, warn)
  const templates = text === undefined ? SolutionTemplates.none() : parse(SHIPPED, shipped, text)
  if (further === undefined) return templates
  return parse(FURTHER, further, await requiredFile(further), templates)
}

function parse(property: string, file: string, text: string, known?: SolutionTemplates): SolutionTemplates {
  try {
    return SolutionTemplates.parse(text, known)
  } catch (cause) {
    throw new ConfigError([`${property}: ${file}: ${messageOf(cause)}`])
  }
}

async function requiredFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError([`${FURTHER}: ${file} cannot be read: ${messageOf(cause)}`])
  }
}
