import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError, unauthorized } from '#core/error/service-error.ts'
import { ok } from '#core/http/endpoint.ts'
import { openLogger } from '#core/log/logger.ts'
import { admin, ask, failure } from './ask.ts'
import { fakeServer } from './support.ts'

describe('answers', () => {
  test('401 carries every challenge', async () => {
    const { headers } = await ask('GET', '/domain/sports', { headers: { 'x-user': '' } })
    assert.deepEqual(headers['www-authenticate'], [
      'AthenzPrincipalToken realm="athenz"',
      'AthenzX509Certificate realm="athenz"',
    ])
  })

  test('every answer has the headers of the server', async () => {
    const answers = [
      await ask('GET', '/domain/sports'),
      await ask('GET', '/nothing'),
      await ask('DELETE', '/domain/sports'),
      await ask('OPTIONS', '/domain/sports'),
    ]
    for (const { headers } of answers) {
      assert.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains')
      assert.ok(headers['date'])
      assert.equal(headers['server'], undefined)
    }
  })

  test('204 has neither body nor length nor type', async () => {
    const { headers } = await ask('DELETE', '/domain/sports')
    assert.deepEqual([headers['content-length'], headers['content-type']], [undefined, undefined])
  })

  test('text and bytes go out as they are', async () => {
    const signed = '{ "b": 1,  "a": "é" }'
    for (const body of [signed, Buffer.from(signed)]) {
      const server = fakeServer({ handlers: { getDomain: () => ok(body) } })
      const { payload, headers } = await server.app.inject({ url: '/api/v1/domain/sports', headers: admin })
      assert.deepEqual([payload, headers['content-type']], [signed, 'application/json'])
    }
  })

  test('a handler may choose status, headers and type', async () => {
    const reply = {
      status: 302,
      body: 'elsewhere',
      headers: { location: 'https://example.com/', 'content-type': 'text/plain' },
    }
    const server = fakeServer({ handlers: { getDomain: () => reply } })
    const { statusCode, headers, payload } = await server.app.inject({ url: '/api/v1/domain/sports', headers: admin })
    assert.deepEqual(
      [statusCode, headers['location'], headers['content-type'], payload],
      [302, 'https://example.com/', 'text/plain', 'elsewhere'],
    )
  })

  test('304 keeps its tag and drops a body', async () => {
    const reply = { status: 304, body: { x: 1 }, headers: { etag: '"7"' } }
    const { status, headers, body } = await ask('GET', '/domain/sports', {}, { handlers: { getDomain: () => reply } })
    assert.deepEqual([status, headers['etag'], body], [304, '"7"', undefined])
  })

  test('what nobody foresaw is a 500 that names the request, and the log has the cause', async () => {
    const lines: string[] = []
    const log = openLogger({ sink: { write: (line) => lines.push(line) } })
    const handlers = { getDomain: () => Promise.reject(new TypeError('the secret inside')) }
    const { status, body } = await ask(
      'GET',
      '/domain/sports?token=abc',
      { headers: { 'x-request-id': 'req-1' } },
      { log, handlers },
    )
    assert.deepEqual([status, body], [500, failure(500, 'Internal Server Error, request req-1')])
    const [line] = lines.map((text) => JSON.parse(text))
    assert.equal(line.requestId, 'req-1')
    assert.equal(line.err.message, 'the secret inside')
    assert.equal(line.path, '/api/v1/domain/sports')
    assert.ok(!lines.join('').includes('abc'))
  })

  test('a request id that is not fit for a log is replaced', async () => {
    const handlers = { getDomain: () => Promise.reject(new Error('x')) }
    const { body } = await ask('GET', '/domain/sports', { headers: { 'x-request-id': 'a b"c' } }, { handlers })
    assert.match((body as { message: string }).message, /^Internal Server Error, request [A-Za-z0-9]+-1$/)
  })

  test('a handler that throws, rejects, or answers what cannot be written: 500', async () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const handlers = [
      () => {
        throw new Error('now')
      },
      async () => {
        throw new Error('later')
      },
      () => ok(circular),
      () => ({ status: 200, body: '{}', headers: { location: 'a\r\nb' } }),
    ]
    for (const getDomain of handlers) {
      const { status, headers } = await ask('GET', '/domain/sports', {}, { handlers: { getDomain } })
      assert.deepEqual([status, headers['content-type']], [500, 'application/json'])
    }
  })

  test('errors keep their headers; detail and cause stay inside', async () => {
    const error = new ServiceError('quota', 'too many', {
      detail: 'inside',
      cause: new Error('inside'),
      headers: { 'retry-after': '3' },
    })
    const { status, headers, body } = await ask(
      'GET',
      '/domain/sports',
      {},
      { handlers: { getDomain: () => Promise.reject(error) } },
    )
    assert.deepEqual([status, headers['retry-after'], body], [429, '3', failure(429, 'too many')])
  })

  test('a handler may refuse credentials itself', async () => {
    const handlers = { getDomain: () => Promise.reject(unauthorized('user is not valid')) }
    const { status, headers } = await ask('GET', '/domain/sports', {}, { handlers })
    assert.deepEqual([status, headers['www-authenticate']], [401, undefined])
  })

  test('large JSON is compressed for those who ask, when configured', async () => {
    const body = { name: 'x'.repeat(5000) }
    const options = { handlers: { getDomain: () => ok(body) }, gzipMinBytes: 1024 }
    const get = async (encoding: string) => {
      const server = fakeServer(options)
      return server.app.inject({ url: '/api/v1/domain/sports', headers: { ...admin, 'accept-encoding': encoding } })
    }
    const compressed = await get('br, gzip;q=0.5')
    assert.equal(compressed.headers['content-encoding'], 'gzip')
    assert.ok(Number(compressed.headers['content-length']) < 200)
    for (const encoding of ['', 'br', 'gzip;q=0']) {
      const plain = await get(encoding)
      assert.equal(plain.headers['content-encoding'], undefined, encoding)
      assert.deepEqual(plain.json(), body)
    }
  })

  test('slow requests are logged', async () => {
    const lines: string[] = []
    const log = openLogger({ sink: { write: (line) => lines.push(line) } })
    await ask('GET', '/domain/sports', {}, { log, slowRequestMillis: -1 })
    const line = JSON.parse(lines[0] ?? '{}')
    assert.deepEqual(
      [line.msg, line.api, line.principal, line.status],
      ['slow request', 'getdomain', 'user.admin', 200],
    )
  })
})
