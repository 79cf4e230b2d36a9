import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ZMS } from '../../src/cli/server-kind.ts'
import { configuredAddress, configuredListener } from '../../src/cli/server-port.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()

/** A configuration that has these lines. */
function configured(lines: string) {
  const file = join(folder, 'athenz.properties')
  writeFileSync(file, lines)
  return { kind: ZMS, root: folder, propertiesFiles: [file], settings: new Map<string, string>() }
}

describe('the address of a configured server', () => {
  const everywhere = 'https://localhost:4443/zms/v1'
  const cases: readonly (readonly [what: string, lines: string, url: string, status?: object])[] = [
    ['has the usual port by default', '', everywhere],
    ['has its HTTPS port', 'athenz.tls_port=9999', 'https://localhost:9999/zms/v1'],
    ['is that for plain HTTP without one', 'athenz.tls_port=0', 'http://localhost:4080/zms/v1'],
    ['is plain on its port', 'athenz.tls_port=0\nathenz.port=8080', 'http://localhost:8080/zms/v1'],
    ['has the host that it listens on', 'athenz.listen_host=127.0.0.2', 'https://127.0.0.2:4443/zms/v1'],
    ['has it in brackets when it is IPv6', 'athenz.listen_host=::1', 'https://[::1]:4443/zms/v1'],
    ['is everywhere when it listens on all', 'athenz.listen_host=0.0.0.0', everywhere],
    [
      'has another port for the status',
      'athenz.status_port=8443',
      everywhere,
      { url: 'https://localhost:8443/zms/v1' },
    ],
    [
      'has another plain port for the status',
      'athenz.tls_port=0\nathenz.status_port=8081',
      'http://localhost:4080/zms/v1',
      { url: 'http://localhost:8081/zms/v1' },
    ],
    ['has none when that is the port for all', 'athenz.status_port=4443', everywhere],
    ['tells of the PROXY protocol', 'athenz.proxy_protocol=TRUE', everywhere, { url: everywhere, proxyProtocol: true }],
    [
      'tells of needed certificates',
      'athenz.ssl_need_client_auth=true',
      everywhere,
      { url: everywhere, certificateNeeded: true },
    ],
    ['is left to the server when it is wrong', 'athenz.tls_port=many', 'http://localhost:4080/zms/v1'],
  ]
  for (const [what, lines, url, status = { url }] of cases) {
    test(what, async () => {
      assert.deepEqual(await configuredAddress(configured(lines)), { url, status })
    })
  }

  test('is the first port of a file of ports, and its status that which serves it', async () => {
    const closed = { port: 7001, allowed_endpoints: [{ path: '/zms/v1/domain' }] }
    const open = { port: 7002, mtls_required: true, allowed_endpoints: [{ path_starts_with: '/zms/v1/' }] }
    writeFileSync(join(folder, 'ports.json'), JSON.stringify({ ports: [closed, open] }))
    assert.deepEqual(await configuredAddress(configured('athenz.port_uri_config=ports.json')), {
      url: 'https://localhost:7001/zms/v1',
      status: { url: 'https://localhost:7002/zms/v1', certificateNeeded: true },
    })
  })

  test('is that of the properties when the file of ports cannot be read', async () => {
    writeFileSync(join(folder, 'ports.json'), '{')
    const address = await configuredAddress(configured('athenz.port_uri_config=ports.json'))
    assert.deepEqual(address, { url: everywhere, status: { url: everywhere } })
  })
})

describe('where a configured server listens', () => {
  for (const [lines, port] of [
    ['athenz.tls_port=0', 0],
    ['athenz.tls_port=-1', 0],
    ['athenz.tls_port=many', undefined],
    ['athenz.tls_port=70000', undefined],
  ] as const) {
    test(`is ${port} with ${lines}`, async () => {
      assert.deepEqual(await configuredListener(configured(lines)), { port, host: undefined })
    })
  }
})
