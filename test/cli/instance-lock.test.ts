import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { InstanceLock, LockHeldError } from '../../src/cli/instance-lock.ts'
import { identify, isRunning, parseIdentity, waitForEnd } from '../../src/cli/process-identity.ts'
import { startProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const lockFile = () => join(temporaryFolder(), 'lock')

/** A process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid ?? 0
}

describe('InstanceLock', () => {
  test('is held by one process at a time, and free again after release', async () => {
    const file = lockFile()
    const lock = await InstanceLock.acquire(file)
    await assert.rejects(InstanceLock.acquire(file), (error: unknown) => {
      assert.ok(error instanceof LockHeldError)
      assert.equal(error.holder.pid, process.pid)
      return true
    })
    await lock.release()
    assert.equal(existsSync(file), false)
    await using again = await InstanceLock.acquire(file)
    assert.deepEqual(again.orphans, [])
  })

  test('of a process that has ended is taken over, with its children that still run', async () => {
    const file = lockFile()
    await using child = startProgram('sleep', ['60'])
    const ended = { pid: await endedProcess() }
    writeFileSync(file, JSON.stringify({ ...ended, children: [identify(child.pid), ended] }))
    await using lock = await InstanceLock.acquire(file)
    assert.deepEqual(lock.orphans, [identify(child.pid)])
    assert.equal(parseIdentity(JSON.parse(readFileSync(file, 'utf8')))?.pid, process.pid)
  })

  test('of an earlier process with the same number is taken over', { skip: !identify().startTicks }, async () => {
    const file = lockFile()
    writeFileSync(file, JSON.stringify({ pid: process.pid, startTicks: '1', children: [] }))
    await using lock = await InstanceLock.acquire(file)
    assert.deepEqual(lock.orphans, [])
  })

  for (const [what, content] of [
    ['empty', ''],
    ['half-written', '{"pid":'],
    ['of another kind', '[]'],
    ['with an impossible process', '{"pid":-1}'],
  ] as const) {
    test(`that was left behind ${what} is taken over`, async () => {
      const file = lockFile()
      writeFileSync(file, content)
      await using lock = await InstanceLock.acquire(file)
      assert.deepEqual(lock.orphans, [])
    })
  }

  test('that was left behind goes to exactly one of many that want it at once', async () => {
    const file = lockFile()
    writeFileSync(file, JSON.stringify({ pid: await endedProcess(), children: [] }))
    const source = `
      const { InstanceLock } = await import(${JSON.stringify(import.meta.resolve('../../src/cli/instance-lock.ts'))})
      const outcome = await InstanceLock.acquire(${JSON.stringify(file)}).then(() => 'won', (error) => error.name)
      console.log(outcome)
      process.stdin.resume()
      setTimeout(() => {}, 60_000)
    `
    const programs = Array.from({ length: 6 }, () =>
      startProgram(process.execPath, ['--input-type=module', '--eval', source]),
    )
    const outcomes = await Promise.all(programs.map((program) => program.line()))
    await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()))
    assert.deepEqual(outcomes.toSorted(), [...Array.from({ length: 5 }, () => 'LockHeldError'), 'won'])
  })

  test('names the children that its holder recorded', async () => {
    const file = lockFile()
    await using lock = await InstanceLock.acquire(file)
    await lock.recordChildren([{ pid: 12, startTicks: '34' }])
    const content = JSON.parse(readFileSync(file, 'utf8')) as { children: unknown }
    assert.deepEqual(content.children, [{ pid: 12, startTicks: '34' }])
  })

  test('cannot be made in a folder that is absent', async () => {
    await assert.rejects(InstanceLock.acquire(join(temporaryFolder(), 'no', 'lock')), { code: 'ENOENT' })
  })
})

describe('process identity', () => {
  test('of this process is running, of an ended one is not', async () => {
    assert.equal(isRunning(identify()), true)
    assert.equal(isRunning({ pid: await endedProcess() }), false)
  })

  for (const pid of [0, -1, 1.5, Number.NaN]) {
    test(`${pid} names no process`, () => assert.equal(isRunning({ pid }), false))
  }

  test('waitForEnd sees the end, and gives up after its time', async () => {
    const program = startProgram('sleep', ['60'])
    const identity = identify(program.pid)
    assert.equal(await waitForEnd(identity, 30), false)
    program.kill('SIGKILL')
    assert.equal(await waitForEnd(identity, 10_000), true)
  })
})
