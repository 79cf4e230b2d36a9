import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { badRequest } from '#core/error/service-error.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import type { CachedDomain } from '../cache/model.ts'

/** A type of authorization details (RFC 9396) with the fields that it may have. */
interface DetailsType {
  readonly type: string
  readonly fields: ReadonlySet<string>
}

const Names = z.array(z.object({ name: z.string() }))
const Entity = z.object({ type: z.string(), fields: Names })
const RoleEntity = Entity.extend({ roles: Names })
const SystemFile = z.object({ entities: z.array(Entity) })
/** The entity keeps its JSON as a text inside of its value. */
const EntityValue = z.object({ data: z.string() })

const ENTITY_PREFIX = 'zts.authorization_details_'

/**
 * Rules for authorization details in requests for access tokens: of which types they may be. Types are known
 * everywhere (from a file), or for single roles of a domain (from its entities `zts.authorization_details_…`).
 */
export class AuthorizationDetails {
  readonly #maxLength: number
  readonly #everywhere: readonly DetailsType[] | undefined
  readonly #ofDomains = new WeakMap<CachedDomain, ReadonlyMap<string, readonly DetailsType[]>>()

  /** `everywhere` is undefined when no file is configured. */
  constructor(maxLength: number, everywhere?: readonly z.infer<typeof Entity>[]) {
    this.#maxLength = maxLength
    this.#everywhere = everywhere?.map(detailsType)
  }

  /**
   * Refuses (400) details that are too long, that the roles asked for (local names; all when undefined) do not allow,
   * that are no list of objects, or that have a type or a field which is not known. Empty ones say nothing.
   */
  check(details: string, domain: CachedDomain, roles: readonly string[] | undefined): void {
    if (details === '') return
    if (details.length > this.#maxLength) {
      throw badRequest('Authorization Details exceeds configured length limit')
    }
    const [role, ...others] = roles ?? []
    const ofRole = role === undefined || others.length > 0 ? undefined : this.#typesOf(domain).get(role)
    if (ofRole === undefined && this.#everywhere === undefined) {
      throw badRequest('Authorization Details not valid for this request')
    }
    const types = [...(ofRole ?? []), ...(this.#everywhere ?? [])]
    for (const item of parseDetails(details)) {
      if (!types.some((type) => fits(item, type))) throw badRequest('Authorization Details configuration mismatch')
    }
  }

  /** Types by local name of the role; read once for each version of a domain. */
  #typesOf(domain: CachedDomain): ReadonlyMap<string, readonly DetailsType[]> {
    let types = this.#ofDomains.get(domain)
    if (types === undefined) {
      types = readEntities(domain)
      this.#ofDomains.set(domain, types)
    }
    return types
  }
}

const detailsType = ({ type, fields }: z.infer<typeof Entity>): DetailsType => ({
  type,
  fields: new Set(fields.map(({ name }) => name)),
})

/** An entity that is not as it should be allows nothing. */
function readEntities({ name: domain, entities }: CachedDomain): ReadonlyMap<string, readonly DetailsType[]> {
  const types = new Map<string, DetailsType[]>()
  for (const [name, value] of entities) {
    if (!name.startsWith(ENTITY_PREFIX)) continue
    const entity = RoleEntity.safeParse(parseJson(EntityValue.safeParse(value).data?.data))
    if (!entity.success) continue
    const type = detailsType(entity.data)
    for (const { name: role } of entity.data.roles) {
      const local = localRole(domain, role.toLowerCase())
      const known = types.get(local)
      if (known) known.push(type)
      else types.set(local, [type])
    }
  }
  return types
}

function localRole(domain: string, role: string): string {
  const prefix = roleResourceName(domain, '')
  return role.startsWith(prefix) ? role.slice(prefix.length) : role
}

type DetailsItem = Readonly<Record<string, unknown>>

function parseDetails(details: string): readonly DetailsItem[] {
  const value = parseJson(details)
  if (!Array.isArray(value) || !value.every(isObject)) throw badRequest('Invalid Authorization Details data')
  return value
}

const isObject = (value: unknown): value is DetailsItem =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fits(item: DetailsItem, { type, fields }: DetailsType): boolean {
  return (
    Object.entries(item).every(([name, value]) => (name === 'type' ? value === type : fields.has(name))) &&
    Object.hasOwn(item, 'type')
  )
}

/** The rules as configured. Throws a ConfigError when the file of types is not what it should be. */
export async function loadAuthorizationDetails({ zts }: Pick<ConfigOf['zts'], 'zts'>): Promise<AuthorizationDetails> {
  const file = zts.systemAuthzDetailsPath
  if (file === undefined) return new AuthorizationDetails(zts.maxAuthzDetailsLength)
  try {
    const { entities } = SystemFile.parse(JSON.parse(await readFile(file, 'utf8')))
    return new AuthorizationDetails(zts.maxAuthzDetailsLength, entities)
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
    throw new ConfigError([`athenz.zts.system_authz_details_path: ${file}: ${reason}`])
  }
}
