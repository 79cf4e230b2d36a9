import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { ConfigError } from '#core/config/config-error.ts'
import { freePort } from '../../../src/cli/server-port.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'
import { openContainer as open } from './open-container.ts'
import { clientCertificate, send, testPki } from './support.ts'

describe('a container', () => {
  test('serves TLS as its properties say, with their headers, and logs', async () => {
    const root = temporaryFolder()
    const pki = await testPki(root)
    const port = await freePort()
    await using opened = await open(pki, root, {
      'athenz.tls_port': port,
      'athenz.gzip_support': 'true',
      'athenz.http_send_server_version': 'true',
    })
    const { key, cert } = await clientCertificate(pki.ca, 'user.admin')
    const options = { ca: pki.ca.cert, key, cert, headers: { 'accept-encoding': 'gzip' } }
    const { status, headers } = await send(port, '/api/v1/open', options)
    assert.deepEqual(
      [status, headers['host'], headers['server'], headers['content-encoding'], headers['strict-transport-security']],
      [200, 'zms.example.com', 'athenz', 'gzip', 'max-age=31536000; includeSubDomains'],
    )
    await opened.container.close()
    const [name = ''] = readdirSync(join(root, 'logs'))
    assert.match(name, /^access\.\d{4}_\d\d_\d\d\.log$/)
    assert.match(readFileSync(join(root, 'logs', name), 'utf8'), /"GET \/api\/v1\/open HTTP\/1\.1" 200 /)
  })

  test('answers health checks by files', async () => {
    const root = temporaryFolder()
    const port = await freePort()
    const properties = {
      'athenz.port': port,
      'athenz.health_check_uri_list': '/status.html',
      'athenz.health_check_path': root,
    }
    await using _opened = await open(await testPki(root), root, properties)
    const ask = async () => (await fetch(`http://127.0.0.1:${port}/status.html`)).status
    assert.equal(await ask(), 404)
    writeFileSync(join(root, 'status.html'), '')
    assert.equal(await ask(), 200)
  })

  test('opens the ports of a file of rules instead of its own', async () => {
    const root = temporaryFolder()
    const pki = await testPki(root)
    const [open_, limited, own] = [await freePort(), await freePort(), await freePort()]
    const rules = join(root, 'ports.json')
    const allowed = [{ path: '/api/v1/status', methods: ['GET'] }]
    const ports = [{ port: open_ }, { port: limited, mtls_required: true, allowed_endpoints: allowed }]
    writeFileSync(rules, JSON.stringify({ ports }))
    await using _opened = await open(pki, root, { 'athenz.tls_port': own, 'athenz.port_uri_config': rules })
    const { key, cert } = await clientCertificate(pki.ca, 'user.admin')
    const ask = async (port: number, path: string, identity = {}) =>
      (await send(port, path, { ca: pki.ca.cert, ...identity })).status
    assert.equal(await ask(open_, '/api/v1/open'), 200)
    assert.equal(await ask(limited, '/api/v1/status', { key, cert }), 200)
    assert.equal(await ask(limited, '/api/v1/open', { key, cert }), 404)
    await assert.rejects(ask(limited, '/api/v1/status'))
    await assert.rejects(ask(own, '/api/v1/open'), { code: 'ECONNREFUSED' })
  })

  test('is ready, with a remark, while new keys and certificates cannot be used', async () => {
    const root = temporaryFolder()
    const pki = await testPki(root)
    const [port, opsPort] = [await freePort(), await freePort()]
    await using _opened = await open(pki, root, {
      'athenz.tls_port': port,
      'athenz.ts.ops_port': opsPort,
      'athenz.ssl_key_store_reload_seconds': 1,
    })
    const ask = async () => {
      const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`)
      return [answer.status, await answer.json()] as const
    }
    assert.deepEqual(await ask(), [200, { status: 'ok' }])
    const file = pki.files.certificate?.file ?? ''
    writeFileSync(file, 'garbage')
    const remark = `${file}: it is neither PEM nor PKCS#12 nor JKS; those that were read before stay in use`
    const told = [200, { status: 'ok', remarks: { certificates: remark } }]
    await until(async () => isDeepStrictEqual(await ask(), told), { what: 'a remark about the certificate' })
  })

  test('names the properties of files that cannot be read', async () => {
    const root = temporaryFolder()
    const [store, trust] = [join(root, 'none.pkcs12'), join(root, 'none.pem')]
    const properties = {
      'athenz.tls_port': await freePort(),
      'athenz.ts.tls_key_file': '',
      'athenz.ts.tls_cert_file': '',
      'athenz.ssl_key_store': store,
      'athenz.ts.tls_ca_file': trust,
    }
    await assert.rejects(open(await testPki(root), root, properties), (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.deepEqual(error.problems, [
        `athenz.ssl_key_store: ${store} cannot be read: ENOENT` +
          ' (openssl pkcs12 -export -out KEYSTORE.pkcs12 -in CERT.pem -inkey KEY.pem makes a key store)',
        `athenz.ts.tls_ca_file: ${trust} cannot be read: ENOENT`,
      ])
      return true
    })
  })

  test('does not open with rules it cannot read', async () => {
    const root = temporaryFolder()
    const rules = join(root, 'ports.json')
    writeFileSync(rules, '{"ports":[{}]}')
    await assert.rejects(open(await testPki(root), root, { 'athenz.port_uri_config': rules }), (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.problems[0] ?? '', /^athenz\.port_uri_config: .*ports\.json: .*port/)
      return true
    })
  })
})
