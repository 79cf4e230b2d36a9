import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openAuditLog } from '#core/audit/open-audit-log.ts'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { FilePrivateKeyStore } from '#core/crypto/file-private-key-store.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { entryOf, recordingLog } from './support.ts'

const DEFAULT_CLASS = 'com.yahoo.athenz.common.server.log.impl.DefaultAuditLoggerFactory'

async function opened(settings: Record<string, string> = {}, className?: string, server: 'zms' | 'zts' = 'zms') {
  const root = temporaryFolder()
  const loaded = await loadServerConfig({
    server,
    rootDir: root,
    files: [],
    overrides: Object.entries(settings),
    env: {},
    hostname: 'host.example.com',
  })
  const { lines, log } = recordingLog()
  const open = (name = className ?? 'file') =>
    openAuditLog({
      server,
      className: name,
      hostname: 'host.example.com',
      rootDir: root,
      config: loaded.config,
      privateKeyStore: new FilePrivateKeyStore(loaded.properties.get, root),
      log,
    })
  return { root, lines, open, config: loaded.config }
}

describe('the audit log that is configured', () => {
  for (const server of ['zms', 'zts'] as const) {
    test(`is by default in files below the logs of ${server}`, async () => {
      const { root, open, config } = await opened({}, undefined, server)
      const className = 'zms' in config ? config.zms : (config as { zts: unknown }).zts
      assert.equal((className as { auditLoggerFactoryClass: string }).auditLoggerFactoryClass, 'file')
      const audit = await open()
      await audit.record(entryOf(1))
      await audit.close?.()
      const folder = join(root, 'var', `${server}_server`, 'logs', 'audit')
      const [name, ...others] = readdirSync(folder).toSorted()
      assert.match(name ?? '', /^audit-00000001-\d{8}\.jsonl$/)
      assert.deepEqual(others, ['audit-head.json', 'audit.lock'])
      assert.match(readFileSync(join(folder, name ?? ''), 'utf8'), new RegExp(`"server":"${server}".*\n.*"role1"`))
    })
  }

  test("is in the server's log, in the original's form, by the original's class name", async () => {
    const { open, lines } = await opened({}, DEFAULT_CLASS)
    const audit = await open()
    await audit.record(entryOf(1, { why: 'line\nend' }))
    const [{ level, msg, audit: marked }] = lines as [(typeof lines)[0]]
    assert.deepEqual([lines.length, level, marked], [1, 'info', true])
    const [, uuid] = /;UUID=\(([0-9a-f-]{36})\);/.exec(msg) ?? []
    assert.equal(
      msg,
      `VERS=(athenz-def-1.0);UUID=(${uuid});WHEN=(2030-01-02T12:00:00.001Z);WHO=(v=U1;d=user;n=joe);WHY=(line\\nend);` +
        'WHERE=(zms.example.com);CLIENT-IP=(10.0.0.1);WHAT-method=(PUT);WHAT-api=(putrole);WHAT-domain=(sports);' +
        'WHAT-entity=(role1);WHAT-details=([{"kind":"putRole","number":1}]);WHO-fullname=(user.joe);' +
        'WHEN-epoch=(1893585600001)',
    )
  })

  test('may have a key, by the private key store', async () => {
    const { root, open } = await opened({ 'athenz.ts.audit_log_key_name': 'file:audit.secret' })
    writeFileSync(join(root, 'audit.secret'), 'a secret of more than 32 characters\n')
    const audit = await open()
    await audit.close?.()
    const folder = join(root, 'var/zms_server/logs/audit')
    const [name] = readdirSync(folder).toSorted()
    assert.match(readFileSync(join(folder, name ?? ''), 'utf8'), /"chain":"hmac-sha256","key":"[0-9a-f]{16}"/)
  })

  test('may be a module, which gets what the others get', async () => {
    const { root, open } = await opened()
    const module = `export default (options) => ({ record: (entry) => options.log.info({ got: entry.entity }, options.server) })`
    writeFileSync(join(root, 'mine.mjs'), module)
    const audit = await open('./mine.mjs')
    await audit.record(entryOf(5))
    assert.deepEqual([audit.required, audit.problem?.()], [false, undefined])
    await audit.close?.()
  })

  const failures: readonly [string, string, boolean][] = [
    ['a module that fails is told to the operator', '', false],
    ['a required module that fails is told to the client too', 'required: true,', true],
  ]
  for (const [what, member, refused] of failures) {
    test(what, async () => {
      const { root, open, lines } = await opened()
      const module = `export default () => ({ ${member} record: async () => { throw new Error('gone') } })`
      writeFileSync(join(root, 'mine.mjs'), module)
      const audit = await open('./mine.mjs')
      const recorded = audit.record(entryOf(5))
      if (refused)
        await assert.rejects(
          async () => recorded,
          (error) => error instanceof ServiceError && error.status === 503,
        )
      else await recorded
      const [{ level, msg, audit: text }] = lines as [(typeof lines)[0]]
      assert.deepEqual([lines.length, level, msg], [1, 'error', 'a change is not in the audit log'])
      assert.match(String(text), /WHAT-entity=\(role5\)/)
    })
  }

  const refusals: readonly [string, Record<string, string>, string | undefined, RegExp][] = [
    [
      'an unknown class',
      {},
      'com.example.Nothing',
      /^athenz\.zms\.audit_logger_factory_class: "com\.example\.Nothing" is neither a known class nor a module \(give one of file, /,
    ],
    [
      'a short secret',
      { 'athenz.ts.audit_log_key_name': 'short' },
      undefined,
      /^athenz\.ts\.audit_log_key_name: the secret has 5 characters, fewer than 32$/,
    ],
    [
      'a folder that cannot be made',
      { 'athenz.ts.audit_log_dir': '/dev/null/audit' },
      undefined,
      /^athenz\.ts\.audit_log_dir: \/dev\/null\/audit: ENOTDIR/,
    ],
  ]
  for (const [what, settings, className, reason] of refusals) {
    test(`is refused: ${what}`, async () => {
      const { open } = await opened(settings, className)
      await assert.rejects(open(), (error) => error instanceof ConfigError && reason.test(error.problems.join()))
    })
  }

  test('is refused to a second server on the same folder', async () => {
    const { open } = await opened()
    const audit = await open()
    await assert.rejects(
      open(),
      (error) => error instanceof ConfigError && error.problems.join().endsWith('in use by another server'),
    )
    await audit.close?.()
  })
})
