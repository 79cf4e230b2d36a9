import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { badRequest, notFound, ServiceError, unauthorized } from '#core/error/service-error.ts'
import { ok, type RequestContext } from '#core/http/endpoint.ts'
import { openLogger } from '#core/log/logger.ts'
import { type FakeOptions, fakeServer, INVALID_OBJECT } from './support.ts'

interface Seen {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, unknown>>
}

const admin = { 'x-user': 'user.admin' }
const eve = { 'x-user': 'user.eve' }

/** Sends one request to a server of the fakes; JSON answers are parsed. */
async function ask(
  method: string,
  url: string,
  request: Partial<InjectOptions> = {},
  options: FakeOptions = {},
): Promise<Seen> {
  const server = fakeServer(options)
  const answer = await server.app.inject({
    method: method as 'GET',
    url: `/api/v1${url}`,
    ...request,
    headers: { ...admin, ...request.headers },
  })
  await server.close()
  const { statusCode: status, headers, payload } = answer
  return { status, headers, body: payload === '' ? undefined : JSON.parse(payload) }
}

const put = (payload: string, headers: Record<string, string> = {}, url = '/domain/sports/thing/t1') =>
  ask('PUT', url, { payload, headers: { 'content-type': 'application/json', ...headers } })

const failure = (code: number, message: string) => ({ code, message })
const INVALID = failure(400, INVALID_OBJECT)
const FORBIDDEN = failure(403, 'Forbidden')
const NOT_FOUND = failure(404, 'Not Found')

describe('paths and methods', () => {
  const paths: [name: string, url: string, status: number][] = [
    ['a path nobody declared', '/nothing/here', 404],
    ['the root', '', 404],
    ['the root with a slash', '/', 404],
    ['two slashes', '//domain/sports', 404],
    ['another letter case', '/DOMAIN/sports', 404],
    ['an empty name in the middle', '/domain//thing', 404],
    ['a slash at the end', '/domain/sports/', 200],
    ['an encoded letter', '/domain/%73ports', 200],
    ['an encoded slash, which no name has', '/domain/sports%2Fthing', 400],
    ['an encoded NUL', '/domain/a%00b', 400],
    ['broken percent encoding', '/domain/%zz', 400],
    ['bytes that are no UTF-8', '/domain/%ff%fe', 400],
    ['a number', '/number/17', 200],
    ['text for a number', '/number/abc', 404],
    ['a number beyond 32 bits', '/number/99999999999', 404],
    ['a name with a special meaning to JavaScript', '/domain/__proto__', 200],
  ]
  for (const [name, url, status] of paths) {
    test(`${name}: ${status}`, async () => {
      const seen = await ask('GET', url)
      assert.equal(seen.status, status, JSON.stringify(seen.body))
      assert.equal(seen.headers['content-type'], 'application/json')
      if (status >= 400) assert.equal((seen.body as { code: number }).code, status)
    })
  }

  const refused: [method: string, url: string, allow: string][] = [
    ['POST', '/domain/sports/thing/t1', 'DELETE,GET,OPTIONS,PUT'],
    ['PUT', '/domain/sports/thing', 'GET,OPTIONS'],
    ['DELETE', '/domain/sports/thing', 'GET,OPTIONS'],
    ['PATCH', '/domain/sports', 'DELETE,GET,OPTIONS'],
    ['TRACE', '/domain/sports', 'DELETE,GET,OPTIONS'],
    ['GET', '/token', 'OPTIONS,POST'],
    ['HEAD', '/token', 'OPTIONS,POST'],
  ]
  for (const [method, url, allow] of refused) {
    test(`${method} ${url}: 405 with the methods that are allowed`, async () => {
      const { status, headers } = await ask(method, url, { headers: { 'x-user': '' } })
      assert.deepEqual([status, headers['allow']], [405, allow])
    })
  }

  test('a refused method does not wait for its body', async () => {
    const { status, body } = await ask('PATCH', '/domain/sports', {
      payload: 'garbage',
      headers: { 'content-type': 'garbage' },
    })
    assert.deepEqual([status, body], [405, failure(405, 'Method Not Allowed')])
  })

  test('TRACE is refused on unknown paths too', async () => {
    assert.equal((await ask('TRACE', '/nothing')).status, 405)
  })

  test('a server may forbid methods altogether', async () => {
    const options = { registration: { forbiddenMethods: ['TRACE', 'OPTIONS'] } }
    for (const method of ['TRACE', 'OPTIONS']) {
      assert.deepEqual((await ask(method, '/status', {}, options)).body, FORBIDDEN, method)
    }
  })

  test('OPTIONS lists the methods, HEAD included, without credentials', async () => {
    const { status, headers, body } = await ask('OPTIONS', '/domain/sports', { headers: { 'x-user': '' } })
    assert.deepEqual([status, headers['allow'], body], [200, 'DELETE,GET,HEAD,OPTIONS', undefined])
  })

  test('HEAD answers as GET does, without the body', async () => {
    const { status, headers, body } = await ask('HEAD', '/domain/sports')
    assert.deepEqual(
      [status, headers['content-type'], headers['content-length'], body],
      [200, 'application/json', '17', undefined],
    )
  })

  test('HEAD of what is missing: 404 with the headers of JSON', async () => {
    const missing = { handlers: { getDomain: () => Promise.reject(notFound('unknown domain')) } }
    const { status, headers, body } = await ask('HEAD', '/domain/sports', {}, missing)
    assert.deepEqual([status, headers['content-type'], body], [404, 'application/json', undefined])
  })

  test('operations of one path may name its parts differently', async () => {
    assert.equal((await ask('DELETE', '/domain/sports')).status, 204)
  })
})

describe('query', () => {
  const queries: [name: string, query: string, seen: Record<string, unknown>][] = [
    ['nothing', '', { members: false }],
    ['a number', '?limit=7', { limit: 7, members: false }],
    ['the first of a repeated parameter', '?limit=1&limit=2', { limit: 1, members: false }],
    ['no number', '?limit=', { members: false }],
    ['an unknown parameter', '?colour=red', { members: false }],
    ['true in capitals', '?members=TRUE', { members: true }],
    ['anything else than true', '?members=yes', { members: false }],
    ['a flag without value', '?members', { members: false }],
    ['encoded text', '?skip=a+b%2Bc%C3%A9', { members: false, skip: 'a b+cé' }],
    ['an encoded name', '?%73kip=x', { members: false, skip: 'x' }],
    ['an equals sign in the value', '?skip=a=b', { members: false, skip: 'a=b' }],
    ['names with a special meaning to JavaScript', '?__proto__=1&constructor=2&toString=3', { members: false }],
    ['broken encoding of a parameter nobody reads', '?colour=%zz', { members: false }],
  ]
  for (const [name, query, seen] of queries) {
    test(`reads ${name}`, async () => {
      assert.deepEqual((await ask('GET', `/domain/sports/thing${query}`)).body, seen)
    })
  }

  for (const value of ['99999999999', '-99999999999', 'two', '1.5', '0x10', '1e3']) {
    test(`limit=${value}: 404, as for a path that does not exist`, async () => {
      assert.deepEqual((await ask('GET', `/domain/sports/thing?limit=${value}`)).body, NOT_FOUND)
    })
  }

  test('broken encoding of a parameter: 400', async () => {
    assert.equal((await ask('GET', '/domain/sports/thing?skip=%zz')).status, 400)
  })

  test('is refused before anybody is asked who they are', async () => {
    assert.equal((await ask('GET', '/domain/sports/thing?limit=x', { headers: { 'x-user': '' } })).status, 404)
  })
})

describe('content negotiation', () => {
  const accepted: [accept: string, status: number][] = [
    ['application/json', 200],
    ['*/*', 200],
    ['text/html, application/json;q=0.9', 200],
    ['application/*', 200],
    ['APPLICATION/JSON; charset=utf-8', 200],
    ['text/html, */*;q=0.1', 200],
    ['', 200],
    ['application/xml', 406],
    ['application/json;q=0', 406],
    ['application/json; q=0.000', 406],
    ['text/*', 406],
    ['garbage', 406],
    ['application/jsonp', 406],
  ]
  for (const [accept, status] of accepted) {
    test(`Accept: ${accept || '(empty)'}: ${status}`, async () => {
      assert.equal((await ask('GET', '/domain/sports', { headers: { accept } })).status, status)
    })
  }

  test('406 comes before authentication', async () => {
    const { status, body } = await ask('GET', '/domain/sports', { headers: { accept: 'text/html', 'x-user': '' } })
    assert.deepEqual([status, body], [406, failure(406, 'Not Acceptable')])
  })

  const types: [type: string, status: number][] = [
    ['application/json', 204],
    ['application/json; charset=utf-8', 204],
    ['Application/JSON', 204],
    ['application/json\t; charset=utf-8', 204],
    ['application/json;', 204],
    ['application/json; charset="a;b"', 204],
    ['application/json; boundary=x; boundary=y', 204],
    ['application/x-www-form-urlencoded', 415],
    ['application/xml', 415],
    ['text/plain', 415],
    ['application/vnd.api+json', 415],
    ['application/jsonx', 415],
    ['*/*', 415],
    ['garbage', 400],
    ['application/json, text/plain', 400],
    ['application /json', 400],
    ['application/ json', 400],
    ['/json', 400],
    ['application/', 400],
    [';application/json', 400],
  ]
  for (const [type, status] of types) {
    test(`Content-Type: ${JSON.stringify(type)}: ${status}`, async () => {
      assert.equal((await put('{"name":"t1"}', { 'content-type': type })).status, status)
    })
  }

  for (const type of ['application/json', ' application/json', 'application/json\t', 'APPLICATION/JSON; a=b']) {
    test(`the type of the body is checked under Content-Type ${JSON.stringify(type)}`, async () => {
      const { status, body } = await put('{"name":"not a name"}', { 'content-type': type })
      assert.deepEqual([status, body], [400, failure(400, 'Invalid Thing error: name: not a valid SimpleName')])
    })
  }

  test('a body without Content-Type: 415', async () => {
    const server = fakeServer()
    const { statusCode } = await server.app.inject({
      method: 'PUT',
      url: '/api/v1/domain/sports/thing/t1',
      headers: { ...admin, 'content-length': '13' },
      payload: Buffer.from('{"name":"t1"}'),
    })
    assert.equal(statusCode, 415)
  })

  test('neither body nor Content-Type: the body is missing', async () => {
    assert.deepEqual((await ask('PUT', '/domain/sports/thing/t1')).body, failure(400, 'Missing or malformed Thing'))
  })

  test('415 comes before authentication', async () => {
    assert.equal((await put('x', { 'content-type': 'text/plain', 'x-user': '' })).status, 415)
  })

  for (const method of ['GET', 'DELETE']) {
    test(`${method} ignores a body of whatever kind`, async () => {
      const { status } = await ask(method, '/domain/sports', {
        payload: '{',
        headers: { 'content-type': 'text/plain' },
      })
      assert.equal(status, method === 'GET' ? 200 : 204)
    })
  }

  test('a form reaches its operation as text', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { body } = await ask('POST', '/token', { payload: 'grant_type=x&y=%20', headers })
    assert.deepEqual(body, { form: 'grant_type=x&y=%20' })
    assert.deepEqual((await ask('POST', '/token', { payload: '', headers })).body, { form: '' })
    const json = { payload: '{}', headers: { 'content-type': 'application/json' } }
    assert.equal((await ask('POST', '/token', json)).status, 415)
  })
})

describe('bodies', () => {
  const unmappable: [name: string, payload: string][] = [
    ['no JSON', '{'],
    ['text after the value', '{"name":"t1"} extra'],
    ['comments', '{"name":"t1" /* c */}'],
    ['single quotes', "{'name':'t1'}"],
    ['NaN', '{"name":"t1","days":NaN}'],
    ['a string', '"text"'],
    ['a number', '5'],
    ['an array for an object', '[{"name":"t1"}]'],
    ['an object for an array', '{"name":"t1","members":{"memberName":"user.a"}}'],
    ['a number beyond 32 bits', '{"name":"t1","days":99999999999}'],
    ['an object for a text', '{"name":{}}'],
    ['1,001 arrays inside each other', `{"name":"t1","x":${'['.repeat(1001)}${']'.repeat(1001)}}`],
    ['a number of 1,001 digits', `{"name":"t1","x":${'1'.repeat(1001)}}`],
    ['a line feed inside a string', '{"name":"t\n1"}'],
  ]
  for (const [name, payload] of unmappable) {
    test(`${name}: 400 before authentication`, async () => {
      assert.deepEqual((await put(payload, { 'x-user': '' })).body, INVALID)
    })
  }

  test('bytes that are no UTF-8: 400', async () => {
    const { body } = await ask('PUT', '/domain/sports/thing/t1', {
      payload: Buffer.from('{"name":"t1","description":"\xff"}', 'latin1'),
      headers: { 'content-type': 'application/json' },
    })
    assert.deepEqual(body, INVALID)
  })

  const read: [name: string, payload: string, seen: Record<string, unknown>][] = [
    ['the last of duplicate members', '{"name":"x","name":"t1"}', {}],
    ['text for a boolean', '{"name":"t1","selfServe":"true"}', { selfServe: true }],
    ['a number for text', '{"name":"t1","description":5}', { description: '5' }],
    ['a fraction, cut, for an integer', '{"name":"t1","days":1.5}', { days: 1 }],
    ['null as absent', '{"name":"t1","days":null}', {}],
    ['unknown members, ignored', '{"name":"t1","colour":"red"}', {}],
    ['a byte order mark', '\ufeff{"name":"t1"}', {}],
    ['1,000 arrays inside each other', `{"name":"t1","x":${'['.repeat(999)}${']'.repeat(999)}}`, {}],
    [
      'brackets and digits inside strings',
      `{"name":"t1","description":"${'[1'.repeat(1500)}"}`,
      { description: '[1'.repeat(1500) },
    ],
    ['escaped quotes', '{"name":"t1","description":"a\\"b\\\\"}', { description: 'a"b\\' }],
  ]
  for (const [name, payload, seen] of read) {
    test(`reads ${name}`, async () => {
      const { body } = await put(payload, { 'y-audit-ref': 'return' })
      assert.deepEqual(body, { name: 't1', ...seen })
    })
  }

  const missing = failure(400, 'Missing or malformed Thing')
  for (const [name, payload] of [
    ['empty', ''],
    ['null', 'null'],
  ] as const) {
    test(`${name}: missing, which only those hear who may write`, async () => {
      assert.deepEqual((await put(payload)).body, missing)
      assert.deepEqual((await put(payload, eve)).body, FORBIDDEN)
    })
  }

  test('names with a special meaning to JavaScript change nothing', async () => {
    const payload = '{"name":"t1","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    const { body } = await put(payload, { 'y-audit-ref': 'return' })
    assert.deepEqual(body, { name: 't1' })
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  test('a body beyond the limit: 413', async () => {
    const request = { payload: `"${'a'.repeat(2000)}"`, headers: { 'content-type': 'application/json' } }
    const { status, body } = await ask('PUT', '/domain/sports/thing/t1', request, { limits: { bodyBytes: 1000 } })
    assert.deepEqual([status, body], [413, failure(413, 'Request body too large')])
  })
})

describe('order of checks', () => {
  const good = '{"name":"t1"}'
  const padding = ' '.repeat(65_536)
  const strangers: [name: string, headers: Record<string, string>, seen: [status: number, body: unknown]][] = [
    ['somebody unknown', { 'x-user': '' }, [401, failure(401, 'Invalid credentials')]],
    ['somebody without the right', eve, [403, FORBIDDEN]],
    ['an administrator', {}, [400, INVALID]],
  ]
  for (const [name, headers, seen] of strangers) {
    test(`a large body of ${name} that cannot be mapped: ${seen[0]}`, async () => {
      const { status, body } = await put(`{${padding}`, headers)
      assert.deepEqual([status, body], seen)
    })

    test(`a body of unknown size of ${name} that cannot be mapped: ${seen[0]}`, async () => {
      const { status, body } = await put('{', { ...headers, 'transfer-encoding': 'chunked' })
      assert.deepEqual([status, body], seen)
    })
  }

  test('a large body is authenticated and authorized once', async () => {
    let asked = 0
    const registration = {
      authorize: () => {
        asked++
        return true as const
      },
    }
    const request = { payload: `{"name":"t1"${padding}}`, headers: { 'content-type': 'application/json' } }
    const { status } = await ask('PUT', '/domain/sports/thing/t1', request, { registration })
    assert.deepEqual([status, asked], [204, 1])
  })
  const bad = '{"name":"not a name"}'
  const cases: [name: string, payload: string, headers: Record<string, string>, url: string, expected: unknown][] = [
    ['no credentials', good, { 'x-user': '' }, '/domain/sports/thing/t1', failure(401, 'Invalid credentials')],
    ['broken body, no right', bad, eve, '/domain/sports/thing/t1', FORBIDDEN],
    ['broken name in the path, no right', good, eve, '/domain/sports/thing/t!1', FORBIDDEN],
    [
      'broken name in the path',
      good,
      {},
      '/domain/sports/thing/t!1',
      failure(400, 'Invalid EntityName error: not a valid EntityName'),
    ],
    ['broken name of the domain', good, {}, '/domain/d!m/thing/t1', failure(404, 'Domain not found')],
    ['domain that does not exist, broken body', bad, {}, '/domain/nosuch/thing/t1', failure(404, 'Domain not found')],
    [
      'path before body',
      bad,
      {},
      '/domain/sports/thing/t!1',
      failure(400, 'Invalid EntityName error: not a valid EntityName'),
    ],
    [
      'broken body',
      bad,
      {},
      '/domain/sports/thing/t1',
      failure(400, 'Invalid Thing error: name: not a valid SimpleName'),
    ],
    ['missing member', '{}', {}, '/domain/sports/thing/t1', failure(400, 'Invalid Thing error: name: missing')],
  ]
  for (const [name, payload, headers, url, expected] of cases) {
    test(name, async () => {
      assert.deepEqual((await put(payload, headers, url)).body, expected)
    })
  }

  test('the checks of the server come after authorization and before the rules of values', async () => {
    const seen: string[] = []
    const registration = {
      beforeHandler: async (endpoint: { operation: string }, context: { api: string; method: string }) => {
        seen.push(`${endpoint.operation} ${context.api} ${context.method}`)
        throw badRequest('read-only')
      },
    }
    const write = (user: object) =>
      ask(
        'PUT',
        '/domain/sports/thing/t1',
        { payload: bad, headers: { 'content-type': 'application/json', ...user } },
        { registration },
      )
    assert.deepEqual((await write(eve)).body, FORBIDDEN)
    assert.deepEqual((await write(admin)).body, failure(400, 'read-only'))
    assert.deepEqual(seen, ['putThing putthing PUT'])
  })

  test('the resource asked about is filled in and lower case', async () => {
    const asked: string[] = []
    const registration = {
      authorize: async (_principal: unknown, action: string, resource: string) => {
        asked.push(`${action} ${resource}`)
        return true as const
      },
    }
    await ask('DELETE', '/domain/Sports/thing/T%2Fx', {}, { registration })
    assert.deepEqual(asked, ['delete sports:thing.t/x'])
  })

  test('a restricted certificate is refused before its right is looked up', async () => {
    const restricted = { domain: 'user', fullName: 'user.admin', mtlsRestricted: true }
    const registration = {
      authenticator: { authenticate: async () => ({ principal: restricted as never, reasons: '' }) },
      authorize: () => assert.fail('asked'),
    }
    assert.deepEqual(
      (await ask('DELETE', '/domain/sports/thing/t1', {}, { registration })).body,
      failure(403, 'mTLS Restricted'),
    )
    assert.equal((await ask('GET', '/domain/sports', {}, { registration })).status, 200)
  })

  test('optional authentication lets nobody past a right', async () => {
    const registration = { authenticationOptional: () => true }
    const request = { headers: { 'x-user': '' } }
    assert.equal((await ask('GET', '/domain/sports', request, { registration })).status, 200)
    assert.deepEqual(
      (await ask('DELETE', '/domain/sports/thing/t1', request, { registration })).body,
      failure(401, 'Invalid credentials'),
    )
  })

  test('optional authentication is a matter of the path', async () => {
    const none = { headers: { 'x-user': '' } }
    assert.equal((await ask('GET', '/status?x=1', none)).status, 200)
    assert.equal((await ask('GET', '/domain/status', none)).status, 401)
  })

  test('anonymous operations ask nobody', async () => {
    const registration = { authenticator: { authenticate: () => assert.fail('asked') } }
    assert.equal((await ask('GET', '/open', {}, { registration })).status, 200)
  })

  test('an authorizer that fails is no decision', async () => {
    const registration = { authorize: () => Promise.reject(new Error('database lost')) }
    assert.equal((await ask('DELETE', '/domain/sports/thing/t1', {}, { registration })).status, 500)
  })

  test('an authenticator that fails is no decision', async () => {
    const registration = {
      authenticator: {
        authenticate: () => {
          throw new Error('out of order')
        },
      },
    }
    assert.equal((await ask('GET', '/domain/sports', {}, { registration })).status, 500)
  })
})

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

describe('what a handler is given', () => {
  test('its context', async () => {
    const seen: unknown[] = []
    const handlers = {
      getDomain: (_request: unknown, context: RequestContext) => {
        seen.push(
          context.api,
          context.method,
          context.principal?.fullName,
          context.header('X-Other'),
          context.secure,
          context.remoteAddress,
        )
        return ok({ name: 'x' })
      },
    }
    await ask('GET', '/domain/sports', { headers: { 'x-other': 'text' } }, { handlers })
    assert.deepEqual(seen, ['getdomain', 'GET', 'user.admin', 'text', false, '127.0.0.1'])
  })

  test('UTF-8 in headers', async () => {
    const seen: unknown[] = []
    const handlers = {
      putThing: ({ headers }: { headers: { auditRef?: string | undefined } }) => {
        seen.push(headers.auditRef)
        return { status: 204 }
      },
    }
    for (const text of ['größer', Buffer.from('größer').toString('latin1')]) {
      const request = { payload: '{"name":"t1"}', headers: { 'content-type': 'application/json', 'y-audit-ref': text } }
      await ask('PUT', '/domain/sports/thing/t1', request, { handlers })
    }
    assert.deepEqual(seen, ['größer', 'größer'])
  })
})
