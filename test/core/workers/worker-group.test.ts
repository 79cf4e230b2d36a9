import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startProgram } from '../../support/program.ts'

/** A group in a process of its own, and the lines that it prints. */
function startGroup(what: string, workers: number) {
  const program = startProgram(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'group-program.ts'),
    what,
    String(workers),
  ])
  const line = async (): Promise<unknown> => JSON.parse(await program.line())
  return { program, line, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() }
}

const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

describe('a group of workers', { timeout: 120_000 }, () => {
  test('is there when all listen; each has its number, and one leads', async () => {
    await using group = startGroup('run', 3)
    const lines: unknown[] = []
    for (let count = 0; count < 6; count++) lines.push(await group.line())
    assert.deepEqual(lines.toSorted(byText), [
      {
        addresses: [{ address: '127.0.0.1', family: 'IPv4', port: 4443 }],
        states: [
          [1, 'listens'],
          [2, 'listens'],
          [3, 'listens'],
        ],
      },
      { worker: 1, saw: { news: 7 } },
      { worker: 1, saw: { number: 1, count: 3, leads: true, counter: 42 } },
      // What a worker tells the others does not come back to it.
      { worker: 2, saw: { news: 7 } },
      { worker: 2, saw: { number: 2, count: 3, leads: false, counter: 42 } },
      { worker: 3, saw: { number: 3, count: 3, leads: false, counter: 42 } },
    ])
    group.program.kill('SIGTERM')
    assert.deepEqual(await group.line(), {
      states: [
        [1, 'away'],
        [2, 'away'],
        [3, 'away'],
      ],
    })
    assert.equal((await group.program.ended).status, 0)
  })

  test('is not there when a worker says why it cannot start', async () => {
    await using group = startGroup('fail', 2)
    const { failed, reasons } = (await group.line()) as { failed: string; reasons: string[] }
    assert.match(failed, /^worker \d did not start: it ended with status 1$/)
    assert.deepEqual(reasons, ['the first reason', 'the second'])
    assert.equal((await group.program.ended).status, 1)
  })

  test('does not wait for the start of the others when one cannot', async () => {
    await using group = startGroup('wait', 2)
    assert.deepEqual(await group.line(), {
      failed: 'worker 2 did not start: it ended with status 1',
      reasons: ['the first reason', 'the second'],
    })
    assert.equal((await group.program.ended).status, 1)
  })

  test('stops a worker that has not begun to listen to what it is told', async () => {
    await using group = startGroup('late', 2)
    assert.deepEqual(await group.line(), {
      failed: 'worker 2 did not start: it ended with status 1',
      reasons: ['the first reason', 'the second'],
    })
    assert.equal((await group.program.ended).status, 1)
  })

  test('leaves no client waiting whose connection was on its way to a worker that ended', async () => {
    await using group = startGroup('serve', 2)
    /** The first line that has a member. */
    const lineWith = async <T>(name: string): Promise<T> => {
      for (;;) {
        const line = (await group.line()) as Record<string, T>
        if (line[name] !== undefined) return line[name]
      }
    }
    const [{ port }] = await lineWith<[{ port: number }]>('addresses')
    const [victim] = await lineWith<[number]>('pids')
    const ask = async () => {
      let text = ''
      for await (const part of connect(port, '127.0.0.1').setEncoding('utf8')) text += String(part)
      return text
    }
    process.kill(victim, 'SIGSTOP')
    const asked = Array.from({ length: 4 }, ask)
    const answered = await Promise.race(asked)
    assert.match(answered, /^worker \d$/)
    process.kill(victim, 'SIGKILL')
    for (const answer of await Promise.all(asked)) assert.match(answer, /^(worker \d)?$/)
    // Whoever has something to do for that worker learns of its end, too.
    assert.equal(typeof (await lineWith('closed')), 'number')
    group.program.kill('SIGTERM')
    assert.equal((await group.program.ended).status, 0)
  })

  test('gives up when its workers end again and again', async () => {
    await using group = startGroup('loop', 1)
    const lines = []
    for await (const line of group.program.lines()) lines.push(JSON.parse(line) as object)
    assert.deepEqual(lines.at(-1), {
      gaveUp: 'the workers end again and again; of worker 1: it ended with status 3',
      restarts: 5,
    })
    assert.equal((await group.program.ended).status, 1)
  })

  test('ends workers that do not stop in time', async () => {
    await using group = startGroup('hang', 2)
    for (let count = 0; count < 4; count++) await group.line()
    group.program.kill('SIGTERM')
    assert.deepEqual(await group.line(), {
      states: [
        [1, 'away'],
        [2, 'away'],
      ],
    })
    assert.deepEqual(await group.program.ended, { status: 0, signal: null })
  })
})
