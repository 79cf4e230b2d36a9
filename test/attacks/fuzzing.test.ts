import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { FUZZ_TARGETS } from './fuzz/fuzz-targets.ts'
import { type FuzzReport, type FuzzWatch, fuzz, TARGETS_MODULE } from './fuzz/watched-fuzz.ts'

/** For each target; the long form is `npm run fuzz`. */
const COUNT = 1000

describe('readers of bytes of strangers', () => {
  test(`${FUZZ_TARGETS.length} of them refuse or read ${COUNT} spoiled inputs each: no crash, none beyond 50 ms`, async (context) => {
    const seed = randomInt(2 ** 31)
    context.diagnostic(`seed ${seed}`)
    const names = FUZZ_TARGETS.map(({ name }) => name)
    let tried = 0
    for await (const report of fuzz({ module: TARGETS_MODULE, names, count: COUNT, seed })) {
      const { name, failure } = report
      assert.equal(failure, undefined, `seed ${seed}: npm run fuzz -- --input ${failure?.input} ${name}`)
      tried += report.tried
    }
    assert.equal(tried, COUNT * names.length)
  })
})

describe('fuzzing finds', () => {
  const reportsOf = async (names: readonly string[], shrinks = true, watch: FuzzWatch = {}): Promise<FuzzReport[]> => {
    const order = {
      module: join(import.meta.dirname, 'fuzz', 'faulty-targets.ts'),
      names,
      count: 2000,
      seed: 1,
      shrinks,
    }
    const reports: FuzzReport[] = []
    for await (const report of fuzz(order, watch)) reports.push(report)
    return reports
  }

  test('nothing where nothing is', async () => {
    const [faultless] = await reportsOf(['faultless'])
    assert.deepEqual([faultless?.tried, faultless?.failure], [2000, undefined])
  })

  test('an error that is not declared, and the smallest input that shows it', async () => {
    const [crashing, rejecting] = await reportsOf(['crashing', 'rejecting'])
    assert.match(crashing?.failure?.reason ?? '', /^TypeError: undefined is not a function/)
    assert.ok(Buffer.from(crashing?.failure?.input ?? '', 'base64').includes('!!'))
    assert.match(rejecting?.failure?.reason ?? '', /^RangeError: out of range/)
    assert.ok(Buffer.from(rejecting?.failure?.input ?? '', 'base64').includes(0xff))
  })

  test('an input that takes too long', async () => {
    const [slow] = await reportsOf(['slow'], false)
    assert.match(slow?.failure?.reason ?? '', /^Error: it takes \d+ ms/)
  })

  test('an input from which a reader does not come back', async () => {
    const reports = await reportsOf(['lost', 'faultless'], true, { lostAfterMillis: 1000 })
    assert.equal(reports.length, 1)
    assert.match(reports[0]?.failure?.reason ?? '', /^it does not come back within 1 s/)
    assert.ok(Buffer.from(reports[0]?.failure?.input ?? '', 'base64').includes('!!'))
  })
})
