import assert from 'node:assert/strict'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { compareCopies } from './copies.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

/** A collection with the same files as here, except what a test changes. */
function collection(): string {
  const folder = temporaryFolder()
  for (const name of ['conformance', 'acceptance', 'database']) {
    cpSync(join(import.meta.dirname, name), join(folder, name), { recursive: true })
  }
  return folder
}

describe('compareCopies', () => {
  test('is skipped with the reason where there is no collection', async () => {
    const absent = join(temporaryFolder(), 'absent')
    assert.deepEqual(await compareCopies(absent), { skipped: `there is no ${absent} with recordings` })
  })

  test('is skipped where a folder of that name holds something else', async () => {
    const other = temporaryFolder()
    writeFileSync(join(other, 'notes.txt'), '')
    assert.deepEqual(await compareCopies(other), { skipped: `there is no ${other} with recordings` })
  })

  test('finds nothing when all is the same, whatever else stands here', async () => {
    const folder = collection()
    rmSync(join(folder, 'conformance', 'zms'), { recursive: true })
    assert.deepEqual(await compareCopies(folder), { outdated: [] })
  })

  test('names files that differ or are missing here', async () => {
    const folder = collection()
    writeFileSync(join(folder, 'acceptance/walk.sh'), 'other')
    writeFileSync(join(folder, 'conformance/zms/brand-new.json'), '{}')
    const outdated = ['acceptance/walk.sh', 'conformance/zms/brand-new.json']
    assert.deepEqual(await compareCopies(folder), { outdated })
  })
})
