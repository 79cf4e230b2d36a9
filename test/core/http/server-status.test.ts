import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openStatusChecker, serverStatus } from '#core/http/server-status.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const PROPERTY = 'athenz.zts.status_checker_factory_class'

describe('openStatusChecker', () => {
  test('is none unless one is named', async () => {
    assert.equal(await openStatusChecker(PROPERTY, undefined, '/'), undefined)
  })

  test('loads a module, which then has a say', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'checker.mjs'), 'export default class { check() { throw new Error("in training") } }')
    const statusChecker = await openStatusChecker(PROPERTY, './checker.mjs', folder)
    await assert.rejects(serverStatus({ healthFile: undefined, statusChecker }), /in training/)
  })

  test('refuses a module that is no checker', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'other.mjs'), 'export default {}')
    await assert.rejects(
      openStatusChecker(PROPERTY, './other.mjs', folder),
      /is no status checker: it lacks method check/,
    )
  })
})

test('serverStatus is 404 without the health file', async () => {
  const healthFile = join(temporaryFolder(), 'up')
  const conditions = { healthFile, statusChecker: undefined }
  await assert.rejects(serverStatus(conditions), { status: 404, message: 'Error - no status available' })
  mkdirSync(healthFile)
  assert.equal((await serverStatus(conditions)).status, 200)
})
