import { readValue, type WireIssue, type WireShape } from '#core/http/wire.ts'
import type { Role } from '#zms/api/role.ts'
import { DomainData } from '#zms/api/signed-domains.ts'
import { present } from './document-values.ts'
import type { DocumentService, DomainDocument } from './domain-document.ts'
import { CommandRefusal } from './failure.ts'

/** A domain in JSON, or in the YAML for programs, whose names are in lower case. */
export function programDocument(root: object): DomainDocument {
  const issues: WireIssue[] = []
  const domain = readValue(DomainData, respelled(root, DomainData.wire), issues)
  const [issue] = issues
  if (issue)
    throw new CommandRefusal(`the file has no domain in it: ${[...(issue.path ?? []), issue.message].join(' ')}`)
  return {
    name: domain.name,
    settings: settingsOf(domain),
    roles: (domain.roles ?? []).map(roleOf),
    groups: (domain.groups ?? []).map(({ modified: _time, auditLog: _log, resourceOwnership: _owners, ...group }) => ({
      ...withoutOldReview(group),
      groupMembers: membersOf(group.groupMembers),
    })) as DomainDocument['groups'],
    policies: (domain.policies?.contents.policies ?? []).map(
      ({ modified: _time, resourceOwnership: _owners, assertions, ...policy }) => ({
        ...policy,
        assertions: (assertions ?? []).map(({ id: _id, ...assertion }) => assertion),
      }),
    ) as DomainDocument['policies'],
    services: (domain.services ?? []).map(serviceOf),
    entities: domain.entities ?? [],
  }
}

/** The value with the names of members as they are declared, and words of enumerations in place of their numbers. */
function respelled(value: unknown, shape: WireShape | undefined): unknown {
  if (shape?.words !== undefined && typeof value === 'string' && /^\d+$/.test(value)) {
    return shape.words[Number(value) - 1]
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => respelled(item, shape?.items))
  const { members } = shape ?? {}
  const known = new Map(Array.from(members?.keys() ?? [], (name) => [name.toLowerCase(), name]))
  const entries = Object.entries(value).map(([word, member]): [string, unknown] => {
    const name = known.get(word.toLowerCase()) ?? word
    return [name, respelled(member, members?.get(name) ?? shape?.items)]
  })
  return Object.fromEntries(entries)
}

/** Settings without those that the server sets itself. */
function settingsOf(domain: DomainData): DomainDocument['settings'] {
  const { name: _name, modified: _time, roles: _roles, groups: _groups, ...others } = domain
  const { policies: _policies, services: _services, entities: _entities, ...settings } = others
  const { resourceOwnership: _owners, enabled: _enabled, ...own } = settings
  return present(own) as DomainDocument['settings']
}

function roleOf(role: Role): DomainDocument['roles'][number] {
  const {
    modified: _time,
    auditLog: _log,
    resourceOwnership: _owners,
    members: _names,
    roleMembers,
    ...settings
  } = role
  return {
    ...withoutOldReview(settings),
    ...(roleMembers && { roleMembers: membersOf(roleMembers) }),
  }
}

const REVIEW_MAX_AGE_MILLIS = 364 * 86_400_000

/** New roles and groups cannot have been reviewed longer ago than a year. */
function withoutOldReview<T extends { readonly lastReviewedDate?: string | undefined }>(settings: T): T {
  const { lastReviewedDate, ...others } = settings
  const isOld = lastReviewedDate === undefined || Date.now() - Date.parse(lastReviewedDate) > REVIEW_MAX_AGE_MILLIS
  return isOld ? (others as T) : settings
}

interface DocumentMember {
  readonly memberName?: string | undefined
  readonly expiration?: string | undefined
  readonly reviewReminder?: string | undefined
  readonly approved?: boolean | undefined
}

/** Members with their dates; nobody who waits for approval. */
const membersOf = (members: readonly DocumentMember[] = []) =>
  members
    .filter(({ approved }) => approved !== false)
    .map(({ memberName, expiration, reviewReminder }) => present({ memberName, expiration, reviewReminder }))

function serviceOf(given: NonNullable<DomainData['services']>[number]): DocumentService {
  const { name, description, publicKeys, executable, hosts, user, group, tags, providerEndpoint } = given
  const service = present({ name, description, publicKeys, executable, hosts, user, group, tags })
  return { service, providerEndpoint }
}
