import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Domain } from '#zms/store/model.ts'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore } from '../../../support/mysql-store.ts'
import { plain } from '../../../support/plain.ts'
import { RandomChanges, randomFrom } from './random-changes.ts'

const SCHEMA = join(import.meta.dirname, '../../../../schema/zms_server.sql')

/** Assertions of a domain with their places. */
const assertionsOf = (domain: Domain | undefined) =>
  [...(domain?.policies.values() ?? [])].flatMap((versions) =>
    [...versions.values()].flatMap(({ name, version, assertions }) =>
      [...assertions.keys()].map((id) => ({ policy: name, version, id })),
    ),
  )

/** Quotas have whole seconds in the database. */
const comparable = (domain: Domain | undefined) =>
  plain(domain?.quota ? { ...domain, quota: { ...domain.quota, modified: 0 } } : domain)

describe('changes in a MySQL store', () => {
  let db: MariaDb
  before(async () => {
    db = await startMariaDb()
  })
  after(() => db.stop())

  for (const seed of [1, 2, 3]) {
    test(`are the same in memory and in the tables, stamps included (seed ${seed})`, async () => {
      const database = await db.freshDatabase(SCHEMA)
      const [writer, other] = [openStore(db, database), openStore(db, database)]
      const random = new RandomChanges(randomFrom(seed))
      try {
        await writer.transact(['sports'], (transaction) =>
          transaction.apply({ kind: 'createDomain', domain: 'sports', value: random.domain('sports', 'id-1') }),
        )
        for (let round = 0; round < 60; round++) {
          // Several at once go in one batch; those that look at the domain see what those before them did.
          await Promise.all(
            Array.from({ length: 1 + random.below(4) }, () => {
              const looks = random.below(2) === 0
              return writer.transact(['sports'], async (transaction) => {
                const ids = looks ? assertionsOf(await transaction.domain('sports')) : []
                const count = random.below(8)
                for (let index = 0; index < count; index++) transaction.apply(random.change('sports', 'id-1', ids))
                if (round % 10 === 5) transaction.apply(...random.crowd('sports'))
              })
            }),
          )
          const [fromMemory, fromTables] = [await writer.domain('sports'), await other.domain('sports')]
          assert.deepEqual(comparable(fromMemory), comparable(fromTables), `round ${round}`)
        }
      } finally {
        await Promise.all([writer.close(), other.close()])
      }
    })
  }
})
