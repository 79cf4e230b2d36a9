import { type Change, type DomainChange, isDomainChange } from '../change.ts'
import type { Assertion, Domain, Policy } from '../model.ts'
import { standInsOf } from '../stand-ins.ts'
import { domainWriters, insertDomain } from './domain.ts'
import { entityWriters } from './entity.ts'
import { groupWriters } from './group.ts'
import { insertAssertions, policyVersionKey, policyWriters } from './policy.ts'
import { globalWriters } from './principal.ts'
import { roleWriters } from './role.ts'
import type { ChangeOf, Run, Writer, WriteScope } from './scope.ts'
import { serviceWriters } from './service.ts'

/** Kinds of changes whose keys come from the database, written here; all others have a writer of their resource. */
type Keyed = 'createDomain'

const WRITERS: { readonly [K in Exclude<Change['kind'], Keyed>]: Writer<K> } = {
  ...domainWriters,
  ...roleWriters,
  ...groupWriters,
  ...policyWriters,
  ...serviceWriters,
  ...entityWriters,
  ...globalWriters,
}

/**
 * Writes changes in their order, several of one kind to one owner together, and gives them back as they are to be
 * applied in memory: with the ids that new assertions got. New domains are left out: what they hold got ids as well.
 */
export async function writeChanges(scope: WriteScope, changes: readonly Change[]): Promise<DomainChange[]> {
  const written: DomainChange[] = []
  const standIns = standInsOf(changes)
  for (const run of runsOf(changes)) {
    const [first] = run
    if (first.kind === 'createDomain') {
      await createDomain(scope, first.value)
    } else if (first.kind === 'putAssertion' && first.value.id === undefined) {
      written.push(...(await putNewAssertions(scope, run as Run<'putAssertion'>, standIns)))
    } else {
      const resolved = run.map((change) => withAssertionId(scope, change)) as unknown as Run<typeof first.kind>
      await (WRITERS[first.kind] as Writer<Change['kind']>)(scope, resolved)
      for (const change of resolved as readonly Change[]) if (isDomainChange(change)) written.push(change)
    }
  }
  return written
}

async function putNewAssertions(
  scope: WriteScope,
  run: Run<'putAssertion'>,
  standIns: ReadonlyMap<Change, number>,
): Promise<ChangeOf<'putAssertion'>[]> {
  const [{ domain, policy, version }] = run
  scope.touch('policy', domain, policy, version)
  const ids = await insertAssertions(
    scope,
    { domain, policy, version },
    run.map(({ value }) => value),
  )
  const written: ChangeOf<'putAssertion'>[] = []
  for (const [index, change] of run.entries()) {
    const id = ids[index]
    if (id === undefined) continue
    scope.setAssertionId(policyVersionKey(change), standIns.get(change) ?? 0, id)
    written.push({ ...change, value: { ...change.value, id } })
  }
  return written
}

/** A change that names an assertion of this transaction by its stand-in, with the real id. */
function withAssertionId(scope: WriteScope, change: Change): Change {
  switch (change.kind) {
    case 'putAssertion':
      return change.value.id === undefined
        ? change
        : { ...change, value: { ...change.value, id: scope.assertionId(policyVersionKey(change), change.value.id) } }
    case 'deleteAssertion':
    case 'putConditions':
      return { ...change, id: scope.assertionId(policyVersionKey(change), change.id) }
    default:
      return change
  }
}

/** Writes a new domain as the changes that make it out of nothing. */
async function createDomain(scope: WriteScope, value: Domain): Promise<void> {
  await insertDomain(scope, value)
  for (const run of runsOf([...contentsOf(value)])) {
    await (WRITERS[run[0].kind as Exclude<Change['kind'], Keyed>] as Writer<Change['kind']>)(scope, run)
  }
  for (const versions of value.policies.values()) {
    for (const policy of versions.values()) await createAssertions(scope, value.name, policy)
  }
}

async function createAssertions(scope: WriteScope, domain: string, policy: Policy): Promise<void> {
  const place = { domain, policy: policy.name, version: policy.version }
  const assertions: Assertion[] = [...policy.assertions.values()]
  const ids = await insertAssertions(scope, place, assertions)
  for (const [index, standIn] of [...policy.assertions.keys()].entries()) {
    scope.setAssertionId(policyVersionKey(place), standIn, ids[index] as number)
  }
}

/** The changes that fill an empty domain, except for the assertions. */
function* contentsOf(value: Domain): Generator<DomainChange> {
  const domain = value.name
  for (const role of value.roles.values()) {
    yield { kind: 'putRole', domain, value: role }
    for (const member of role.members.values()) yield { kind: 'putRoleMember', domain, role: role.name, value: member }
    for (const member of role.pending.values()) {
      yield { kind: 'putPendingRoleMember', domain, role: role.name, value: member }
    }
  }
  for (const group of value.groups.values()) {
    yield { kind: 'putGroup', domain, value: group }
    for (const member of group.members.values()) {
      yield { kind: 'putGroupMember', domain, group: group.name, value: member }
    }
    for (const member of group.pending.values()) {
      yield { kind: 'putPendingGroupMember', domain, group: group.name, value: member }
    }
  }
  for (const versions of value.policies.values()) {
    for (const policy of versions.values()) yield { kind: 'putPolicy', domain, value: policy }
  }
  for (const service of value.services.values()) {
    yield { kind: 'putService', domain, value: service }
    for (const [keyId, key] of service.publicKeys) {
      yield { kind: 'putPublicKey', domain, service: service.name, keyId, key }
    }
    if (service.hosts.size > 0) yield { kind: 'putHosts', domain, service: service.name, hosts: service.hosts }
  }
  for (const entity of value.entities.values()) yield { kind: 'putEntity', domain, value: entity }
  for (const [template, version] of value.templates) yield { kind: 'putTemplate', domain, template, version }
  if (value.quota) yield { kind: 'putQuota', domain, value: value.quota }
}

/**
 * Changes of one kind to one owner that follow each other. Entries of the history are no obstacle: they are set aside and
 * written before the next change that could remove their role or group, or at the end.
 */
function* runsOf(changes: readonly Change[]): Generator<Run<Change['kind']>> {
  const history = new Map<string, Change[]>()
  let run: Change[] = []
  for (const change of changes) {
    const key = keyOf(change)
    if (change.kind === 'addRoleAudit' || change.kind === 'addGroupAudit') {
      const entries = history.get(key)
      if (entries) entries.push(change)
      else history.set(key, [change])
      continue
    }
    const [first] = run
    if (first !== undefined && (keyOf(first) !== key || BARRIERS.has(change.kind))) {
      yield run as unknown as Run<Change['kind']>
      run = []
    }
    if (BARRIERS.has(change.kind)) {
      yield* history.values() as Iterable<Run<Change['kind']>>
      history.clear()
    }
    run.push(change)
  }
  if (run.length > 0) yield run as unknown as Run<Change['kind']>
  yield* history.values() as Iterable<Run<Change['kind']>>
}

const BARRIERS: ReadonlySet<Change['kind']> = new Set(['deleteRole', 'deleteGroup', 'deleteDomain', 'createDomain'])

/** What changes must have in common to be written together. */
function keyOf(change: Change): string {
  if (!isDomainChange(change)) return change.kind
  const role = 'role' in change ? change.role : undefined
  const group = 'group' in change ? change.group : undefined
  const policy = 'policy' in change ? `${change.policy}:${'version' in change ? change.version : ''}` : undefined
  const service = 'service' in change ? change.service : undefined
  const isNew = change.kind === 'putAssertion' && change.value.id === undefined
  return [change.kind, change.domain, role ?? group ?? policy ?? service ?? '', isNew].join('\n')
}
