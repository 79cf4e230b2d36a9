import { type Change, type DomainChange, isDomainChange } from '../change.ts'
import type { Assertion, Domain, Policy } from '../model.ts'
import { standInsOf } from '../stand-ins.ts'
import { domainWriters, insertDomain } from './domain.ts'
import { entityWriters } from './entity.ts'
import { groupWriters } from './group.ts'
import { insertAssertions, policyVersionKey, policyWriters } from './policy.ts'
import { globalWriters } from './principal.ts'
import { roleWriters } from './role.ts'
import { runsOf, type TimedChange } from './runs.ts'
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
 * Writes changes of one transaction, or of several without new assertions, in their order, several of one kind to one
 * owner together, and gives them back as they are to be applied in memory: with the ids that new assertions got. New
 * domains are left out: what they hold got ids as well.
 */
export async function writeChanges(
  scope: WriteScope,
  changes: readonly TimedChange[],
): Promise<TimedChange<DomainChange>[]> {
  const written: TimedChange<DomainChange>[] = []
  scope.forgetStandIns()
  const standIns = standInsOf(changes.map(({ change }) => change))
  for (const { run, at } of runsOf(changes)) {
    scope.at = new Date(at)
    for (const change of await writeRun(scope, run, standIns)) {
      if (isDomainChange(change)) written.push({ change, at })
    }
  }
  return written
}

async function writeRun(
  scope: WriteScope,
  run: Run<Change['kind']>,
  standIns: ReadonlyMap<Change, number>,
): Promise<readonly Change[]> {
  const [first] = run
  if (first.kind === 'createDomain') {
    await createDomain(scope, first.value)
    return []
  }
  if (first.kind === 'putAssertion' && first.value.id === undefined) {
    return putNewAssertions(scope, run as Run<'putAssertion'>, standIns)
  }
  const resolved = run.map((change) => withAssertionId(scope, change)) as unknown as Run<typeof first.kind>
  await (WRITERS[first.kind] as Writer<Change['kind']>)(scope, resolved)
  return resolved
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
  const at = scope.at.getTime()
  for (const { run } of runsOf([...contentsOf(value)].map((change) => ({ change, at })))) {
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
