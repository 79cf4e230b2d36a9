import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import type { ReloadReport } from '#core/config/server-config.ts'
import { type Schedule, watchConfig } from '#core/config/watch-config.ts'

const NOTHING: ReloadReport = { changed: [], pending: [] }

/** A watch with a clock that the test turns, over answers that the test gives. */
const start = (reloadSeconds = 60) => {
  const answers: (() => Promise<ReloadReport>)[] = []
  const lines: string[] = []
  const waiting: { task: () => void; delayMillis: number }[] = []
  const schedule: Schedule = (task, delayMillis) => {
    const entry = { task, delayMillis }
    waiting.push(entry)
    return () => waiting.splice(waiting.indexOf(entry), 1)
  }
  let readings = 0
  const reload = async () => {
    readings++
    return (answers.shift() ?? (async () => NOTHING))()
  }
  const watch = watchConfig(
    { reload },
    { reloadSeconds, schedule, log: (level, message) => lines.push(`${level} ${message}`) },
  )
  /** Lets the time pass once, with what the sources say then. */
  const tick = async (answer: ReloadReport | Error) => {
    answers.push(async () => {
      if (answer instanceof Error) throw answer
      return answer
    })
    const next = waiting.shift()
    assert.ok(next, 'nothing is scheduled')
    next.task()
    // The reading takes a few turns of the event loop; nothing in it waits for time.
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
    return lines.splice(0)
  }
  return { watch, waiting, tick, lines, answers, readings: () => readings }
}

describe('watchConfig', () => {
  it('reads again each time the interval has passed', async () => {
    const { waiting, tick, readings } = start(45)
    assert.equal(readings(), 0)
    assert.deepEqual(
      waiting.map((entry) => entry.delayMillis),
      [45_000],
    )
    assert.deepEqual(await tick(NOTHING), [])
    assert.deepEqual(await tick(NOTHING), [])
    assert.equal(readings(), 2)
    assert.equal(waiting.length, 1)
  })

  it('never reads again at an interval of 0', () => assert.equal(start(0).waiting.length, 0))

  it('names what changed, and once what needs a restart', async () => {
    const { tick } = start()
    assert.deepEqual(await tick({ changed: ['athenz.zms.read_only_mode'], pending: ['athenz.tls_port'] }), [
      'info configuration changed: athenz.zms.read_only_mode',
      'warn configuration changed, but takes effect only after a restart: athenz.tls_port',
    ])
    assert.deepEqual(await tick({ changed: [], pending: ['athenz.tls_port'] }), [])
    assert.deepEqual(await tick({ changed: [], pending: ['athenz.tls_port', 'athenz.port'] }), [
      'warn configuration changed, but takes effect only after a restart: athenz.tls_port, athenz.port',
    ])
  })

  it('says once why an edit is not taken, and when it is good again', async () => {
    const { tick } = start()
    const broken = new ConfigError(['f:1: a: bad', 'f:2: b: bad'])
    assert.deepEqual(await tick(broken), [
      'error configuration not reloaded, the old values stay: f:1: a: bad',
      'error configuration not reloaded, the old values stay: f:2: b: bad',
    ])
    assert.deepEqual(await tick(broken), [])
    assert.deepEqual(await tick(new Error('disk on fire')), [
      'error configuration not reloaded, the old values stay: disk on fire',
    ])
    assert.deepEqual(await tick(NOTHING), ['info configuration is readable again'])
    assert.deepEqual(await tick(broken), [
      'error configuration not reloaded, the old values stay: f:1: a: bad',
      'error configuration not reloaded, the old values stay: f:2: b: bad',
    ])
  })

  it('ends: nothing is scheduled afterwards, and a reading under way is waited for', async () => {
    const idle = start()
    await idle.watch.close()
    assert.equal(idle.waiting.length, 0)

    const busy = start()
    const gate = Promise.withResolvers<ReloadReport>()
    busy.answers.push(() => gate.promise)
    busy.waiting.shift()?.task()
    const closed = busy.watch.close()
    gate.resolve({ changed: ['athenz.zms.read_only_mode'], pending: [] })
    await closed
    assert.deepEqual(busy.lines, ['info configuration changed: athenz.zms.read_only_mode'])
    assert.equal(busy.waiting.length, 0)
  })
})
