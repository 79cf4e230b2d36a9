import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { badRequest, notFound } from '#core/error/service-error.ts'
import { ok, type RequestContext } from '#core/http/endpoint.ts'
import { admin, ask, eve, FORBIDDEN, failure, INVALID, put } from './ask.ts'

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
    const { headers, body } = await ask('DELETE', '/domain/sports/thing/t1', request, { registration })
    assert.deepEqual(body, failure(401, 'Invalid credentials'))
    assert.ok(headers['www-authenticate'])
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
