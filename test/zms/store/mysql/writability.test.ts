import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError } from '#core/database/database-error.ts'
import { Writability } from '#zms/store/mysql/writability.ts'
import { until } from '../../../support/until.ts'

const REMARK = 'the database does not take writes'
const refusal = new DatabaseError('read-only', 'the server is read-only').toServiceError()

function writability() {
  const database = { readOnly: 1, isAway: false, questions: 0 }
  const connection = { rows: async () => [{ refuses: database.readOnly }] }
  const made = new Writability({
    use: async (work: (connection: never) => Promise<never>) => {
      database.questions++
      if (database.isAway) throw new DatabaseError('unreachable', 'away')
      return work(connection as never)
    },
  })
  return { made, database }
}

test('a refused write is remarked until one is taken', async () => {
  const { made } = writability()
  assert.equal(made.remark(), undefined)
  await assert.rejects(made.watch(Promise.reject(refusal)), { status: 410 })
  assert.equal(made.remark(), REMARK)
  assert.equal(await made.watch(Promise.resolve(7)), 7)
  assert.equal(made.remark(), undefined)
})

test('the remark ends without a write when the database says that it takes them again', async () => {
  const { made, database } = writability()
  await assert.rejects(made.watch(Promise.reject(refusal)))
  database.isAway = true
  assert.equal(made.remark(), REMARK)
  database.isAway = false
  await until(() => made.remark() === REMARK && database.questions >= 2)
  database.readOnly = 0
  await until(() => made.remark() === undefined)
})

test('other failures are no reason to remark anything', async () => {
  const { made, database } = writability()
  const failure = new DatabaseError('unreachable', 'away').toServiceError()
  await assert.rejects(made.watch(Promise.reject(failure)), { status: 503 })
  assert.equal(made.remark(), undefined)
  assert.equal(database.questions, 0)
})
