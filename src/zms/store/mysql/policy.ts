import type { MutablePolicy } from '../change.ts'
import type { Assertion, AssertionCondition, PolicyBase } from '../model.ts'
import { SmallMap } from '../small-map.ts'
import { inLists, insertRows } from './bulk.ts'
import { assignmentsOf, columnsOf, identityOf, namesOf, places, type Row, readObject, valuesOf } from './columns.ts'
import { type DomainDraft, type LoadStep, type MutableAssertion, readTags } from './draft.ts'
import type { Run, WriteScope } from './scope.ts'
import { sameTags, writeTags } from './tags.ts'

const column = columnsOf<PolicyBase>()

/** Columns of the settings of a policy version. */
export const POLICY_COLUMNS = [
  column.plainFlag('active', 'active'),
  column.text('description', 'description'),
  column.ownership('resource_owner', 'resourceOwnership'),
]

const POLICY_TAGS = { table: 'policy_tags', id: 'policy_id' }

const KEY_OF_POLICY = 'SELECT policy_id AS id FROM policy WHERE domain_id = ? AND name = ? AND version = ?'
const UPDATE_POLICY = `UPDATE policy SET ${assignmentsOf(POLICY_COLUMNS)}, modified = ?
  WHERE domain_id = ? AND name = ? AND version = ?`
const INSERT_POLICY = `INSERT INTO policy (${namesOf(POLICY_COLUMNS)}, modified, created, domain_id, name, version)
  VALUES (${places(POLICY_COLUMNS.length + 5)})`
// Their own modification time stays as it is.
const DEACTIVATE_OTHERS = `UPDATE policy SET active = 0, modified = modified
  WHERE domain_id = ? AND name = ? AND version <> ? AND active = 1`
const INSERT_ASSERTION = `INSERT INTO assertion (policy_id, role, resource, action, effect)
  SELECT policy_id, ?, ?, ?, ? FROM policy WHERE domain_id = ? AND name = ? AND version = ?`
const UPDATE_ASSERTION = `UPDATE assertion SET role = ?, resource = ?, action = ?, effect = ?
  WHERE assertion_id = ? AND policy_id = ?`
const NEW_ASSERTION_IDS = `SELECT assertion_id AS id FROM assertion WHERE policy_id = ? AND assertion_id >= ?
  ORDER BY assertion_id`

/** Up to so many assertions are inserted one by one, without asking for the key of their policy. */
const FEW = 2

/** Queries for all policies of a domain, with their assertions. */
export const policyLoadSteps: LoadStep[] = [
  {
    sql: `SELECT policy_id, name, version, modified, created, ${namesOf(POLICY_COLUMNS)} FROM policy WHERE domain_id = ?`,
    read(rows, { policies, domain }) {
      for (const row of rows as readonly Row[]) {
        const identity = identityOf(row)
        const [name, version] = [identity.name, row['version'] as string]
        const settings = readObject(POLICY_COLUMNS, row) as Pick<PolicyBase, 'active'>
        const policy: MutablePolicy = { ...settings, ...identity, version, assertions: new SmallMap() }
        policies.set(row['policy_id'] as number, policy)
        const versions = domain.policies.get(name)
        if (versions) versions.set(version, policy)
        else domain.policies.set(name, new SmallMap([[version, policy]]))
      }
    },
  },
  {
    sql: `SELECT t.policy_id AS id, t.\`key\`, t.value FROM policy p JOIN policy_tags t ON t.policy_id = p.policy_id
          WHERE p.domain_id = ?`,
    read: (rows, { policies }) => readTags(rows, (id) => policies.get(id)),
  },
  {
    sql: `SELECT a.assertion_id AS id, a.policy_id, a.role, a.resource, a.action, a.effect
          FROM policy p JOIN assertion a ON a.policy_id = p.policy_id WHERE p.domain_id = ? ORDER BY a.assertion_id`,
    read: (rows, draft) => readAssertions(rows as readonly AssertionRow[], draft),
  },
  {
    sql: `SELECT c.assertion_id AS id, c.condition_id, c.\`key\`, c.operator, c.value
          FROM policy p JOIN assertion a ON a.policy_id = p.policy_id
          JOIN assertion_condition c ON c.assertion_id = a.assertion_id WHERE p.domain_id = ?`,
    read: (rows, draft) => readConditions(rows as readonly ConditionRow[], draft),
  },
]

interface AssertionRow {
  id: number
  policy_id: number
  role: string
  resource: string
  action: string
  effect: string
}
interface ConditionRow {
  id: number
  condition_id: number
  key: string
  operator: string
  value: string
}

function readAssertions(rows: readonly AssertionRow[], draft: DomainDraft): void {
  for (const { id, policy_id: policyId, role, resource, action, effect } of rows) {
    const assertion: MutableAssertion = {
      id,
      role: draft.shared(role),
      resource,
      action: draft.shared(action),
      // Whatever is not plainly an ALLOW must not grant anything.
      effect: effect === 'ALLOW' ? 'ALLOW' : 'DENY',
    }
    draft.policies.get(policyId)?.assertions.set(id, assertion)
    draft.assertions.set(id, assertion)
  }
}

function readConditions(rows: readonly ConditionRow[], draft: DomainDraft): void {
  for (const { id, condition_id: conditionId, key, operator, value } of rows) {
    const assertion = draft.assertions.get(id)
    if (!assertion) continue
    assertion.conditions ??= new Map()
    const condition = assertion.conditions.get(conditionId)
    if (condition) condition.set(key, { operator, value })
    else assertion.conditions.set(conditionId, new Map([[key, { operator, value }]]))
  }
}

interface PolicyVersion {
  readonly domain: string
  readonly policy: string
  readonly version: string
}

/** What a policy version is called among the stand-in ids of a transaction. */
export const policyVersionKey = ({ domain, policy, version }: PolicyVersion) => `${domain}:${policy}:${version}`

const keyValues = (scope: WriteScope, { domain, policy, version }: PolicyVersion) => [
  scope.domainId(domain),
  policy,
  version,
]

async function keyOf(scope: WriteScope, place: PolicyVersion): Promise<number | undefined> {
  const [row] = await scope.connection.rows<{ id: number }>(KEY_OF_POLICY, keyValues(scope, place))
  return row?.id
}

const assertionValues = ({ role, resource, action, effect }: Assertion) => [role, resource, action, effect]

/** Inserts new assertions and gives their keys in the same order; none when the policy does not exist. */
export async function insertAssertions(
  scope: WriteScope,
  place: PolicyVersion,
  assertions: readonly Assertion[],
): Promise<number[]> {
  const { connection } = scope
  let ids: number[] = []
  if (assertions.length <= FEW) {
    for (const assertion of assertions) {
      const values = [...assertionValues(assertion), ...keyValues(scope, place)]
      const { found, insertId } = await connection.change(INSERT_ASSERTION, values)
      if (found > 0) ids.push(insertId)
    }
  } else {
    const policyId = await keyOf(scope, place)
    if (policyId === undefined) return []
    const rows = assertions.map((assertion) => [policyId, ...assertionValues(assertion)])
    const firstId = await insertRows(connection, 'assertion (policy_id, role, resource, action, effect)', rows)
    // Keys grow in the order of insertion, but a cluster may leave gaps between them.
    ids = (await connection.rows<{ id: number }>(NEW_ASSERTION_IDS, [policyId, firstId])).map(({ id }) => id)
    if (ids.length !== assertions.length) throw new Error(`${ids.length} keys for ${assertions.length} assertions`)
  }
  for (const [index, id] of ids.entries()) {
    const { conditions } = assertions[index] as Assertion
    if (conditions) await insertConditions(scope, id, conditions)
  }
  return ids
}

async function insertConditions(
  { connection }: WriteScope,
  id: number,
  conditions: ReadonlyMap<number, AssertionCondition>,
): Promise<void> {
  const rows = [...conditions].flatMap(([conditionId, condition]) =>
    [...condition].map(([key, { operator, value }]) => [id, conditionId, key, operator, value]),
  )
  await insertRows(connection, 'assertion_condition (assertion_id, condition_id, `key`, operator, value)', rows)
}

async function replaceConditions(
  scope: WriteScope,
  id: number,
  conditions: ReadonlyMap<number, AssertionCondition>,
): Promise<void> {
  await scope.connection.change('DELETE FROM assertion_condition WHERE assertion_id = ?', [id])
  await insertConditions(scope, id, conditions)
}

/** Writes an assertion that has its key: replaces it, or inserts it under that very key. */
async function putKnownAssertion(scope: WriteScope, place: PolicyVersion, value: Assertion, id: number): Promise<void> {
  const policyId = await keyOf(scope, place)
  if (policyId === undefined) return
  const values = assertionValues(value)
  const { found } = await scope.connection.change(UPDATE_ASSERTION, [...values, id, policyId])
  if (found === 0) {
    await insertRows(scope.connection, 'assertion (assertion_id, policy_id, role, resource, action, effect)', [
      [id, policyId, ...values],
    ])
  }
  if (value.conditions?.size) await replaceConditions(scope, id, value.conditions)
}

const placeOf = ([{ domain, policy, version }]: readonly [PolicyVersion, ...unknown[]]) => ({ domain, policy, version })

/** Writers of changes of policies. */
export const policyWriters = {
  async putPolicy(scope: WriteScope, run: Run<'putPolicy'>) {
    for (const { domain, value } of run) {
      const place = { domain, policy: value.name, version: value.version }
      const key = keyValues(scope, place)
      if (value.active) await scope.connection.change(DEACTIVATE_OTHERS, key)
      const values = valuesOf(POLICY_COLUMNS, value)
      scope.settle('policy', domain, value.name, value.version)
      const { found } = await scope.connection.change(UPDATE_POLICY, [...values, scope.at, ...key])
      const stored = scope.storedTags(`policy:${value.name}:${value.version}`, domain, (before) =>
        before.policies.get(value.name)?.get(value.version),
      )
      if (found === 0) {
        const { insertId } = await scope.connection.change(INSERT_POLICY, [...values, scope.at, scope.at, ...key])
        if (value.tags?.size) await writeTags(scope, POLICY_TAGS, insertId, value.tags)
      } else if (!sameTags(value.tags, stored)) {
        const id = await keyOf(scope, place)
        if (id !== undefined) await writeTags(scope, POLICY_TAGS, id, value.tags)
      }
    }
  },
  async deletePolicy(scope: WriteScope, run: Run<'deletePolicy'>) {
    for (const { domain, policy, version } of run) {
      const values = [scope.domainId(domain), policy]
      await (version === undefined
        ? scope.connection.change('DELETE FROM policy WHERE domain_id = ? AND name = ?', values)
        : scope.connection.change('DELETE FROM policy WHERE domain_id = ? AND name = ? AND version = ?', [
            ...values,
            version,
          ]))
    }
  },
  async putAssertion(scope: WriteScope, run: Run<'putAssertion'>) {
    const place = placeOf(run)
    scope.touch('policy', place.domain, place.policy, place.version)
    for (const { value } of run) {
      if (value.id === undefined) throw new Error('an assertion without key is not for this writer')
      await putKnownAssertion(scope, place, value, value.id)
    }
  },
  async deleteAssertion(scope: WriteScope, run: Run<'deleteAssertion'>) {
    const place = placeOf(run)
    scope.touch('policy', place.domain, place.policy, place.version)
    const policyId = await keyOf(scope, place)
    if (policyId === undefined) return
    for (const list of inLists(run.map(({ id }) => id))) {
      await scope.connection.change(`DELETE FROM assertion WHERE policy_id = ? AND assertion_id IN (${list.places})`, [
        policyId,
        ...list.values,
      ])
    }
  },
  async putConditions(scope: WriteScope, run: Run<'putConditions'>) {
    const place = placeOf(run)
    scope.touch('policy', place.domain, place.policy, place.version)
    const policyId = await keyOf(scope, place)
    for (const { id, value } of run) {
      const [known] = await scope.connection.rows(
        'SELECT 1 AS found FROM assertion WHERE assertion_id = ? AND policy_id = ?',
        [id, policyId ?? 0],
      )
      if (known !== undefined) await replaceConditions(scope, id, value)
    }
  },
}
