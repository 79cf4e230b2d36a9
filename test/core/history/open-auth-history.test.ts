import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { loadServerConfig } from '#core/config/server-config.ts'
import { FileAuthHistory } from '#core/history/file-auth-history.ts'
import { openAuthHistory } from '#core/history/open-auth-history.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const PROPERTY = 'athenz.zms.auth_history_store_factory_class'

async function open(className: string, settings: Readonly<Record<string, string>> = {}, rootDir = temporaryFolder()) {
  const { config } = await loadServerConfig({
    server: 'zms',
    rootDir,
    files: [],
    overrides: Object.entries(settings),
    env: {},
    hostname: 'h',
  })
  const privateKeyStore = { privateKey: async () => undefined, applicationSecret: async () => 'hush' }
  return openAuthHistory({
    server: 'zms',
    property: PROPERTY,
    className,
    rootDir,
    config,
    privateKeyStore,
    now: () => 0,
  })
}

suite('the store of the history of authentication', () => {
  test('is in files when these are named', async () => {
    const store = await open('file')
    assert.ok(store instanceof FileAuthHistory)
    await store.close()
  })

  test('is refused with the reason when it would be in a database of AWS', async () => {
    for (const name of [
      'com.yahoo.athenz.zms.store.impl.DynamoDBAuthHistoryStoreFactory',
      'com.yahoo.athenz.zms.store.impl.dynamodb.DynamoDBAuthHistoryStoreFactory',
      'io.athenz.server.aws.common.store.impl.DynamoDBAuthHistoryStoreFactory',
    ]) {
      await assert.rejects(open(name), {
        message: new RegExp(`${PROPERTY}: ${name} is not supported: it needs DynamoDB`),
      })
    }
    await assert.rejects(open('com.example.Other'), /neither a known class nor a module/)
  })

  test('says which setting of the database is missing', async () => {
    await assert.rejects(open('mysql'), /athenz\.ts\.auth_history_jdbc_store: not set/)
    const store = { 'athenz.ts.auth_history_jdbc_store': 'jdbc:mysql://127.0.0.1:3306/history' }
    await assert.rejects(open('mysql', store), /athenz\.ts\.auth_history_jdbc_user: not set/)
    await (await open('mysql', { ...store, 'athenz.ts.auth_history_jdbc_user': 'joe' })).close?.()
  })

  test('may be a module', async () => {
    const rootDir = temporaryFolder()
    writeFileSync(
      join(rootDir, 'history.mjs'),
      'export default ({ server }) => ({ async record() {}, async ofDomain(domain) { return { server, domain } } })',
    )
    const store = await open('./history.mjs', {}, rootDir)
    assert.deepEqual(await store.ofDomain('sports'), { server: 'zms', domain: 'sports' })
    writeFileSync(join(rootDir, 'half.mjs'), 'export default () => ({ record() {} })')
    await assert.rejects(open('./half.mjs', {}, rootDir), /lacks method ofDomain/)
  })
})
