import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Registry } from 'prom-client'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { clientCertificate } from '../../core/http/support.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { FakeZms, signedDomain } from './fake-zms.ts'
import { domainsUntil, openSync, readers, sports, sysAuth } from './synchronization.ts'

async function start(options?: Parameters<typeof FakeZms.start>[1]) {
  const folder = temporaryFolder()
  const zms = await FakeZms.start(folder, options)
  zms.put(sysAuth, sports(1, 'user.joe'))
  return { folder, zms }
}

describe('openDomainSync', () => {
  test('loads all domains and keeps them in files of the layout of the original', async () => {
    const { folder, zms } = await start()
    const { sync, copy } = await openSync({ zms, folder })
    assert.deepEqual([...sync.domains.names()].sort(), ['sports', 'sys.auth'])
    assert.deepEqual(readers(sync), ['user.joe'])
    const file = join(copy, 'sports')
    assert.equal(readFileSync(file, 'utf8').slice(0, 11), '{"domain":{')
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).keyId, '0')
    assert.equal(statSync(copy).mode & 0o777, 0o700)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.equal(
      readFileSync(join(copy, '.lastModTime'), 'utf8'),
      JSON.stringify({ lastModTime: `"${sports(1).modified}"` }),
    )
  })

  test('asks as sys.auth.zts with a principal token', async () => {
    const { folder, zms } = await start()
    await openSync({ zms, folder })
    const [first] = zms.seen
    assert.equal(
      `${first?.path}?${String(first?.query)}`,
      '/zms/v1/sys/modified_domains?metaonly=true&conditions=false&master=true',
    )
    const parsed = parsePrincipalToken(String(first?.headers['athenz-principal-auth']))
    assert.ok(parsed.ok)
    const { domain, name, version, keyId, issueTimeSeconds, expiryTimeSeconds } = parsed.token
    assert.deepEqual(
      { domain, name, version, keyId },
      { domain: 'sys.auth', name: 'zts', version: 'S1', keyId: 'zts-key' },
    )
    assert.equal(expiryTimeSeconds - (issueTimeSeconds ?? 0), 86_400)
  })

  test('asks with a client certificate when one is configured', async () => {
    const { folder, zms } = await start()
    const { key, cert } = await clientCertificate(zms.pki.ca, 'sys.auth.zts')
    writeFileSync(join(folder, 'zts.key'), key)
    writeFileSync(join(folder, 'zts.pem'), cert)
    await openSync({
      zms,
      folder,
      properties: {
        'athenz.common.server.clog.zts_server_key_path': join(folder, 'zts.key'),
        'athenz.common.server.clog.zts_server_cert_path': join(folder, 'zts.pem'),
        'athenz.common.server.clog.zts_server_trust_store_path': (zms.pki.files.trust as { file: string }).file,
      },
    })
    const [first] = zms.seen
    assert.equal(first?.client, 'sys.auth.zts')
    assert.equal(first.headers['athenz-principal-auth'], undefined)
  })

  test('has a change in less than a second where ZMS holds its answers back', async () => {
    const { folder, zms } = await start()
    const { sync } = await openSync({ zms, folder })
    const changed = domainsUntil(sync, () => readers(sync).includes('user.jane'))
    const startMillis = performance.now()
    zms.put(sports(2, 'user.joe', 'user.jane'))
    await changed
    assert.ok(performance.now() - startMillis < 1000)
    assert.ok(zms.lists.some(({ headers }) => headers['prefer'] === 'wait=30'))
  })

  test('asks at intervals where ZMS answers at once', async () => {
    const { folder, zms } = await start({ holds: false })
    const { sync, log } = await openSync({ zms, folder, properties: { 'athenz.zts.zms_domain_update_timeout': '1' } })
    const before = zms.seen.length
    zms.put(sports(2, 'user.jane'))
    await domainsUntil(sync, () => readers(sync).includes('user.jane'))
    // One list and one domain; perhaps one more list if it had just asked.
    assert.ok(zms.seen.length - before <= 3, `${zms.seen.length - before} questions`)
    assert.deepEqual(log.lines, [])
  })

  test('takes JSON web signatures where it is told to, and keeps them', async () => {
    const { folder, zms } = await start()
    const { sync, copy } = await openSync({ zms, folder, properties: { 'athenz.zts.zms_domain_jws_support': 'true' } })
    assert.deepEqual(readers(sync), ['user.joe'])
    assert.deepEqual(Object.keys(JSON.parse(readFileSync(join(copy, 'sports'), 'utf8'))), [
      'payload',
      'protected',
      'header',
      'signature',
    ])
  })

  test('refuses to start when nobody vouches for the certificate of ZMS', async () => {
    const { folder, zms } = await start()
    const other = await FakeZms.start(temporaryFolder())
    const trust = (other.pki.files.trust as { file: string }).file
    await assert.rejects(
      openSync({ zms, folder, properties: { 'athenz.zts.ssl_trust_store': trust } }),
      /the domains cannot be loaded: ZMS at https:\/\/localhost:\d+ cannot be reached: .*certificate.*; there is no local copy/,
    )
    assert.equal(zms.seen.length, 0)
  })

  test('refuses to start when ZMS does not know it, and says what is missing', async () => {
    const { folder, zms } = await start()
    zms.intercept = (_, response) => {
      response.writeHead(401).end('{"code":401,"message":"Invalid credentials"}')
      return true
    }
    await assert.rejects(
      openSync({ zms, folder }),
      /answers with status 401: Invalid credentials \(is the public key of sys\.auth\.zts registered in it\?\); there is no local copy/,
    )
    assert.equal(zms.seen.length, 1)
  })

  test('refuses to start when athenz.conf has another key of ZMS, and says which is missing', async () => {
    const { folder, zms } = await start()
    const other = await FakeZms.start(temporaryFolder())
    Object.assign(zms, { writeConf: () => other.writeConf(folder, { zmsUrl: zms.url }) })
    await assert.rejects(
      openSync({ zms, folder }),
      /the domains cannot be loaded: s[\w.]+: its signature is wrong; there is no local copy/,
    )
  })

  test('says which properties are missing when it knows no ZMS', async () => {
    const { folder, zms } = await start()
    Object.assign(zms, { url: undefined })
    await assert.rejects(openSync({ zms, folder }), /athenz\.zts\.zms_url: not set, and .*athenz\.conf has no zmsUrl/)
  })

  test('loads the domains through a module of its own', async () => {
    const { folder, zms } = await start()
    const texts = [await signedDomain(zms.signer, sysAuth), await signedDomain(zms.signer, sports(1, 'user.joe'))]
    writeFileSync(
      join(folder, 'bucket.mjs'),
      `const texts = ${JSON.stringify(texts)}
       const list = texts.map((text) => { const { name, modified } = JSON.parse(text).domain; return { name, modified: Date.parse(modified), enabled: true } })
       export default () => ({
         changes: async () => ({ domains: list, tag: 'x', held: false }),
         domain: async (name) => Buffer.from(texts[list.findIndex((each) => each.name === name)]),
       })`,
    )
    const { sync } = await openSync({
      zms,
      folder,
      properties: { 'athenz.zts.change_log_store_factory_class': join(folder, 'bucket.mjs') },
    })
    assert.deepEqual(readers(sync), ['user.joe'])
    assert.equal(zms.seen.length, 0)
  })

  test('tells Prometheus how it goes', async () => {
    const { folder, zms } = await start()
    const registry = new Registry()
    zms.put({ ...sports(1), name: 'news' })
    const { sync } = await openSync({ zms, folder, options: { registry } })
    const value = async (name: string) =>
      Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await registry.metrics())?.[1])
    // The domain news has a role of sports in it.
    assert.equal(await value('athenz_zts_domains'), 2)
    assert.equal(await value('athenz_zts_domains_failing'), 1)
    assert.equal(await value('athenz_zts_domain_validation_failures_total'), sync.counters.validationFailures)
    assert.equal(await value('athenz_zts_domain_sync_stale'), 0)
    assert.ok((await value('athenz_zts_domain_sync_age_seconds')) < 5)
  })
})
