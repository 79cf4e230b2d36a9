import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { openDomainMetaStore } from '#zms/open-domain-meta-store.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Opens what the setting selects, beside a module of that text. */
async function open(className: string | undefined, module = '') {
  const rootDir = temporaryFolder()
  writeFileSync(join(rootDir, 'store.mjs'), module)
  const { config } = await loadServerConfig({
    server: 'zms',
    rootDir,
    files: [],
    overrides: className === undefined ? [] : [['athenz.zms.domain_meta_store_factory_class', className]],
    env: {},
    hostname: 'h',
  })
  return openDomainMetaStore(config)
}

test('by default every value is valid, and there are none to choose from', async () => {
  const store = await open(undefined)
  assert.equal(await store.isValid('onCall', 'sports', 'x'), true)
  assert.deepEqual(await store.validValues('onCall', undefined), [])
})

test('a module may know better', async () => {
  const store = await open(
    './store.mjs',
    'export default class { isValid() { return false } validValues() { return ["a"] } }',
  )
  assert.equal(await store.isValid('onCall', 'sports', 'x'), false)
  assert.deepEqual(await store.validValues('onCall', undefined), ['a'])
})

test('what is no inventory stops the start', async () => {
  await assert.rejects(open('./store.mjs', 'export default { isValid() {} }'), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /domain_meta_store_factory_class.*is no domain meta store: it lacks method validValues/)
    return true
  })
})
