import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, test } from 'node:test'
import { type LoginAnswer, PamPool, type PamPoolOptions } from '#core/authority/pam-pool.ts'

const folder = mkdtempSync(join(tmpdir(), 'pam-pool-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/**
 * Stands for the worker: the user says what it does, the profile what its start does. Every password and how the
 * process was started ends in a file beside it.
 */
const program = join(folder, 'worker.mjs')
writeFileSync(
  program,
  `import { appendFileSync, readFileSync } from 'node:fs'
const [,, profile] = process.argv
const answer = (id, accepted, reason, delayMillis) => process.send({ kind: 'answer', id, accepted, reason, delayMillis })
if (profile === 'unusable') {
  process.send({ kind: 'unusable', reason: 'no such library' })
  process.disconnect()
} else if (profile === 'crash') process.exit(7)
else if (profile !== 'mute') process.send({ kind: 'ready' })
process.on('message', ({ id, user, password, remoteAddress }) => {
  if (user === 'accept') answer(id, true, '', 0)
  if (user === 'refuse') answer(id, false, 'Authentication failure', 3000)
  if (user === 'address') answer(id, false, remoteAddress, 0)
  if (user === 'pid') answer(id, false, String(process.pid), 0)
  if (user === 'slow') setTimeout(answer, 50, id, true, '', 0)
  if (user === 'crash') process.kill(process.pid, 'SIGSEGV')
  if (user === 'exposed') {
    const seen = [readFileSync('/proc/self/cmdline', 'latin1'), readFileSync('/proc/self/environ', 'latin1')].join()
    answer(id, seen.includes(password), Object.keys(process.env).sort().join(), 0)
  }
})
`,
)

const pools: PamPool[] = []
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close()
})

interface TestPool {
  readonly pool: PamPool
  readonly lines: string[]
  /** Milliseconds for which answers were held back. */
  readonly waits: number[]
  readonly login: (user: string) => Promise<LoginAnswer>
}

async function newPool(options: Partial<PamPoolOptions> = {}): Promise<TestPool> {
  const lines: string[] = []
  const waits: number[] = []
  const pool = new PamPool({
    profile: 'login',
    log: (level, message) => lines.push(`${level} ${message}`),
    program,
    wait: async (millis) => waits.push(millis),
    ...options,
  })
  pools.push(pool)
  await pool.start()
  return { pool, lines, waits, login: (user) => pool.authenticate(user, 'se:cret', '10.1.2.3') }
}

const refused = (reason: string) => ({ accepted: false, reason })

describe('a login', () => {
  test('is accepted when PAM accepts it', async () => {
    const { login, waits } = await newPool()
    assert.deepEqual(await login('accept'), { accepted: true })
    assert.deepEqual(waits, [])
  })

  test('is refused with the words of PAM, and as late as PAM wants it', async () => {
    const { login, waits } = await newPool()
    assert.deepEqual(await login('refuse'), refused('Authentication failure'))
    assert.equal(waits.length, 1)
    assert.ok((waits[0] as number) > 1000 && (waits[0] as number) <= 3000, String(waits))
  })

  test('tells PAM where it comes from', async () => {
    const { login } = await newPool()
    assert.deepEqual(await login('address'), refused('10.1.2.3'))
  })

  test('shows its password neither in arguments nor environment, and the server its environment not at all', async () => {
    const { login } = await newPool()
    const answer = await login('exposed')
    assert.deepEqual(answer, refused('LANG,PATH'))
  })

  test('does not wait for another one that is held back', async () => {
    const released = Promise.withResolvers<void>()
    const { login } = await newPool({ workerMaxCount: 1, wait: () => released.promise })
    const held = login('refuse')
    assert.deepEqual(await login('accept'), { accepted: true })
    released.resolve()
    assert.deepEqual(await held, refused('Authentication failure'))
  })
})

describe('many logins', () => {
  test('share a few processes', async () => {
    const { pool, login } = await newPool({ workerMaxCount: 3 })
    const answers = await Promise.all(Array.from({ length: 20 }, () => login('slow')))
    assert.ok(answers.every(({ accepted }) => accepted))
    assert.ok(pool.workerPids.length <= 3)
  })

  test('are refused beyond the limit, the others are not', async () => {
    const { login } = await newPool({ workerMaxCount: 1, waitingMaxCount: 2 })
    const answers = await Promise.all(Array.from({ length: 5 }, () => login('slow')))
    const accepted = { accepted: true }
    const full = refused('too many logins are waiting')
    assert.deepEqual(answers, [accepted, accepted, accepted, full, full])
  })

  test('are refused while too many refusals are held back', async () => {
    const released = Promise.withResolvers<void>()
    const { login } = await newPool({ heldBackMaxCount: 1, wait: () => released.promise })
    const held = login('refuse')
    await login('accept')
    assert.deepEqual(await login('accept'), refused('too many refused logins at the same time'))
    released.resolve()
    await held
    assert.deepEqual(await login('accept'), { accepted: true })
  })

  test('leave one process when they are over', async () => {
    const { pool, login } = await newPool({ idleMillis: 20 })
    await Promise.all(Array.from({ length: 8 }, () => login('slow')))
    const deadline = Date.now() + 5000
    while (pool.workerPids.length > 1 && Date.now() < deadline) await login('slow')
    assert.equal(pool.workerPids.length, 1)
  })
})

describe('a process', () => {
  test('that crashes costs its login, and is replaced', async () => {
    const { login, lines } = await newPool({ workerMaxCount: 1 })
    assert.deepEqual(await login('crash'), refused('PAM did not answer: killed by SIGSEGV'))
    assert.deepEqual(await login('accept'), { accepted: true })
    assert.deepEqual(lines, ['error a PAM process ended: killed by SIGSEGV; the next one starts in 100 ms'])
  })

  test('that keeps crashing is replaced more and more slowly', async () => {
    const { login, lines } = await newPool({ workerMaxCount: 1 })
    for (let count = 0; count < 3; count++) await login('crash')
    await login('accept')
    await login('crash')
    const delays = lines.map((line) => /starts in (\d+) ms$/.exec(line)?.[1])
    assert.deepEqual(delays, ['100', '200', '400', '100'])
  })

  test('that does not answer is killed, and replaced', async () => {
    const { login, pool } = await newPool({ workerMaxCount: 1, timeoutMillis: 1500 })
    const [stuck] = pool.workerPids
    assert.deepEqual(await login('hang'), refused('PAM did not answer: no answer within 1500 ms'))
    assert.deepEqual(await login('accept'), { accepted: true })
    assert.notEqual(pool.workerPids[0], stuck)
  })

  test('that is not there in time costs the logins that wait for it', async () => {
    const { login } = await newPool({ workerMaxCount: 1, timeoutMillis: 1500 })
    const answers = await Promise.all([login('hang'), login('accept')])
    assert.deepEqual(answers, [
      refused('PAM did not answer: no answer within 1500 ms'),
      refused('no PAM process was free within 1500 ms'),
    ])
  })

  test('ends with the pool', async () => {
    const { login, pool } = await newPool()
    const answer = await login('pid')
    const pid = Number('reason' in answer ? answer.reason : 0)
    pool.close()
    const deadline = Date.now() + 5000
    const lives = () => {
      try {
        // The state of a process that has ended and is not collected yet is Z.
        return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
      } catch {
        return false
      }
    }
    while (lives() && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(lives(), false)
  })
})

describe('the pool', () => {
  for (const [profile, reason] of [
    ['unusable', 'no such library'],
    ['crash', 'exit status 7'],
    ['mute', 'no answer within 500 ms'],
  ] as const) {
    test(`does not start when its first process fails: ${reason}`, async () => {
      await assert.rejects(newPool({ profile, timeoutMillis: profile === 'mute' ? 500 : 5000 }), { message: reason })
    })
  }

  test('refuses what is in flight and what comes when it is closed', async () => {
    const { login, pool } = await newPool({
      workerMaxCount: 1,
      wait: (_millis, signal) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
    })
    const held = login('refuse')
    await login('accept')
    const flying = [login('hang'), login('accept')]
    pool.close()
    const stopping = refused('the server is stopping')
    assert.deepEqual(await Promise.all([...flying, login('accept')]), [stopping, stopping, stopping])
    assert.deepEqual(await held, refused('Authentication failure'))
  })
})
