import { splitResourceName } from '#core/names/resource-name.ts'
import { type MemberEntry, Members } from '#core/rbac/members.ts'
import { atOnce, type Steps } from '#core/seam/steps.ts'
import type { DomainContent } from './compiled-domain.ts'
import {
  type JsonObject,
  MalformedDomain,
  objectAt,
  objectsAt,
  optionalFlagAt,
  optionalNumberAt,
  optionalTextAt,
  optionalTimeAt,
  textAt,
  textsAt,
} from './json-reading.ts'
import type { CachedAssertion, CachedGroup, CachedPolicy, CachedRole, CachedService, Tags } from './model.ts'

/** A domain as ZMS sent it: what it holds when it is enabled, otherwise only that it is not. */
export type DomainData =
  | { readonly name: string; readonly modified: number; readonly enabled: false }
  | { readonly name: string; readonly modified: number; readonly enabled: true; readonly content: DomainContent }

/**
 * Reads the JSON of a DomainData. Throws {@link MalformedDomain} when anything in it is not of its type: a domain of which
 * only a part can be read is not used at all, for what is left out might have been what forbids.
 */
export const readDomainData = (value: unknown): DomainData => atOnce(domainDataSteps(value))

/** Members that are read between two looks at the time. */
const STEP_SIZE = 500

/** As {@link readDomainData}, in steps. */
export function* domainDataSteps(value: unknown): Steps<DomainData> {
  const data = objectAt(value, 'domain')
  const name = textAt(data, 'name').toLowerCase()
  const modified = optionalTimeAt(data, 'modified')
  if (modified === undefined) throw new MalformedDomain('modified is missing')
  if (optionalFlagAt(data, 'enabled') === false) return { name, modified, enabled: false }
  const signed = data['policies'] == null ? undefined : objectAt(data['policies'], 'policies')
  const contents = signed?.['contents'] == null ? {} : objectAt(signed['contents'], 'contents')
  const content: DomainContent = {
    name,
    modified,
    settings: settingsOf(data),
    tags: tagsOf(data),
    roles: yield* roleSteps(name, objectsAt(data, 'roles')),
    groups: yield* groupSteps(name, objectsAt(data, 'groups')),
    services: new Map(
      objectsAt(data, 'services')
        .map((service) => readService(name, service))
        .map((service) => [service.name, service]),
    ),
    entities: new Map(objectsAt(data, 'entities').map((entity) => [local('entity', name, entity), entity['value']])),
    policyVersions: objectsAt(contents, 'policies').map((policy) => readPolicy(name, policy)),
    policiesSignature: signed && signatureOf(signed),
  }
  return { name, modified, enabled: true, content }
}

function settingsOf(data: JsonObject): DomainContent['settings'] {
  return {
    account: optionalTextAt(data, 'account'),
    azureSubscription: optionalTextAt(data, 'azureSubscription'),
    azureTenant: optionalTextAt(data, 'azureTenant'),
    azureClient: optionalTextAt(data, 'azureClient'),
    gcpProject: optionalTextAt(data, 'gcpProject'),
    gcpProjectNumber: optionalTextAt(data, 'gcpProjectNumber'),
    certDnsDomain: optionalTextAt(data, 'certDnsDomain'),
    tokenExpiryMins: optionalNumberAt(data, 'tokenExpiryMins') ?? 0,
    serviceCertExpiryMins: optionalNumberAt(data, 'serviceCertExpiryMins') ?? 0,
    roleCertExpiryMins: optionalNumberAt(data, 'roleCertExpiryMins') ?? 0,
    x509CertSignerKeyId: optionalTextAt(data, 'x509CertSignerKeyId'),
    sshCertSignerKeyId: optionalTextAt(data, 'sshCertSignerKeyId'),
    featureFlags: optionalNumberAt(data, 'featureFlags'),
  }
}

const NO_TAGS: Tags = new Map()

function tagsOf(object: JsonObject): Tags {
  if (object['tags'] == null) return NO_TAGS
  const entries = Object.entries(objectAt(object['tags'], 'tags'))
  return new Map(entries.map(([key, values]) => [key, textsAt(objectAt(values, `tag ${key}`), 'list') ?? []]))
}

function* roleSteps(domain: string, roles: readonly JsonObject[]): Steps<ReadonlyMap<string, CachedRole>> {
  const map = new Map<string, CachedRole>()
  for (const role of roles) {
    // The form that ZMS wrote before members had dates.
    const named = role['roleMembers'] == null ? textsAt(role, 'members') : undefined
    const listed = named?.map((memberName) => ({ memberName })) ?? objectsAt(role, 'roleMembers')
    const name = local('role', domain, role)
    map.set(name, {
      name,
      members: isLong(listed) ? yield* memberSteps(listed) : membersOf(listed),
      trust: optionalTextAt(role, 'trust')?.toLowerCase(),
      tokenExpiryMins: optionalNumberAt(role, 'tokenExpiryMins') ?? 0,
      certExpiryMins: optionalNumberAt(role, 'certExpiryMins') ?? 0,
      tags: tagsOf(role),
    })
    yield
  }
  return map
}

function* groupSteps(domain: string, groups: readonly JsonObject[]): Steps<ReadonlyMap<string, CachedGroup>> {
  const map = new Map<string, CachedGroup>()
  for (const group of groups) {
    const listed = objectsAt(group, 'groupMembers')
    const name = local('group', domain, group)
    map.set(name, { name, members: isLong(listed) ? yield* memberSteps(listed) : membersOf(listed) })
    yield
  }
  return map
}

const isLong = (list: readonly JsonObject[]): boolean => list.length >= STEP_SIZE

/** Most lists are short: without steps they take less time. */
function membersOf(list: readonly JsonObject[]): Members {
  const members = new Members()
  for (const member of list) members.set(memberOf(member))
  return members
}

function* memberSteps(list: readonly JsonObject[]): Steps<Members> {
  const members = new Members()
  for (const [index, member] of list.entries()) {
    members.set(memberOf(member))
    if (index % STEP_SIZE === STEP_SIZE - 1) yield
  }
  return members
}

function memberOf(member: JsonObject): MemberEntry {
  const expiration = optionalTimeAt(member, 'expiration')
  const systemDisabled = optionalNumberAt(member, 'systemDisabled')
  return {
    memberName: textAt(member, 'memberName'),
    ...(expiration !== undefined && { expiration }),
    ...(systemDisabled !== undefined && { systemDisabled }),
  }
}

function readService(domain: string, service: JsonObject): CachedService {
  const fullName = textAt(service, 'name').toLowerCase()
  const name = fullName.slice(domain.length + 1)
  if (name === '' || !fullName.startsWith(`${domain}.`)) throw new MalformedDomain(`${fullName} is no service of it`)
  const keys = objectsAt(service, 'publicKeys').map((key) => [textAt(key, 'id'), textAt(key, 'key')] as const)
  return {
    name,
    modified: optionalTimeAt(service, 'modified'),
    description: optionalTextAt(service, 'description'),
    providerEndpoint: optionalTextAt(service, 'providerEndpoint'),
    executable: optionalTextAt(service, 'executable'),
    user: optionalTextAt(service, 'user'),
    group: optionalTextAt(service, 'group'),
    hosts: textsAt(service, 'hosts'),
    publicKeys: new Map(keys),
    clientId: optionalTextAt(service, 'clientId'),
    creds: optionalTextAt(service, 'creds'),
    x509CertSignerKeyId: optionalTextAt(service, 'x509CertSignerKeyId'),
    sshCertSignerKeyId: optionalTextAt(service, 'sshCertSignerKeyId'),
    featureFlags: optionalNumberAt(service, 'featureFlags'),
  }
}

function readPolicy(domain: string, policy: JsonObject): CachedPolicy {
  local('policy', domain, policy)
  return {
    name: textAt(policy, 'name').toLowerCase(),
    version: optionalTextAt(policy, 'version'),
    active: optionalFlagAt(policy, 'active') ?? true,
    modified: optionalTimeAt(policy, 'modified'),
    caseSensitive: optionalFlagAt(policy, 'caseSensitive'),
    assertions: objectsAt(policy, 'assertions').map(readAssertion),
  }
}

function readAssertion(assertion: JsonObject): CachedAssertion {
  const effect = optionalTextAt(assertion, 'effect')
  if (effect !== undefined && effect !== 'ALLOW' && effect !== 'DENY') {
    throw new MalformedDomain(`the effect ${effect} is unknown`)
  }
  return {
    role: textAt(assertion, 'role'),
    resource: textAt(assertion, 'resource'),
    action: textAt(assertion, 'action'),
    effect,
    id: optionalNumberAt(assertion, 'id'),
    caseSensitive: optionalFlagAt(assertion, 'caseSensitive'),
  }
}

function signatureOf(signed: JsonObject): DomainContent['policiesSignature'] {
  const signature = optionalTextAt(signed, 'signature')
  return signature === undefined ? undefined : { signature, keyId: optionalTextAt(signed, 'keyId') ?? '0' }
}

/** Lower-case local name of what must be the domain's own. */
function local(type: 'role' | 'group' | 'policy' | 'entity', domain: string, object: JsonObject): string {
  const fullName = textAt(object, 'name').toLowerCase()
  const parts = splitResourceName(type, fullName)
  if (parts?.domain !== domain) throw new MalformedDomain(`${fullName} is no ${type} of it`)
  return parts.name
}
