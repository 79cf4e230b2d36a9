import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { splitStatements } from '#core/database/sql-statements.ts'

const CASES: readonly (readonly [what: string, sql: string, statements: readonly string[]])[] = [
  ['nothing', '', []],
  ['blanks and semicolons', ' ;\n; ', []],
  ['several statements', 'SELECT 1; SELECT 2;\nSELECT 3', ['SELECT 1', 'SELECT 2', 'SELECT 3']],
  ['quoted semicolons', `SELECT ';', ";", \`a;b\`; SELECT 2`, [`SELECT ';', ";", \`a;b\``, 'SELECT 2']],
  ['escaped quotes', `SELECT 'it\\'s;', 'it''s;'; SELECT 2`, [`SELECT 'it\\'s;', 'it''s;'`, 'SELECT 2']],
  ['a backslash in a name', 'SELECT `a\\`; SELECT 2', ['SELECT `a\\`', 'SELECT 2']],
  [
    'comments with semicolons',
    "-- a; b's\nSELECT 1; # c; d\nSELECT /* e;'f */ 2",
    ["-- a; b's\nSELECT 1", "# c; d\nSELECT /* e;'f */ 2"],
  ],
  ['only comments', '-- a\n# b\n/* c */;--', []],
  ['executable comments', '/*!40101 SET NAMES utf8 */;', ['/*!40101 SET NAMES utf8 */']],
  ['minus signs that are no comment', 'SELECT 1--2; SELECT 3', ['SELECT 1--2', 'SELECT 3']],
  ['an open quote', "SELECT 'a; b", ["SELECT 'a; b"]],
]

describe('statements of an SQL file', () => {
  for (const [what, sql, statements] of CASES) {
    test(`are found around ${what}`, () => assert.deepEqual(splitStatements(sql), statements))
  }
})
