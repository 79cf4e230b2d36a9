import { randomUUID } from 'node:crypto'
import type { Change } from '../store/change.ts'
import type { ChangeListener } from './writes.ts'

/** Kinds of objects that messages are about. */
export type ChangedKind = 'DOMAIN' | 'ROLE' | 'GROUP' | 'POLICY' | 'SERVICE' | 'ENTITY'

/** Says that an object of a domain was changed, made or deleted. The fields are those of the original's messages. */
export interface DomainChangeMessage {
  readonly domainName: string
  readonly objectType: ChangedKind
  /** Local name of the object; of a domain its name. */
  readonly objectName: string
  /** Lower-case id of the operation that changed it. */
  readonly apiName: string
  /** Epoch milliseconds. */
  readonly published: number
  /** A UUID, different for each message. */
  readonly messageId: string
}

/**
 * Publishes messages to one topic. A plug-in: `athenz.zms.domain_change_publisher_factory_class` may name an ES module
 * that exports a class or a function, which is called for each topic. It is called after the change and must return at
 * once; what fails later it keeps to itself or rejects with, and is then logged.
 */
export interface ChangePublisher {
  publish(message: DomainChangeMessage): Promise<void> | void
  close?(): Promise<void>
}

/** What a message is about. */
export type ChangedObject = Pick<DomainChangeMessage, 'domainName' | 'objectType' | 'objectName'>

const about = (objectType: ChangedKind, objectName: string, domainName: string): ChangedObject => ({
  domainName,
  objectType,
  objectName,
})

/** Objects of one key get one message. */
const keyOf = ({ objectType, domainName }: ChangedObject): string => `${objectType}:${domainName}`

/** What the messages of one write are about: one object for each kind and domain, the first that was changed. */
export function changedObjects(changes: readonly Change[]): ChangedObject[] {
  const found = new Map<string, ChangedObject>()
  for (const change of changes) {
    const object = changedObject(change)
    if (!object) continue
    const key = keyOf(object)
    if (!found.has(key)) found.set(key, object)
  }
  return [...found.values()]
}

function changedObject(change: Change): ChangedObject | undefined {
  switch (change.kind) {
    case 'createDomain':
    case 'deleteDomain':
    case 'putDomain':
    case 'putTemplate':
    case 'deleteTemplate':
    case 'putQuota':
    case 'deleteQuota':
      return about('DOMAIN', change.domain, change.domain)
    case 'putRole':
      return about('ROLE', change.value.name, change.domain)
    case 'deleteRole':
    case 'putRoleMember':
    case 'deleteRoleMember':
    case 'putPendingRoleMember':
    case 'deletePendingRoleMember':
      return about('ROLE', change.role, change.domain)
    case 'putGroup':
      return about('GROUP', change.value.name, change.domain)
    case 'deleteGroup':
    case 'putGroupMember':
    case 'deleteGroupMember':
    case 'putPendingGroupMember':
    case 'deletePendingGroupMember':
      return about('GROUP', change.group, change.domain)
    case 'putPolicy':
      return about('POLICY', change.value.name, change.domain)
    case 'deletePolicy':
    case 'putAssertion':
    case 'deleteAssertion':
    case 'putConditions':
      return about('POLICY', change.policy, change.domain)
    case 'putService':
      return about('SERVICE', change.value.name, change.domain)
    case 'deleteService':
    case 'putPublicKey':
    case 'deletePublicKey':
    case 'putHosts':
      return about('SERVICE', change.service, change.domain)
    case 'putEntity':
      return about('ENTITY', change.value.name, change.domain)
    case 'deleteEntity':
      return about('ENTITY', change.entity, change.domain)
    case 'putDependency':
    case 'deleteDependency':
      return about('DOMAIN', change.dependentDomain, change.dependentDomain)
    // Moved times, histories and principals are no objects of a domain that somebody has.
    case 'touchDomain':
    case 'addRoleAudit':
    case 'addGroupAudit':
    case 'putPrincipal':
    case 'deletePrincipal':
      return undefined
    default:
      return change satisfies never
  }
}

/**
 * Listens to writes and publishes a message for each kind of object and domain they changed to every publisher, once in a
 * request however often that writes. Never throws: a publisher that fails has no effect on the change.
 */
export function publishingListener(
  publishers: readonly ChangePublisher[],
  options: { readonly now: () => number; readonly failed: (error: unknown) => void },
): ChangeListener {
  const publishedBy = new WeakMap<object, Set<string>>()
  const publish = async (publisher: ChangePublisher, message: DomainChangeMessage) => {
    try {
      await publisher.publish(message)
    } catch (error) {
      options.failed(error)
    }
  }
  return ({ context }, changes) => {
    const published = publishedBy.get(context) ?? new Set()
    publishedBy.set(context, published)
    for (const object of changedObjects(changes)) {
      const key = keyOf(object)
      if (published.has(key)) continue
      published.add(key)
      const message = { ...object, apiName: context.api, published: options.now(), messageId: randomUUID() }
      for (const publisher of publishers) void publish(publisher, message)
    }
  }
}
