import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { ZtsClient } from '#client/index.ts'
import { TestCa } from '../core/authority/support.ts'
import { startTlsService } from './tls-service.ts'

/** A SOCKS5 proxy (RFC 1928) without authentication; gives its URL and where it was asked to connect to. */
async function startSocksProxy(): Promise<{ url: string; targets: string[] }> {
  const targets: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    sockets.add(client.on('error', () => {}))
    client.once('data', () => {
      client.write(Buffer.from([5, 0]))
      client.once('data', (request) => {
        const target = targetOf(request)
        targets.push(`${target.host}:${target.port}`)
        const onward = connect(target.port, target.host, () => {
          client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
          client.pipe(onward).pipe(client)
        })
        sockets.add(onward.on('error', () => client.destroy()))
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `socks5://127.0.0.1:${(server.address() as AddressInfo).port}`, targets }
}

/** Address of a request to connect: IPv4, or a name after its length. */
function targetOf(request: Buffer): { host: string; port: number } {
  const length = request[3] === 1 ? 4 : (request[4] ?? 0)
  const start = request[3] === 1 ? 4 : 5
  const address = request.subarray(start, start + length)
  const host = request[3] === 1 ? address.join('.') : address.toString('latin1')
  return { host, port: request.readUInt16BE(start + length) }
}

describe('on the way to a server', () => {
  test('a SOCKS5 proxy may stand, to which nothing of the server is trusted', async () => {
    const [ca, other] = [await TestCa.create(), await TestCa.create()]
    const service = await startTlsService(ca)
    const proxy = await startSocksProxy()
    await using zts = new ZtsClient({ url: service.url, ca: ca.cert, proxyUrl: proxy.url })
    assert.deepEqual(await zts.call('getJWKList'), { keys: [] })
    assert.deepEqual(proxy.targets, [service.url.slice('https://'.length)])
    await using distrusting = new ZtsClient({ url: service.url, ca: other.cert, proxyUrl: proxy.url, retries: 0 })
    await assert.rejects(distrusting.call('getJWKList'), { name: 'AthenzClientError', kind: 'untrusted' })
  })

  test('a server may be anybody only when its user says so', async () => {
    const [ca, other] = [await TestCa.create(), await TestCa.create()]
    const service = await startTlsService(ca)
    await using careless = new ZtsClient({ url: service.url, ca: other.cert, trustAnyServer: true })
    assert.deepEqual(await careless.call('getJWKList'), { keys: [] })
    await using careful = new ZtsClient({ url: service.url, ca: other.cert, trustAnyServer: false, retries: 0 })
    await assert.rejects(careful.call('getJWKList'), { name: 'AthenzClientError', kind: 'untrusted' })
  })
})
