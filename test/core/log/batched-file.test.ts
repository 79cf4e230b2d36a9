import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BatchedFile } from '#core/log/batched-file.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const unexpected = (what: unknown) => assert.fail(String(what))
const quiet = { onError: unexpected, onLost: unexpected }

describe('a batched file', () => {
  test('has every line in order, short ones and those longer than a batch', async () => {
    const path = join(temporaryFolder(), 'log')
    const file = await BatchedFile.open(path, quiet)
    const lines = Array.from({ length: 5000 }, (_, index) => `${index} ${'x'.repeat(index % 977)}\n`)
    lines.push(`${'y'.repeat(600_000)}\n`, 'last\n')
    for (const line of lines) file.write(line)
    await file.close()
    assert.equal(readFileSync(path, 'latin1'), lines.join(''))
  })

  test('writes by itself after a while', async () => {
    const path = join(temporaryFolder(), 'log')
    const file = await BatchedFile.open(path, quiet)
    file.write('line\n')
    while (readFileSync(path, 'latin1') === '') await new Promise((resolve) => setTimeout(resolve, 10))
    await file.close()
    assert.equal(readFileSync(path, 'latin1'), 'line\n')
  })

  test('reports a disk that takes nothing, once, and does not hold up whoever writes', async () => {
    const errors: string[] = []
    const onError = (error: unknown) => errors.push((error as NodeJS.ErrnoException).code ?? '')
    const file = await BatchedFile.open('/dev/full', { onError, onLost: unexpected })
    for (let round = 0; round < 3; round++) file.write(`${'x'.repeat(70_000)}\n`)
    await file.close()
    assert.deepEqual(errors, ['ENOSPC'])
  })

  test('loses lines rather than memory, and says how many', async () => {
    const lost: number[] = []
    const path = join(temporaryFolder(), 'log')
    const file = await BatchedFile.open(path, { onError: unexpected, onLost: (lines) => lost.push(lines) })
    const line = `${'x'.repeat(65_000)}\n`
    for (let index = 0; index < 400; index++) file.write(line)
    await file.close()
    const written = readFileSync(path, 'latin1').length / line.length
    assert.deepEqual(lost, [1, 400 - written])
    assert.ok(written > 200, String(written))
  })

  test('does not open where it may not write', async () => {
    await assert.rejects(BatchedFile.open(temporaryFolder(), quiet), { code: 'EISDIR' })
  })
})
