import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statementsIn } from './sql-statements.ts'

test('statements are those that were run, in their order, without what prepared them and without our own', () => {
  const rows = [
    { thread: 7, kind: 'Connect', text: 'root@localhost on zms' },
    { thread: 3, kind: 'Query', text: 'BEGIN' },
    { thread: 3, kind: 'Prepare', text: 'SELECT 1 WHERE ?' },
    { thread: 3, kind: 'Execute', text: Buffer.from('SELECT 1\n  WHERE 2') },
    { thread: 7, kind: 'Query', text: "SET time_zone = '+00:00'" },
    { thread: 7, kind: 'Query', text: 'SET GLOBAL general_log = OFF' },
    { thread: 4, kind: 'Query', text: 'COMMIT' },
    { thread: 4, kind: 'Quit', text: '' },
  ]
  assert.deepEqual(statementsIn(rows), ['BEGIN', 'SELECT 1 WHERE 2', 'COMMIT'])
})
