import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Compares a text with the checked-in file `test/golden/<name>`. With `UPDATE_GOLDEN=1` in the environment the file is
 * rewritten instead, for people to review the difference.
 */
export function assertGolden(name: string, text: string): void {
  const file = new URL(`../golden/${name}`, import.meta.url)
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text)
  assert.equal(text, readFileSync(file, 'utf8'), `differs from test/golden/${name}; rewrite it with UPDATE_GOLDEN=1`)
}
