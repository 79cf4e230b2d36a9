/** Fills a template with values of path placeholders; names are those of the template. */
export type ResourceTemplate = (params: Readonly<Record<string, string>>) => string

const PLACEHOLDER = /\{(\w+)\}/

/**
 * Compiles a resource such as `{domainName}:role.{roleName}`. Values are put in lower case but otherwise as they came:
 * the check comes before the validation, and a name that breaks its pattern simply names nothing anybody holds.
 * Throws Error for a placeholder that is no parameter of the path.
 */
export function resourceTemplate(template: string, parameters: readonly string[]): ResourceTemplate {
  // Splitting by a pattern with a group puts literals at even places and names at odd ones.
  const parts = template.split(PLACEHOLDER)
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 1 && !parameters.includes(part)) throw new Error(`{${part}} is no parameter of the path`)
  }
  return (params) => {
    let resource = ''
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] as string
      resource += index % 2 === 0 ? part : (params[part] ?? '')
    }
    return resource.toLowerCase()
  }
}
