import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { admin, ask, eve, FORBIDDEN, failure, INVALID, put } from './ask.ts'
import { fakeServer } from './support.ts'

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
