import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AthenzClientError, tokenIdentity, type ZmsClient as Zms, ZmsClient, ZtsClient } from '#client/index.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import { ztsEndpoints } from '#zts/api/index.ts'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { failedWith } from '../support/client-failure.ts'
import { type FakeAnswer, jsonAnswer, startFakeService } from '../support/fake-service.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Pauses that take no time, in order. */
function noted() {
  const pauses: number[] = []
  const pause = async (millis: number) => void pauses.push(millis)
  return { pauses, seams: { pause, random: () => 0.5 } }
}

const ROLE = { name: 'sports:role.readers', modified: '2026-01-02T03:04:05.000Z' }

describe('a request', () => {
  const sentBy = async (call: (zms: Zms) => Promise<unknown>, answer: FakeAnswer = jsonAnswer(ROLE)) => {
    const service = await startFakeService(answer)
    await using zms = new ZmsClient({ url: service.url, identity: tokenIdentity('v=S1', { name: 'sports.api' }) })
    const result = await call(zms)
    const [seen] = service.seen
    assert.ok(seen)
    return { ...seen, result }
  }

  test('names the operation by method and path, with parameters encoded', async () => {
    const { method, target, result } = await sentBy((zms) =>
      zms.call('getRole', { domainName: 'sports', roleName: 'a b/c:d', auditLog: true, expand: false }),
    )
    assert.equal(method, 'GET')
    assert.equal(target, '/zms/v1/domain/sports/role/a%20b%2Fc%3Ad?auditLog=true')
    assert.deepEqual(result, ROLE)
  })

  test('carries who calls, an id, and headers of the operation in UTF-8', async () => {
    const { headers } = await sentBy(
      (zms) => zms.call('putRole', { domainName: 'sports', roleName: 'r', auditRef: 'größe', body: { name: 'r' } }, {}),
      (response) => response.writeHead(204).end(),
    )
    assert.equal(headers['athenz-principal-auth'], 'v=S1')
    assert.match(headers['x-request-id'] as string, /^[0-9a-f-]{36}$/)
    assert.equal(Buffer.from(headers['y-audit-ref'] as string, 'latin1').toString(), 'größe')
    assert.equal(headers['content-type'], 'application/json')
  })

  test('writes dates and maps as the API has them', async () => {
    const expiration = Date.UTC(2026, 0, 1)
    const { body, result } = await sentBy(
      (zms) =>
        zms.call('putRole', {
          domainName: 'sports',
          roleName: 'r',
          body: {
            name: 'r',
            roleMembers: [
              { memberName: 'user.joe', expiration },
              { memberName: 'user.jane', expiration: new Date(expiration) },
            ],
            tags: new Map([['__proto__', { list: ['a'] }]]),
          },
        }),
      (response) => response.writeHead(204).end(),
    )
    const text = '2026-01-01T00:00:00.000Z'
    assert.equal(result, undefined)
    assert.equal(
      body,
      JSON.stringify({
        name: 'r',
        roleMembers: [
          { memberName: 'user.joe', expiration: text },
          { memberName: 'user.jane', expiration: text },
        ],
      }).slice(0, -1) + ',"tags":{"__proto__":{"list":["a"]}}}',
    )
  })

  test('is refused before it is sent when a part of the path is missing or a step in it', async () => {
    await using zms = new ZmsClient({ url: 'https://127.0.0.1:1' })
    for (const roleName of ['', '.', '..']) {
      await assert.rejects(
        zms.call('getRole', { domainName: 'sports', roleName }),
        failedWith({ kind: 'invalid-request', code: 400 }),
      )
    }
    // @ts-expect-error -- the name of the role is missing
    const nameless = zms.call('getRole', { domainName: 'sports' })
    await assert.rejects(nameless, failedWith({ message: 'getRole needs roleName' }))
  })

  test('goes below the path of the API, whether the URL has it or not', async () => {
    for (const suffix of ['', '/', '/zts/v1', '/zts/v1/', '/behind/proxy']) {
      const service = await startFakeService(jsonAnswer({ keys: [] }))
      await using zts = new ZtsClient({ url: service.url + suffix })
      await zts.call('getJWKList', { rfc: true })
      assert.equal(service.seen[0]?.target, `${suffix === '/behind/proxy' ? suffix : ''}/zts/v1/oauth2/keys?rfc=true`)
    }
  })

  test('goes to the server of athenz.conf when no URL is given, also when the file comes later', async () => {
    const service = await startFakeService(jsonAnswer({ keys: [] }))
    const athenzConf = join(temporaryFolder(), 'athenz.conf')
    await using zts = new ZtsClient({ athenzConf })
    await assert.rejects(zts.call('getJWKList'), (error: Error) => {
      failedWith({ kind: 'invalid-request' })(error)
      assert.ok(error.message.includes(athenzConf))
      return true
    })
    await writeFile(athenzConf, JSON.stringify({ zmsUrl: 'https://zms', ztsUrl: `${service.url}/` }))
    await zts.call('getJWKList')
    assert.equal(service.seen[0]?.target, '/zts/v1/oauth2/keys')
    await writeFile(athenzConf, JSON.stringify({ zmsUrl: 'https://zms' }))
    await using other = new ZtsClient({ athenzConf })
    await assert.rejects(
      other.call('getJWKList'),
      failedWith({ message: `no URL is given, and ${athenzConf} has no ztsUrl` }),
    )
  })

  test('an address that is no URL of a server is refused at once', () => {
    assert.throws(() => new ZtsClient({ url: 'zts.example:8443' }), failedWith({ kind: 'invalid-request' }))
  })

  test('no operation has two parameters of one name', () => {
    for (const { operation, params, query, headers, body } of Object.values({ ...zmsEndpoints, ...ztsEndpoints })) {
      const names = [...Object.keys(params), ...Object.keys(query), ...Object.keys(headers), ...(body ? ['body'] : [])]
      assert.deepEqual(names, [...new Set(names)], operation)
    }
  })
})

describe('an answer', () => {
  const asked = async (answer: FakeAnswer, options: object = {}) => {
    const service = await startFakeService(answer)
    const { pauses, seams } = noted()
    await using zms = new ZmsClient({ url: service.url, seams, ...options })
    const outcome = await zms.call('getRole', { domainName: 'sports', roleName: 'r' }).catch((error: unknown) => error)
    return {
      outcome,
      tries: service.seen.length,
      pauses,
      ids: service.seen.map(({ headers }) => headers['x-request-id']),
    }
  }

  test('keeps members that this version does not know', async () => {
    const { outcome } = await asked(jsonAnswer({ ...ROLE, fromTheFuture: 1 }))
    assert.deepEqual(outcome, { ...ROLE, fromTheFuture: 1 })
  })

  test('with an error gives code, message, status and the id that was sent', async () => {
    const { outcome, ids, tries } = await asked(jsonAnswer({ code: 404, message: 'unknown role' }, 404))
    failedWith({
      name: 'AthenzClientError',
      kind: 'status',
      code: 404,
      status: 404,
      message: 'unknown role',
      operation: 'getRole',
      requestId: ids[0],
    })(outcome)
    assert.equal(tries, 1)
  })

  test('with an error in another form still says what it was', async () => {
    const { outcome } = await asked((response) => response.writeHead(403).end('<html>'))
    failedWith({ code: 403, status: 403, message: 'getRole was answered with status 403' })(outcome)
  })

  for (const [what, answer] of [
    ['no JSON', (response) => response.end('{')],
    ['another type', jsonAnswer([])],
    ['a missing member', jsonAnswer({ modified: ROLE.modified })],
  ] as const satisfies readonly (readonly [string, FakeAnswer])[]) {
    test(`with ${what} is no answer`, async () => {
      failedWith({ kind: 'invalid-reply', code: 400, status: undefined })((await asked(answer)).outcome)
    })
  }

  test('that is too long is not read', async () => {
    failedWith({ kind: 'invalid-reply' })((await asked(jsonAnswer(ROLE), { replyMaxBytes: 10 })).outcome)
  })

  test('of a passing failure is asked for again, each time after a longer pause', async () => {
    const { outcome, tries, pauses } = await asked((response, request, count) =>
      count < 3 ? response.writeHead(503).end() : jsonAnswer(ROLE)(response, request, count),
    )
    assert.deepEqual(outcome, ROLE)
    assert.deepEqual([tries, pauses], [3, [100, 200]])
  })

  test('that names a time is asked for again after it, unless it is long', async () => {
    const after = (seconds: number) =>
      asked((response) => response.writeHead(429, { 'retry-after': String(seconds) }).end())
    const [soon, late] = [await after(7), await after(60)]
    assert.deepEqual(soon.pauses, [7000, 7000])
    assert.deepEqual(late.pauses, [])
    failedWith({ status: 429, retryAfterSeconds: 60 })(late.outcome)
  })

  test('that does not come in time ends the call', async () => {
    const { outcome } = await asked(() => {}, { readTimeoutMillis: 50, retries: 0 })
    failedWith({ kind: 'timeout', code: 400, status: undefined })(outcome)
  })

  test('that drips is not waited for longer than one that does not come', async () => {
    const timers: NodeJS.Timeout[] = []
    const { outcome } = await asked(
      (response) => {
        response.writeHead(200)
        timers.push(setInterval(() => response.write(' '), 5))
      },
      { readTimeoutMillis: 60 },
    )
    for (const timer of timers) clearInterval(timer)
    failedWith({ kind: 'timeout' })(outcome)
  })
})

describe('a change', () => {
  const deleted = async (answer: FakeAnswer) => {
    const service = await startFakeService(answer)
    await using zms = new ZmsClient({ url: service.url, ...noted() })
    const outcome = await zms
      .call('deleteRole', { domainName: 'sports', roleName: 'r' })
      .catch((error: unknown) => error)
    return { outcome, tries: service.seen.length }
  }

  test('is not repeated when the server may have made it', async () => {
    for (const answer of [
      (response) => response.writeHead(503).end(),
      (response) => response.destroy(),
    ] satisfies FakeAnswer[]) {
      const { outcome, tries } = await deleted(answer)
      assert.ok(outcome instanceof AthenzClientError)
      assert.equal(tries, 1)
    }
  })

  test('is repeated when the server had too many requests', async () => {
    const { outcome, tries } = await deleted((response, _, count) => response.writeHead(count === 1 ? 429 : 204).end())
    assert.deepEqual([outcome, tries], [undefined, 2])
  })
})

describe('a call', () => {
  test('that cannot reach a server says so after its tries', async () => {
    const service = await startFakeService(jsonAnswer(ROLE))
    service.close()
    const { pauses, seams } = noted()
    await using zms = new ZmsClient({ url: service.url, seams })
    await assert.rejects(
      zms.call('getStatus'),
      failedWith({ kind: 'unreachable', code: 400, status: undefined, operation: 'getStatus' }),
    )
    assert.equal(pauses.length, 2)
  })

  test('ends with the reason of its signal, also while it pauses', async () => {
    const service = await startFakeService(() => controller.abort(reason))
    const controller = new AbortController()
    const reason = new Error('enough')
    await using zms = new ZmsClient({ url: service.url })
    await assert.rejects(zms.call('getStatus', {}, { signal: controller.signal }), reason)
    assert.equal(service.seen.length, 1)

    service.answer = (response) => response.writeHead(503).end()
    const pausing = new AbortController()
    const pause = async () => pausing.abort(reason)
    await using patient = new ZmsClient({ url: service.url, seams: { pause } })
    await assert.rejects(patient.call('getStatus', {}, { signal: pausing.signal }), reason)
    assert.equal(service.seen.length, 2)
  })

  test('that has ended leaves nothing behind that keeps the process alive', async () => {
    const service = await startFakeService(jsonAnswer({ token: 't', expiryTime: 4_000_000_000 }))
    const program = `import { tokenIdentity, ZtsClient } from '#client/index.ts'
const identity = tokenIdentity('t', { name: 'sports.api' })
console.log((await new ZtsClient({ url: '${service.url}', identity }).getRoleToken('weather')).token)
const ended = performance.now()
// Connections are kept for four seconds, tokens are looked at once a minute.
process.once('exit', () => console.log(performance.now() - ended < 3000))`
    const { status, stdout } = await runProgram(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: PROJECT_FOLDER,
    })
    assert.deepEqual([status, stdout], [0, 't\ntrue\n'])
  })

  test('keeps the process alive while it pauses', async () => {
    const program = `import { ZmsClient } from '#client/index.ts'
await new ZmsClient({ url: 'http://127.0.0.1:1', retryDelayMillis: 20 }).call('getStatus').catch(({ kind }) => console.log(kind))`
    const { status, stdout } = await runProgram(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: PROJECT_FOLDER,
    })
    assert.deepEqual([status, stdout], [0, 'unreachable\n'])
  })

  test('gives headers to those who ask for them', async () => {
    const service = await startFakeService((response) => response.writeHead(304, { etag: '"1"' }).end())
    await using zts = new ZtsClient({ url: service.url })
    const reply = await zts.exchange('getDomainSignedPolicyData', { domainName: 'sports', matchingTag: '"1"' })
    assert.deepEqual([reply.status, reply.body, reply.headers['etag']], [304, undefined, '"1"'])
    assert.equal(service.seen[0]?.headers['if-none-match'], '"1"')
  })

  test('of a closed client is refused', async () => {
    const zms = new ZmsClient({ url: 'http://127.0.0.1:1' })
    await zms.close()
    await assert.rejects(
      zms.call('getStatus'),
      failedWith({ kind: 'invalid-request', message: 'the client is closed' }),
    )
  })
})
