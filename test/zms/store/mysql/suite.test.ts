import { join } from 'node:path'
import { after, before } from 'node:test'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore } from '../../../support/mysql-store.ts'
import { storeSuite } from '../suite/store-suite.ts'

const SCHEMA = join(import.meta.dirname, '../../../../schema/zms_server.sql')

let db: MariaDb
before(async () => {
  db = await startMariaDb()
})
after(() => db.stop())

storeSuite('a MySQL store', async () => {
  const database = await db.freshDatabase(SCHEMA)
  let store = openStore(db, database)
  return {
    store,
    async reopen() {
      await store.close()
      store = openStore(db, database)
      return store
    },
    async dispose() {
      await store.close()
      await db.query(`DROP DATABASE ${database}`)
    },
  }
})
