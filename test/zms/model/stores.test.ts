import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as fc from 'fast-check'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { openStore } from '../../support/mysql-store.ts'
import { propertyRuns } from '../../support/property-runs.ts'
import { BEGINNING, fillingWrites, KNOWN, SERVICE, sequence } from './generators.ts'
import { NaiveZms } from './naive-zms.ts'
import { System } from './system.ts'
import { Tally } from './tally.ts'

const SCHEMA = join(import.meta.dirname, '../../../schema/zms_server.sql')

/** Writes that every sequence begins with, besides the domains. */
const FILLING = 12

describe('both stores answer random sequences of requests as the model does', () => {
  let db: MariaDb
  before(async () => {
    db = await startMariaDb()
  })
  after(() => db.stop())

  test('in every answer and every refusal', async (context) => {
    const database = await db.freshDatabase(SCHEMA)
    const systems = [
      ['file', await System.open()],
      ['mysql', await System.open(async (now) => openStore(db, database, { clock: now }))],
    ] as const
    const tally = new Tally()
    await fc.assert(
      fc.asyncProperty(fillingWrites, sequence, async (filling, requests) => {
        for (const [, system] of systems) await system.clear()
        const now = systems[0][1].harness.clock.millis
        const model = new NaiveZms({ now, services: [SERVICE], known: KNOWN })
        for (const each of [...BEGINNING, ...filling.slice(0, FILLING), ...requests]) {
          const expected = model.answer(each)
          for (const [name, system] of systems) {
            assert.deepEqual(await system.answer(each), expected, `${name}: ${JSON.stringify(each)}`)
          }
          tally.add(`${each.op} ${expected.status}`)
        }
      }),
      propertyRuns(15),
    )
    tally.report(context)
  })
})
