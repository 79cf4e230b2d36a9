import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import { ok } from '#core/http/endpoint.ts'
import { parseProxyHeader } from '#core/http/proxy-protocol.ts'
import { registerEndpoints } from '#core/http/register.ts'
import { HttpServer } from '#core/http/server.ts'
import { TlsSource } from '#core/http/tls-source.ts'
import { silentLogger } from '#core/log/logger.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { clientCertificate, fakeRegistration, testPki } from './support.ts'

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

function version2(command: number, family: number, addresses: Buffer, extra = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt8(0x20 | command, 0)
  head.writeUInt8((family << 4) | 1, 1)
  head.writeUInt16BE(addresses.length + extra.length, 2)
  return Buffer.concat([SIGNATURE, head, addresses, extra])
}

const ipv4 = Buffer.from([10, 1, 2, 3, 10, 9, 9, 9, 0x1f, 0x90, 0x01, 0xbb])
const ipv6 = Buffer.concat([Buffer.from('20010db8000000000000000000000001', 'hex'), Buffer.alloc(20)])

describe('the PROXY header', () => {
  const good: [name: string, bytes: string | Buffer, address: string | undefined][] = [
    ['version 1, IPv4', 'PROXY TCP4 10.1.2.3 10.9.9.9 5000 443\r\n', '10.1.2.3'],
    ['version 1, IPv6', 'PROXY TCP6 2001:db8::1 2001:db8::2 5000 443\r\n', '2001:db8::1'],
    ['version 1, unknown', 'PROXY UNKNOWN ffff:f ffff:f 1 2\r\n', undefined],
    ['version 2, IPv4', version2(1, 1, ipv4), '10.1.2.3'],
    ['version 2, IPv6', version2(1, 2, ipv6), '2001:db8::1'],
    ['version 2, with more than addresses', version2(1, 1, ipv4, Buffer.alloc(100, 7)), '10.1.2.3'],
    ['version 2, the load balancer itself', version2(0, 0, Buffer.alloc(0)), undefined],
  ]
  for (const [name, bytes, address] of good) {
    test(`${name}, whole and in pieces, and what follows is left`, () => {
      const header = Buffer.from(bytes as string, 'latin1')
      assert.deepEqual(parseProxyHeader(Buffer.concat([header, Buffer.from('GET')])), {
        kind: 'header',
        length: header.length,
        address,
      })
      for (let length = 0; length < header.length; length++) {
        assert.deepEqual(parseProxyHeader(header.subarray(0, length)), { kind: 'incomplete' }, String(length))
      }
    })
  }

  const bad: [name: string, bytes: string | Buffer][] = [
    ['HTTP', 'GET / HTTP/1.1\r\n'],
    ['TLS', '\x16\x03\x01'],
    ['a host name for an address', 'PROXY TCP4 localhost 10.9.9.9 1 2\r\n'],
    ['the wrong family', 'PROXY TCP6 10.1.2.3 10.9.9.9 1 2\r\n'],
    ['an unknown family', 'PROXY UDP4 10.1.2.3 10.9.9.9 1 2\r\n'],
    ['too few fields', 'PROXY TCP4 10.1.2.3\r\n'],
    ['a line without end', `PROXY ${'x'.repeat(200)}`],
    ['an unknown command', version2(5, 1, ipv4)],
    ['an unknown family in version 2', version2(1, 3, ipv4)],
    ['addresses that are too short', version2(1, 1, ipv4.subarray(0, 8))],
    ['a header of 5,000 bytes', version2(1, 1, ipv4, Buffer.alloc(5000))],
  ]
  for (const [name, bytes] of bad) {
    test(`is not ${name}`, () => {
      assert.deepEqual(parseProxyHeader(Buffer.from(bytes as string, 'latin1')), { kind: 'invalid' })
    })
  }
})

describe('a port behind a load balancer', () => {
  const handlers = {
    getOpen: (_request: unknown, { remoteAddress }: { remoteAddress: string }) => ok(JSON.stringify({ remoteAddress })),
  }
  const request = 'GET /api/v1/open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

  async function start(source?: TlsSource) {
    const port = { port: 0, host: '127.0.0.1', proxyProtocol: true, ...(source && { tls: { source } }) }
    const server = new HttpServer({
      log: silentLogger(),
      ports: [port],
      limits: { headersTimeoutMillis: 200, checkIntervalMillis: 20 },
    })
    registerEndpoints(server, fakeRegistration({ handlers }))
    const [address] = (await server.listen()) as [AddressInfo]
    return { port: address.port, [Symbol.asyncDispose]: () => server.close() }
  }

  async function receive(socket: NodeJS.ReadableStream): Promise<string> {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    await new Promise((resolve) => socket.on('close', resolve))
    const text = Buffer.concat(chunks).toString()
    return text.slice(text.lastIndexOf('\r\n\r\n') + 4)
  }

  test('knows clients by the addresses in the header, requests in the same packet or later', async () => {
    await using running = await start()
    for (const parts of [
      [`PROXY TCP4 10.1.2.3 10.9.9.9 1 2\r\n${request}`],
      ['PROXY TCP4 10.1.2.3 ', '10.9.9.9 1 2\r\n', request],
    ]) {
      const socket = connect({ port: running.port, host: '127.0.0.1', noDelay: true })
      for (const part of parts) await new Promise((resolve) => socket.write(part, resolve))
      assert.equal(await receive(socket), '{"remoteAddress":"10.1.2.3"}')
    }
  })

  test('knows them under TLS too, with their certificates', async () => {
    const pki = await testPki(temporaryFolder())
    const source = await TlsSource.open(pki.files, { log: silentLogger() })
    await using running = await start(source)
    const { key, cert } = await clientCertificate(pki.ca, 'sports.api')
    const visits = ['10.1.2.3', '10.1.2.4', '10.1.2.5'].map(async (address) => {
      const socket = connect({ port: running.port, host: '127.0.0.1' })
      socket.write(`PROXY TCP4 ${address} 10.9.9.9 1 2\r\n`)
      const secured = tls.connect({ socket, servername: 'localhost', ca: pki.ca.cert, key, cert })
      secured.write(request)
      assert.equal(await receive(secured), `{"remoteAddress":"${address}"}`)
    })
    await Promise.all(visits)
    source.close()
  })

  test('cuts connections without a header, and those that wait with it', async () => {
    await using running = await start()
    for (const text of [request, 'PROXY TCP4 10.1.2.3']) {
      const socket = connect({ port: running.port, host: '127.0.0.1' })
      socket.write(text)
      assert.equal(await receive(socket), '')
    }
  })

  test('has the time limits of other ports', async () => {
    await using running = await start()
    const socket = connect({ port: running.port, host: '127.0.0.1' })
    socket.write('PROXY TCP4 10.1.2.3 10.9.9.9 1 2\r\nGET /api/v1/open HTTP/1.1\r\n')
    assert.equal(await receive(socket), '{"code":408,"message":"Request Timeout"}')
  })

  test('closes with idle connections behind it', async () => {
    const running = await start()
    const socket = connect({ port: running.port, host: '127.0.0.1' })
    socket.write(`PROXY TCP4 10.1.2.3 10.9.9.9 1 2\r\n${request.replace('Connection: close\r\n', '')}`)
    await once(socket, 'data')
    const closed = once(socket, 'close')
    await running[Symbol.asyncDispose]()
    await closed
  })
})
