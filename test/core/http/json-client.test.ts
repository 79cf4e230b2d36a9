import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type AddressInfo, connect, Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { JsonClient, type JsonClientOptions, SILENCE_MILLIS, textMember } from '#core/http/json-client.ts'
import { jsonAnswer, startFakeService } from '../../support/fake-service.ts'

function newClient(options: Partial<JsonClientOptions> = {}): JsonClient {
  const client = new JsonClient({ connectTimeoutMillis: 5000, readTimeoutMillis: 5000, ...options })
  after(() => client.close())
  return client
}

describe('a JSON client', () => {
  test('reads what is answered, whatever the status', async () => {
    const service = await startFakeService(jsonAnswer({ error: 'no' }, 403))
    const answer = await newClient().ask(new URL(`${service.url}/a/b?c=d`), { headers: { authorization: 'Bearer x' } })
    assert.deepEqual(answer, { status: 403, value: { error: 'no' } })
    assert.equal(service.seen[0]?.method, 'GET')
    assert.equal(service.seen[0]?.target, '/a/b?c=d')
    assert.equal(service.seen[0]?.headers.authorization, 'Bearer x')
  })

  test('sends JSON and forms', async () => {
    const service = await startFakeService(jsonAnswer({}))
    const client = newClient()
    await client.ask(new URL(service.url), { body: { json: { a: 1 } } })
    await client.ask(new URL(service.url), { body: { form: { a: 'b c', d: 'é&' } } })
    assert.deepEqual(
      service.seen.map(({ method, headers, body }) => [method, headers['content-type'], body]),
      [
        ['POST', 'application/json', '{"a":1}'],
        ['POST', 'application/x-www-form-urlencoded', 'a=b+c&d=%C3%A9%26'],
      ],
    )
  })

  test('has the system look after a silent connection', async (t) => {
    const service = await startFakeService(jsonAnswer({}))
    const watched = t.mock.method(Socket.prototype, 'setKeepAlive')
    await newClient().ask(new URL(service.url))
    assert.deepEqual(watched.mock.calls[0]?.arguments, [true, SILENCE_MILLIS])
  })

  test('does not follow a redirection', async () => {
    const other = await startFakeService(jsonAnswer({ secret: true }))
    const service = await startFakeService((response) => response.writeHead(302, { location: other.url }).end())
    assert.deepEqual(await newClient().ask(new URL(service.url)), { status: 302, value: undefined })
    assert.equal(other.seen.length, 0)
  })

  test('tells an answer that is no JSON by having no value', async () => {
    const service = await startFakeService((response) => response.end('<html>'))
    assert.deepEqual(await newClient().ask(new URL(service.url)), { status: 200, value: undefined })
  })

  const failures: readonly (readonly [string, Parameters<typeof startFakeService>[0], RegExp])[] = [
    ['nothing', () => {}, /no answer from 127\.0\.0\.1:\d+: The operation was aborted due to timeout/],
    [
      'half an answer',
      (response) => response.write('{'),
      /no answer from .*: The operation was aborted due to timeout/,
    ],
    ['a broken connection', (response) => response.destroy(), /no answer from .*: other side closed/],
    [
      'more than an answer',
      (response) => response.end(Buffer.alloc(1_100_000, 0x20)),
      /no answer from .*: the body is longer than 1048576 bytes/,
    ],
    [
      'a trickle',
      (response) => {
        const timer = setInterval(() => response.write(' '), 20)
        response.once('close', () => clearInterval(timer))
      },
      /aborted due to timeout/,
    ],
  ]
  for (const [what, answer, reason] of failures) {
    test(`gives up on ${what}`, async () => {
      const service = await startFakeService(answer)
      const client = newClient({ connectTimeoutMillis: 100, readTimeoutMillis: 200 })
      await assert.rejects(client.ask(new URL(service.url)), reason)
    })
  }

  test('says that nobody is there', async () => {
    const service = await startFakeService(jsonAnswer({}))
    service.close()
    await assert.rejects(newClient().ask(new URL(service.url)), /no answer from 127\.0\.0\.1:\d+: connect ECONNREFUSED/)
  })

  test('goes through a proxy', async () => {
    const service = await startFakeService(jsonAnswer({ through: 'proxy' }))
    const targets: string[] = []
    const proxy = createServer()
    proxy.on('connect', (request, socket) => {
      targets.push(request.url ?? '')
      const { hostname, port } = new URL(`http://${request.url}`)
      const upstream = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        upstream.pipe(socket).pipe(upstream)
      })
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    after(() => proxy.close())
    const client = newClient({ proxyUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` })
    assert.deepEqual((await client.ask(new URL(service.url))).value, { through: 'proxy' })
    assert.deepEqual(targets, [new URL(service.url).host])
    await client.close()
  })
})

test('only texts of an object itself are text members', () => {
  assert.equal(textMember({ a: 'b' }, 'a'), 'b')
  for (const value of [undefined, null, 'a', [], { a: 1 }, {}]) assert.equal(textMember(value, 'a'), undefined)
  assert.equal(textMember(Object.create({ a: 'b' }), 'a'), undefined)
})
