import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PeriodicJob, systemWait, type Wait } from '#core/main/periodic-job.ts'

/** A clock that a test moves: `next` ends the wait under way. */
function manualWait() {
  const waits: number[] = []
  let release: (() => void) | undefined
  let asked: (() => void) | undefined
  const wait: Wait = (millis, signal) =>
    new Promise((resolve, reject) => {
      waits.push(millis)
      release = resolve
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      asked?.()
    })
  /** Resolves when the job waits for the time of that order. */
  const waiting = async (count: number) => {
    while (waits.length < count) await new Promise<void>((resolve) => (asked = resolve))
  }
  return { wait, waits, waiting, next: () => release?.() }
}

describe('a periodic job', () => {
  test('runs at once, and again after every interval, until it is stopped', async () => {
    const { wait, waits, waiting, next } = manualWait()
    let runs = 0
    const work = async () => {
      runs += 1
    }
    const job = PeriodicJob.start({ name: 'the job', work, intervalMillis: 1000, wait, log: () => {} })
    await waiting(1)
    assert.equal(runs, 1)
    next()
    await waiting(2)
    assert.equal(runs, 2)
    await job.stop()
    assert.equal(runs, 2)
    assert.deepEqual(waits, [1000, 1000])
    await job.stop()
  })

  test('goes on after a failure, and says so', async () => {
    const { wait, waiting, next } = manualWait()
    const lines: string[] = []
    let runs = 0
    const job = PeriodicJob.start({
      name: 'the job',
      work: () => {
        runs += 1
        return runs === 1 ? Promise.reject(new Error('no luck')) : Promise.resolve()
      },
      intervalMillis: 1,
      wait,
      log: (level, message) => lines.push(`${level} ${message}`),
    })
    await waiting(1)
    next()
    await waiting(2)
    await job.stop()
    assert.deepEqual(lines, ['error the job failed: no luck'])
    assert.equal(runs, 2)
  })

  test('ends the run under way before it is stopped', async () => {
    const { wait } = manualWait()
    const steps: string[] = []
    let finish: (() => void) | undefined
    const work = async () => {
      steps.push('begins')
      await new Promise<void>((resolve) => (finish = resolve))
      steps.push('ends')
    }
    const job = PeriodicJob.start({ name: 'the job', work, intervalMillis: 1, wait, log: () => {} })
    const stopped = job.stop().then(() => steps.push('stopped'))
    finish?.()
    await stopped
    assert.deepEqual(steps, ['begins', 'ends', 'stopped'])
  })

  test('runs once without an interval', async () => {
    const { wait, waits } = manualWait()
    let runs = 0
    const work = async () => {
      runs += 1
    }
    const job = PeriodicJob.start({ name: 'the job', work, intervalMillis: undefined, wait, log: () => {} })
    await job.stop()
    assert.equal(runs, 1)
    assert.deepEqual(waits, [])
  })

  test('waits by the clock of the machine, which can be ended', async () => {
    const stopping = new AbortController()
    const waiting = systemWait(3_600_000, stopping.signal)
    stopping.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
  })
})
