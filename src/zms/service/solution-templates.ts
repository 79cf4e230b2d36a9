import { maybe } from '#core/http/scalar-types.ts'
import { list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { localName } from '#core/names/resource-name.ts'
import { GroupInput } from '../api/group.ts'
import { PolicyInput } from '../api/policy.ts'
import { RoleInput } from '../api/role.ts'
import { ServiceIdentityInput } from '../api/service-identity.ts'
import { Template } from '../api/template.ts'

/** Stands for the domain that a template is applied to. */
export const DOMAIN_PLACEHOLDER = '_domain_'

/** What the file says of a template, read as a request that creates its objects would be. */
const TemplateContent = struct({
  roles: optional(list(RoleInput)),
  policies: optional(list(PolicyInput)),
  groups: optional(list(GroupInput)),
  services: optional(list(ServiceIdentityInput)),
  metadata: optional(struct({ latestVersion: maybe.int32, keywordsToReplace: maybe.text, autoUpdate: maybe.bool })),
})

/** A prepared set of roles, policies, groups and services, in which `_domain_` and parameters are still to be replaced. */
export interface SolutionTemplate {
  readonly name: string
  readonly content: ValueOf<typeof TemplateContent>
  /** Recorded with the domains that have the template. */
  readonly latestVersion: number | undefined
  /** Whether domains get new versions at the start of the server; only where no parameter is needed. */
  readonly autoUpdate: boolean
  /** The template as the API writes it. */
  readonly reply: ValueOf<typeof Template>
}

/** The templates that this server knows, by lower-case name. */
export class SolutionTemplates {
  readonly #templates: ReadonlyMap<string, SolutionTemplate>

  private constructor(templates: ReadonlyMap<string, SolutionTemplate>) {
    this.#templates = templates
  }

  /** No templates. */
  static none(): SolutionTemplates {
    return new SolutionTemplates(new Map())
  }

  /**
   * Reads the JSON text of a template file; the templates come to those that are known already.
   * @throws Error that says where in the text something is wrong, as line and column or as path, and what
   */
  static parse(text: string, known = SolutionTemplates.none()): SolutionTemplates {
    const file = objectAt('$', JSON.parse(text))
    const templates = new Map(known.#templates)
    // A misspelt name of the only member would go unnoticed until somebody looks for a template.
    if (file.templates === undefined && Object.keys(file).length > 0) throw new Error('$.templates: missing')
    for (const [name, value] of Object.entries(objectAt('$.templates', file.templates ?? {}))) {
      const [path, key] = [`$.templates${member(name)}`, name.toLowerCase()]
      if (templates.has(key)) throw new Error(`${path}: there is a template ${key} already`)
      templates.set(key, templateOf(path, key, value))
    }
    return new SolutionTemplates(templates)
  }

  /** Names in ascending order. */
  get names(): readonly string[] {
    return [...this.#templates.keys()].sort()
  }

  /** The template of that lower-case name. */
  get(name: string): SolutionTemplate | undefined {
    return this.#templates.get(name)
  }
}

function objectAt(path: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${path}: not an object`)
  return value as Readonly<Record<string, unknown>>
}

/** One step of a path in JSON. */
const member = (name: PropertyKey): string =>
  typeof name === 'number' || !/^\w+$/.test(String(name)) ? `[${JSON.stringify(name)}]` : `.${String(name)}`

function templateOf(path: string, name: string, value: unknown): SolutionTemplate {
  const refuse = (reason: string): never => {
    throw new Error(`${path}: ${reason}`)
  }
  const members = objectAt(path, value)
  const parsed = TemplateContent.safeParse(value)
  if (!parsed.success) throw new Error(problemOf(path, parsed.error))
  const reply = Template.safeParse({ roles: [], policies: [], ...members })
  if (!reply.success) throw new Error(problemOf(path, reply.error))
  const content = parsed.data
  for (const role of content.roles ?? []) {
    const count = (role.members?.length ?? 0) + (role.roleMembers?.length ?? 0)
    if (role.trust && count > 0) refuse(`role ${role.name} has both members and a trusted domain`)
  }
  const foreign = foreignName(content)
  if (foreign !== undefined) refuse(`${foreign} is no name of an object in ${DOMAIN_PLACEHOLDER}`)
  return {
    name,
    content,
    latestVersion: content.metadata?.latestVersion,
    autoUpdate: content.metadata?.autoUpdate === true && !content.metadata.keywordsToReplace,
    reply: reply.data,
  }
}

const problemOf = (
  start: string,
  { issues }: { issues: readonly { path: readonly PropertyKey[]; message: string }[] },
): string => issues.map(({ path, message }) => `${start}${path.map(member).join('')}: ${message}`).join('; ')

/** The first object whose name is neither local nor that of an object of the domain the template is applied to. */
function foreignName({ roles, policies, groups, services }: SolutionTemplate['content']): string | undefined {
  const named = [
    ...(roles ?? []).map(({ name }) => ['role', name] as const),
    ...(policies ?? []).map(({ name }) => ['policy', name] as const),
    ...(groups ?? []).map(({ name }) => ['group', name] as const),
  ]
  const foreign = named.find(([type, name]) => localName(type, DOMAIN_PLACEHOLDER, name) === undefined)?.[1]
  return foreign ?? services?.find(({ name }) => !name.startsWith(`${DOMAIN_PLACEHOLDER}.`))?.name
}
