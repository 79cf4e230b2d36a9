import type { WireShape } from '#core/http/wire.ts'
import type { YamlValue } from './yaml-text.ts'

const SETTINGS = { enabled: true, auditEnabled: false, autoDeleteTenantAssumeRoleAssertions: false }
const MEMBER = { active: true, approved: true }

/** What absent members stand for, by the published names of types; clients of the original fill them in. */
const FILLED: ReadonlyMap<string, Readonly<Record<string, boolean>>> = new Map(
  Object.entries<Readonly<Record<string, boolean>>>({
    Domain: SETTINGS,
    DomainData: SETTINGS,
    RoleMember: MEMBER,
    GroupMember: MEMBER,
    MemberRole: { active: true },
    Membership: { isMember: true, ...MEMBER },
    GroupMembership: { isMember: true, ...MEMBER },
    ProviderResourceGroupRoles: { createAdminRole: true, skipPrincipalMember: false },
  }),
)

/** The value with members that stand for something when they are absent. */
const filled = (value: object, shape: WireShape | undefined): object => ({ ...FILLED.get(shape?.name ?? ''), ...value })

/**
 * A value as the clients of the original write it in JSON: members in the order of the declaration, texts that may be
 * absent written as empty ones, other absent members and empty lists left out, names in maps in order. Members that the
 * declaration does not know are kept.
 */
export function jsonForm(value: unknown, shape?: WireShape): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => jsonForm(item, shape?.items))
  const { members } = shape ?? {}
  if (members === undefined) {
    return Object.fromEntries(sortedEntries(value).map(([name, member]) => [name, jsonForm(member, shape?.items)]))
  }
  const whole = filled(value, shape)
  return Object.fromEntries([
    ...Array.from(members).flatMap(([name, type]) => jsonMember(name, memberOf(whole, name), type)),
    ...Object.entries(whole).filter(([name]) => !members.has(name)),
  ])
}

function jsonMember(name: string, value: unknown, type: WireShape): [string, unknown][] {
  if (value === undefined || value === null) {
    if (isFreeText(type)) return [[name, '']]
    return isNeededList(type) ? [[name, []]] : []
  }
  return type.optional && isEmptyCollection(value, type) ? [] : [[name, jsonForm(value, type)]]
}

/** As {@link jsonForm} for YAML: names of members in lower case, empty texts left out, words of enumerations as numbers. */
export function yamlForm(value: unknown, shape?: WireShape): YamlValue {
  if (shape?.words !== undefined && typeof value === 'string') return shape.words.indexOf(value) + 1
  if (typeof value !== 'object' || value === null) return value as YamlValue
  if (Array.isArray(value)) return value.map((item) => yamlForm(item, shape?.items))
  const { members } = shape ?? {}
  if (members === undefined) {
    const entries = sortedEntries(value).map(([name, member]): [string, YamlValue] => [
      name,
      yamlForm(member, shape?.items),
    ])
    return Object.fromEntries(entries)
  }
  const whole = filled(value, shape)
  const names = [...members.keys(), ...Object.keys(whole).filter((name) => !members.has(name))]
  return Object.fromEntries(
    names.flatMap((name): [string, YamlValue][] => {
      const type = members.get(name)
      const member = memberOf(whole, name)
      if (member === undefined || member === null) return isNeededList(type) ? [[name.toLowerCase(), []]] : []
      return isEmptyOptional(member, type) ? [] : [[name.toLowerCase(), yamlForm(member, type)]]
    }),
  )
}

const memberOf = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined

const sortedEntries = (value: object): [string, unknown][] => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))

/** A text that may be absent and is of no type with rules of its own. */
const isFreeText = ({ base, name, optional }: WireShape): boolean =>
  base === 'String' && name === undefined && optional === true

/** A list that is always there. */
const isNeededList = (type: WireShape | undefined): boolean => type?.base === 'Array' && type.optional !== true

const isEmptyOptional = (value: unknown, type: WireShape | undefined): boolean =>
  type?.optional === true && (value === '' || isEmptyCollection(value, type))

const isEmptyCollection = (value: unknown, { base }: WireShape): boolean =>
  (base === 'Array' && Array.isArray(value) && value.length === 0) ||
  (base === 'Map' && typeof value === 'object' && value !== null && Object.keys(value).length === 0)
