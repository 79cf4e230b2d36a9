import { identityOf, type Row } from './columns.ts'
import type { LoadStep } from './draft.ts'
import type { Run, WriteScope } from './scope.ts'

/** Query for all entities of a domain. */
export const entityLoadSteps: LoadStep[] = [
  {
    sql: 'SELECT name, value, modified, created FROM entity WHERE domain_id = ?',
    read(rows, { domain }) {
      for (const row of rows as readonly Row[]) {
        const identity = identityOf(row)
        domain.entities.set(identity.name, { ...identity, value: row['value'] as string })
      }
    },
  },
]

/** Writers of changes of entities. */
export const entityWriters = {
  async putEntity(scope: WriteScope, run: Run<'putEntity'>) {
    for (const { domain, value } of run) {
      await scope.connection.change(
        `INSERT INTO entity (name, domain_id, value, modified, created)
         SELECT ?, domain_id, ?, ?, ? FROM domain WHERE domain_id = ?
         ON DUPLICATE KEY UPDATE value = ?, modified = ?`,
        [value.name, value.value, scope.at, scope.at, scope.domainId(domain), value.value, scope.at],
      )
    }
  },
  async deleteEntity(scope: WriteScope, run: Run<'deleteEntity'>) {
    for (const { domain, entity } of run) {
      await scope.connection.change('DELETE FROM entity WHERE domain_id = ? AND name = ?', [
        scope.domainId(domain),
        entity,
      ])
    }
  },
}
