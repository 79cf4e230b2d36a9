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

  /** Reads the JSON text of a template file. Throws Error that names the template and what is wrong with it. */
  static parse(text: string): SolutionTemplates {
    const file: unknown = JSON.parse(text)
    const templates = Object.entries(membersOf(membersOf(file).templates)).map(([name, value]) => {
      const key = name.toLowerCase()
      return [key, templateOf(key, value)] as const
    })
    return new SolutionTemplates(new Map(templates))
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

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}

function templateOf(name: string, value: unknown): SolutionTemplate {
  const refuse = (reason: string): never => {
    throw new Error(`template ${name}: ${reason}`)
  }
  const parsed = TemplateContent.safeParse(value)
  if (!parsed.success) return refuse(problemOf(parsed.error))
  const reply = Template.safeParse({ roles: [], policies: [], ...membersOf(value) })
  if (!reply.success) return refuse(problemOf(reply.error))
  const content = parsed.data
  for (const role of content.roles ?? []) {
    const members = (role.members?.length ?? 0) + (role.roleMembers?.length ?? 0)
    if (role.trust && members > 0) refuse(`role ${role.name} has both members and a trusted domain`)
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

const problemOf = ({ issues }: { issues: readonly { path: readonly PropertyKey[]; message: string }[] }): string =>
  issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ')

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
