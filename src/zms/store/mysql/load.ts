import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import type { MutableDomain } from '../change.ts'
import type { Row } from './columns.ts'
import { domainLoadSteps, LOAD_DOMAIN, readDomain } from './domain.ts'
import { DomainDraft, type LoadStep } from './draft.ts'
import { entityLoadSteps } from './entity.ts'
import { groupLoadSteps } from './group.ts'
import { policyLoadSteps } from './policy.ts'
import { roleLoadSteps } from './role.ts'
import { serviceLoadSteps } from './service.ts'

const STEPS: readonly LoadStep[] = [
  ...domainLoadSteps,
  ...roleLoadSteps,
  ...groupLoadSteps,
  ...policyLoadSteps,
  ...serviceLoadSteps,
  ...entityLoadSteps,
]

const QUERIES = [LOAD_DOMAIN, ...STEPS.map(({ sql }) => sql)].join(';\n')
const SNAPSHOT = `START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;\n${QUERIES};\nCOMMIT`
/** As many keys of a domain's row as there are queries. */
const keys = (rowId: number) => Array.from({ length: STEPS.length + 1 }, () => rowId)

/**
 * A domain with all it holds, by the key of its row, in one round trip; undefined when there is no such row. Several
 * queries see one moment only when the connection is in a transaction that provides for it: a snapshot, or the lock of
 * the domain's row.
 */
export async function loadDomain(connection: MySqlConnection, rowId: number): Promise<MutableDomain | undefined> {
  return assemble(await connection.script(QUERIES, keys(rowId)))
}

/** The same in a transaction of its own, which shows one moment. */
export async function loadDomainSnapshot(
  connection: MySqlConnection,
  rowId: number,
): Promise<MutableDomain | undefined> {
  const results = await connection.script(SNAPSHOT, keys(rowId))
  return assemble(results.slice(1, -1))
}

function assemble([rows, ...results]: readonly unknown[][]): MutableDomain | undefined {
  const [row] = (rows ?? []) as Row[]
  if (row === undefined) return undefined
  const draft = new DomainDraft(readDomain(row))
  for (const [index, step] of STEPS.entries()) step.read(results[index] ?? [], draft)
  return draft.domain
}
