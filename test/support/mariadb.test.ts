import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startMariaDb } from './mariadb.ts'

const run = promisify(execFile)
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Waits until a condition holds; the test's own time limit ends a wait in vain. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}

test('a crashed server comes back with what it had acknowledged', { timeout: 60_000 }, async () => {
  await using db = await startMariaDb({ durable: true })
  const database = await db.freshDatabase(join(import.meta.dirname, '../../schema/zts_server.sql'))
  await db.query(`INSERT INTO ${database}.ssh_certificates (instanceId, service) VALUES ('i-1', 'shop.front')`)
  const port = db.port
  await db.crash()
  await assert.rejects(db.query('SELECT 1'), { code: 'ECONNREFUSED' })
  await db.restart()
  assert.equal(db.port, port)
  assert.equal((await db.query(`SELECT * FROM ${database}.ssh_certificates`)).length, 1)
})

test('nothing is left behind when the test process is killed', { timeout: 60_000 }, async () => {
  const script = `
    import { startMariaDb } from ${JSON.stringify(join(import.meta.dirname, 'mariadb.ts'))}
    const db = await startMariaDb()
    process.stdout.write(JSON.stringify({ pid: db.pid, socket: db.socket }), () => process.kill(process.pid, 'SIGKILL'))`
  const killed = await run(process.execPath, ['--input-type=module', '--eval', script]).catch((error) => error)
  assert.equal(killed.signal, 'SIGKILL')
  const { pid, socket } = JSON.parse(killed.stdout) as { pid: number; socket: string }
  await until(() => !isRunning(pid))
  await until(async () => !(await exists(dirname(socket))))
})

test('a server that cannot start says why', { timeout: 60_000 }, async () => {
  await assert.rejects(startMariaDb({ args: ['--no-such-setting'] }), /no-such-setting/)
})
