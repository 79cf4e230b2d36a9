import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { byText, storedColumns, TABLES, type TableName } from '#zms/transfer/tables.ts'
import { originalTables } from '../../support/table-facts.ts'

describe('the tables that are moved', () => {
  test('are all tables of the original with all their columns and what these may hold', async () => {
    const original = await originalTables('zms')
    assert.deepEqual([...TABLES.keys()].toSorted(), Object.keys(original).toSorted())
    for (const [name, { columns }] of Object.entries(original)) {
      const table = TABLES.get(name as TableName)
      assert.ok(table)
      assert.deepEqual(storedColumns(table).toSorted(), columns.map((column) => column.name).toSorted(), name)
      for (const column of columns) {
        const isTime = column.type.startsWith('datetime')
        const isText = /^varchar|text$/.test(column.type.replace(/\(\d+\)$/, ''))
        const kind = column.type === 'datetime' ? 'second' : isTime ? 'time' : isText ? 'text' : 'number'
        const expected = column.null ? `nullable${kind[0]?.toUpperCase()}${kind.slice(1)}` : kind
        assert.equal(table.columns.get(column.name), expected, `${name}.${column.name}`)
      }
    }
  })

  test('come behind those that they refer to', async () => {
    const original = await originalTables('zms')
    const order = [...TABLES.keys()] as string[]
    for (const [name, { foreign = [] }] of Object.entries(original)) {
      for (const [, , target = ''] of foreign) {
        assert.ok(order.indexOf(name) > order.indexOf(target.split('.')[0] ?? ''), `${name} after ${target}`)
      }
    }
  })
})

test('texts are sorted as their bytes are', () => {
  const texts = ['b', 'a', 'A', '_', 'é', '', '\ue000', '\u{1f600}', '\uffff', 'a.b', 'a-b']
  assert.deepEqual(
    texts.toSorted(byText),
    texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  )
})
