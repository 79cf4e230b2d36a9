import type { Authority, UserType } from '#core/authority/authority.ts'
import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import {
  isExternalMemberName,
  isGroupName,
  type PrincipalDomains,
  principalType,
  principalTypes,
} from '#core/names/principal-name.ts'
import { splitResourceName } from '#core/names/resource-name.ts'
import type { Domain, Group } from '../store/model.ts'
import { admitsDomain } from './principal-domain-filter.ts'
import type { ResourceValidator } from './resource-validator.ts'

/** Settings that decide who may be a member. */
export interface MemberSettings {
  readonly principals: PrincipalDomains
  /** Users must be known to the user authority to be members of roles. */
  readonly validateUsers: () => boolean
  /** Services must exist to be members of roles. */
  readonly validateServices: () => boolean
  /** Domains whose services are not looked up; a trailing `*` makes a prefix. */
  readonly skipServiceDomains: ReadonlySet<string>
  /** Page named in refusals for want of an attribute. */
  readonly filterDocumentationUrl: string
}

/** What is read while a member is judged: a transaction, or the store. */
export interface MemberLookup {
  domain(name: string): Domain | undefined | Promise<Domain | undefined>
}

/** Judges external members of a domain; named by the setting externalMemberValidator of the domain in their name. */
export interface ExternalMemberValidator {
  /** `domain` is that of the role or group, `member` the text after `:ext.`. */
  validateMember(domain: string, member: string): boolean | Promise<boolean>
}

/** The role or group that a member is to join, with the settings in force (its own and its domain's). */
export interface MemberCollection {
  readonly kind: 'role' | 'group'
  readonly name: string
  readonly domain: Pick<Domain, 'name' | 'userAuthorityFilter'>
  readonly userAuthorityFilter?: string | undefined
  readonly userAuthorityExpiration?: string | undefined
  readonly principalDomainFilter?: string | undefined
  readonly auditEnabled?: boolean | undefined
  /** Groups are refused (the admin role, by default). */
  readonly refuseGroups?: boolean
}

/** The rules about who may be a member of a role or group. */
export class MemberRules {
  readonly #settings: MemberSettings
  readonly #userAuthority: Authority | undefined
  readonly #externalValidators: ReadonlyMap<string, ExternalMemberValidator>
  readonly #resourceValidator: ResourceValidator

  constructor(options: {
    settings: MemberSettings
    userAuthority: Authority | undefined
    /** By the names that domains give. */
    externalValidators: ReadonlyMap<string, ExternalMemberValidator>
    resourceValidator: ResourceValidator
  }) {
    this.#settings = options.settings
    this.#userAuthority = options.userAuthority
    this.#externalValidators = options.externalValidators
    this.#resourceValidator = options.resourceValidator
  }

  /** Code of the kind of principal that a member name means. */
  typeOf(member: string) {
    return principalType(member, this.#settings.principals)
  }

  /**
   * Passes when `member` may join, or stay: `existing` tells of the membership it has. 400 when it may not, 403 when the
   * user is suspended (and not a suspended member already), 404 when the domain in the name of a new member does not
   * exist.
   */
  async check(
    lookup: MemberLookup,
    collection: MemberCollection,
    member: string,
    existing?: { readonly suspended: boolean },
  ): Promise<void> {
    const type = this.typeOf(member)
    if (collection.kind === 'group' && (type === principalTypes.group || member.includes('*'))) throw invalid(member)
    this.#checkDomainFilter(collection, member)
    switch (type) {
      case principalTypes.all:
      case principalTypes.user:
      case principalTypes.userHeadless:
        await this.#checkUser(collection, member, existing?.suspended === true)
        break
      case principalTypes.group:
        await this.#checkGroup(lookup, collection, member)
        break
      case principalTypes.external:
        await this.#checkExternal(lookup, collection, member)
        break
      default:
        await this.#checkService(lookup, collection, member)
    }
    if (!existing) await requireMemberDomain(lookup, member)
    await this.#checkPlugIn(collection, member)
  }

  /** State of a user as the user authority knows it; active without one. */
  async userType(member: string): Promise<UserType> {
    return (await this.#userAuthority?.userType?.(member)) ?? 'active'
  }

  async #checkUser(collection: MemberCollection, member: string, alreadySuspended: boolean): Promise<void> {
    const authority = this.#userAuthority
    const validate = authority !== undefined && (collection.kind === 'group' || this.#settings.validateUsers())
    if (validate) {
      const state = await this.userType(member)
      if (state === 'suspended' && !alreadySuspended) throw forbidden(`User is suspended: ${member}`)
      if (state === 'invalid') throw invalid(member)
    }
    const filter = attributesOf(collection.domain.userAuthorityFilter, collection.userAuthorityFilter)
    if (filter.length === 0 && !collection.userAuthorityExpiration) return
    if (member.endsWith('*')) {
      if (validate) throw badRequest('Wildcard member is not allowed with user authority filter or expiration')
      return
    }
    for (const attribute of filter) {
      if (authority && !(await authority.isAttributeSet?.(member, attribute))) {
        throw badRequest(
          `Required user authority filter ${filter.join(',')} not valid for the member. ` +
            `For more information, see ${this.#settings.filterDocumentationUrl}`,
        )
      }
    }
  }

  async #checkService(lookup: MemberLookup, collection: MemberCollection, member: string): Promise<void> {
    if (member.includes('*') || !(collection.kind === 'group' || this.#settings.validateServices())) return
    const dot = member.lastIndexOf('.')
    const [domainName, service] = [member.slice(0, Math.max(dot, 0)), member.slice(dot + 1)]
    if (this.#skipsServices(domainName)) return
    if (!(await lookup.domain(domainName))?.services.has(service))
      throw badRequest(`Principal ${member} is not a valid service`)
  }

  #skipsServices(domain: string): boolean {
    for (const entry of this.#settings.skipServiceDomains) {
      if (entry.endsWith('*') ? domain.startsWith(entry.slice(0, -1)) : domain === entry) return true
    }
    return false
  }

  async #checkGroup(lookup: MemberLookup, collection: MemberCollection, member: string): Promise<void> {
    if (collection.refuseGroups) throw badRequest('Group principals are not allowed in the role')
    const parts = splitResourceName('group', member)
    const domain = parts && (await lookup.domain(parts.domain))
    const group = parts && domain?.groups.get(parts.name)
    if (!domain || !group) throw invalid(member)
    requireSameAuthority(collection, domain, group, member)
    if (collection.auditEnabled && !group.auditEnabled) throw badRequest(`Group ${member} must be audit enabled`)
  }

  async #checkExternal(lookup: MemberLookup, collection: MemberCollection, member: string): Promise<void> {
    const mark = member.indexOf(':ext.')
    const domainName = member.slice(0, mark)
    const name = (await lookup.domain(domainName))?.externalMemberValidator
    const validator = name === undefined ? undefined : this.#externalValidators.get(name)
    if (!validator) throw badRequest(`External member validator for domain ${domainName} is not available`)
    if (!(await validator.validateMember(collection.domain.name, member.slice(mark + ':ext.'.length)))) {
      throw badRequest(
        `Member ${member} is not valid according to the external member validator for domain ${domainName}`,
      )
    }
  }

  async #checkPlugIn({ kind, name, domain }: MemberCollection, member: string): Promise<void> {
    const validator = this.#resourceValidator
    const admitted = await (kind === 'role'
      ? validator.validateRoleMember(domain.name, name, member)
      : validator.validateGroupMember(domain.name, name, member))
    if (!admitted) throw badRequest(`Principal ${member} is not allowed by external resource validator`)
  }

  #checkDomainFilter({ kind, principalDomainFilter }: MemberCollection, member: string): void {
    if (principalDomainFilter && !admitsDomain(principalDomainFilter, memberDomain(member))) {
      throw badRequest(`Principal ${member} is not allowed for the ${kind}`)
    }
  }
}

const invalid = (member: string) => badRequest(`Principal ${member} is not valid`)

/** 400 when a group does not carry the user authority filter and expiration of the role it is to join. */
export function requireSameAuthority(
  collection: Pick<MemberCollection, 'userAuthorityFilter' | 'userAuthorityExpiration' | 'domain'>,
  groupDomain: Pick<Domain, 'userAuthorityFilter'>,
  group: Pick<Group, 'userAuthorityFilter' | 'userAuthorityExpiration'>,
  groupName: string,
): void {
  const carried = new Set(attributesOf(groupDomain.userAuthorityFilter, group.userAuthorityFilter))
  const demanded = attributesOf(collection.domain.userAuthorityFilter, collection.userAuthorityFilter)
  if (demanded.some((attribute) => !carried.has(attribute))) {
    throw badRequest(`Group ${groupName} does not have same user authority filter ${demanded.join(',')} configured`)
  }
  const expiration = collection.userAuthorityExpiration
  if (expiration && expiration !== group.userAuthorityExpiration) {
    throw badRequest(`Group ${groupName} does not have same user authority expiration ${expiration} configured`)
  }
}

/** Attributes of comma lists, each once. */
export function attributesOf(...filters: (string | undefined)[]): string[] {
  return [...new Set(filters.flatMap((filter) => filter?.split(',') ?? []).filter((attribute) => attribute !== ''))]
}

/** Domain in a member's name: what precedes the colon, or the last dot; empty for `*`. */
export function memberDomain(member: string): string {
  if (isGroupName(member) || isExternalMemberName(member)) return member.slice(0, member.indexOf(':'))
  return member.slice(0, Math.max(member.lastIndexOf('.'), 0))
}

/** 404 when the domain in a member's name does not exist; `*` has none. */
export async function requireMemberDomain(lookup: MemberLookup, member: string): Promise<void> {
  if (member === '*') return
  const domain = memberDomain(member)
  if (domain === '' || !(await lookup.domain(domain))) throw notFound(`unknown domain - ${member}`)
}
