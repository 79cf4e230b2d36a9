import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SOURCE = join(import.meta.dirname, 'conformance.ts')

/** A collection with one scenario that holds, one that does not, and one with several requests. */
function collection(): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'zms'))
  for (const [name, status, count] of [
    ['holds', 200, 1],
    ['fails', 418, 1],
    ['turns', 200, 4],
  ] as const) {
    const step = { id: 'status', as: 'user.admin', method: 'GET', path: '/zms/v1/status', expect: { status } }
    const steps = Array.from({ length: count }, () => step)
    writeFileSync(join(folder, 'zms', `${name}.json`), JSON.stringify({ name, server: 'zms', steps }))
  }
  return folder
}

describe('npm run conformance', () => {
  const scenarios = collection()
  const run = (...args: string[]) => runProgram(process.execPath, [SOURCE, 'zms', '--scenarios', scenarios, ...args])

  test('adds up what passed and failed, and names what failed', async () => {
    const { status, stdout, stderr } = await run('--only', 'holds', 'fails')
    assert.equal(status, 1, stderr)
    assert.match(stdout, /^ {2}FAIL fails\/status .*"expected":418,"got":200/m)
    assert.equal(stdout.trimEnd().split('\n').at(-1), '1 passed, 1 failed')
  })

  test('succeeds when all passed, on both stores', async () => {
    const { status, stdout, stderr } = await run('--store', 'both', '--only', 'holds')
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /^zms on the file store: 1 passed, 0 failed/m)
    assert.match(stdout, /^zms on the mysql store: 1 passed, 0 failed/m)
    assert.equal(stdout.trimEnd().split('\n').at(-1), '2 passed, 0 failed')
  })

  test('sends the requests of a scenario to several servers in turn', async () => {
    const { status, stdout, stderr } = await run('--store', 'mysql', '--servers', '2', '--only', 'turns', '--verbose')
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /^zms on the mysql store, with 2 ZMS: 4 passed, 0 failed/m)
    const asked = [...stdout.matchAll(/ GET (https:\/\/[^/]+)\//g)].map(([, server]) => server)
    assert.equal(asked.length, 4)
    const [first, second] = asked
    assert.notEqual(first, second)
    assert.deepEqual(asked, [first, second, first, second])
  })

  test('replays the parts that are there when none is named', async () => {
    const { status, stdout, stderr } = await runProgram(process.execPath, [
      SOURCE,
      '--scenarios',
      scenarios,
      '--only',
      'holds',
    ])
    assert.equal(status, 0, stdout + stderr)
    assert.equal(stdout.trimEnd().split('\n').at(-1), '1 passed, 0 failed')
  })

  test('says in one line which folder is not there', async () => {
    const failure = async (...args: string[]) => {
      const { status, stderr } = await runProgram(process.execPath, [SOURCE, ...args])
      return [status, stderr]
    }
    assert.deepEqual(await failure('zts', '--scenarios', scenarios), [
      1,
      `error: there is no folder ${join(scenarios, 'zts')}\n`,
    ])
    const empty = temporaryFolder()
    assert.deepEqual(await failure('--scenarios', empty), [1, `error: there is no recording in ${empty}\n`])
  })

  test('has several servers on one database only', async () => {
    const { status, stderr } = await run('--servers', '2')
    assert.equal(status, 1)
    assert.equal(stderr, 'error: --servers needs --store mysql\n')
  })

  test('fails when nothing was replayed', async () => {
    const { status, stdout } = await run('--only', 'absent')
    assert.equal(status, 1)
    assert.equal(stdout, '0 passed, 0 failed\n')
  })
})
