import type { ConfigOf } from '#core/config/server-tables.ts'
import { badRequest, quotaExceeded } from '#core/error/service-error.ts'
import type { Domain, Quota, Tags } from '../store/model.ts'

/** Limits of one domain. */
export type QuotaLimits = Omit<Quota, 'modified'>

/** What is counted, with the words of the refusal. */
const WORDS: Readonly<Record<keyof QuotaLimits, string>> = {
  subdomain: 'subdomain',
  role: 'role',
  roleMember: 'role member',
  policy: 'policy',
  assertion: 'policy assertion',
  entity: 'entity',
  service: 'service',
  serviceHost: 'service host',
  publicKey: 'service public key',
  group: 'group',
  groupMember: 'group member',
}

/** Limits that hold for domains without a quota of their own. */
export function serverQuota({ zms }: ConfigOf['zms']): QuotaLimits {
  return {
    subdomain: zms.quotaSubdomain,
    role: zms.quotaRole,
    roleMember: zms.quotaRoleMember,
    policy: zms.quotaPolicy,
    assertion: zms.quotaAssertion,
    entity: zms.quotaEntity,
    service: zms.quotaService,
    serviceHost: zms.quotaServiceHost,
    publicKey: zms.quotaPublicKey,
    group: zms.quotaGroup,
    groupMember: zms.quotaGroupMember,
  }
}

/** Objects that may carry tags, with the words of the refusal. */
export type TaggedKind = 'domain' | 'role' | 'group' | 'policy' | 'service'

/** The limits on how much a domain may hold. */
export class QuotaRules {
  readonly #config: ConfigOf['zms']
  readonly #server: QuotaLimits

  constructor(config: ConfigOf['zms']) {
    this.#config = config
    this.#server = serverQuota(config)
  }

  /** 429 when `count` of a kind would be more than the domain may have. */
  require(domain: Pick<Domain, 'quota'>, kind: keyof QuotaLimits, count: number): void {
    if (!this.#config.zms.quotaCheck) return
    const limit = (domain.quota ?? this.#server)[kind]
    if (count > limit) throw quotaExceeded(`${WORDS[kind]} quota exceeded - limit: ${limit} actual: ${count}`)
  }

  /** 429 when the domain is full already; `count` is what it holds now. For adding one more to a big collection. */
  requireRoom(domain: Pick<Domain, 'quota'>, kind: keyof QuotaLimits, count: number): void {
    if (!this.#config.zms.quotaCheck) return
    const limit = (domain.quota ?? this.#server)[kind]
    if (count >= limit) throw quotaExceeded(`${WORDS[kind]} quota exceeded - limit: ${limit} actual: ${count}`)
  }

  /**
   * 429 when a role or group can take no further member: its own maximum is reached, or what the domain allows; `count` is
   * how many it has now.
   */
  requireRoomForMember(
    kind: 'role' | 'group',
    domain: Pick<Domain, 'quota'>,
    maxMembers: number | undefined,
    count: number,
  ): void {
    if (this.#hasMaximum(maxMembers) && count >= maxMembers) throw tooManyMembers(kind, maxMembers, count)
    this.requireRoom(domain, kind === 'role' ? 'roleMember' : 'groupMember', count)
  }

  /** 429 when the conditions of an assertion would have more keys, over all of them, than allowed. */
  requireConditions(count: number): void {
    if (!this.#config.zms.quotaCheck) return
    const limit = this.#config.zms.quotaAssertionConditions
    if (count > limit) throw quotaExceeded(`assertion conditions quota exceeded - limit: ${limit} actual: ${count}`)
  }

  /** 429 when a role or group would have more members than its own maximum. */
  requireMaxMembers(kind: 'role' | 'group', maxMembers: number | undefined, count: number): void {
    if (this.#hasMaximum(maxMembers) && count > maxMembers) throw tooManyMembers(kind, maxMembers, count)
  }

  /** Whether a maximum of a role or group counts: it does not where no limits are applied. */
  #hasMaximum(maxMembers: number | undefined): maxMembers is number {
    return this.#config.zms.quotaCheck && maxMembers !== undefined && maxMembers > 0
  }

  /** 400 when an object would carry more tag values than allowed; of those `stored` the tags that stay as they are count. */
  requireTags(
    kind: TaggedKind,
    tags: ReadonlyMap<string, { list: readonly string[] }> | undefined,
    stored: Tags | undefined,
  ): void {
    if (!tags || !this.#config.zms.quotaCheck) return
    const { zms } = this.#config
    const limit = {
      domain: zms.quotaDomainTag,
      role: zms.quotaRoleTag,
      group: zms.quotaGroupTag,
      policy: zms.quotaPolicyTag,
      service: zms.quotaServiceTag,
    }[kind]
    const count = tagValueCount(tags)
    if (count <= limit) return
    const kept = tagValueCount(new Map([...tags].filter(([key, { list }]) => sameValues(list, stored?.get(key)))))
    throw badRequest(
      `${kind} tag quota exceeded - limit: ${limit}, current tags count: ${kept}, new tags count: ${count - kept}`,
    )
  }
}

const tooManyMembers = (kind: 'role' | 'group', maxMembers: number, count: number) =>
  quotaExceeded(`${kind} max members exceeded - limit: ${maxMembers} actual: ${count}`)

/** Number of values over all keys. */
function tagValueCount(tags: ReadonlyMap<string, { list: readonly string[] }>): number {
  let count = 0
  for (const { list } of tags.values()) count += list.length
  return count
}

const sameValues = (given: readonly string[], stored: readonly string[] | undefined): boolean =>
  given.length === stored?.length && given.every((value) => stored.includes(value))
