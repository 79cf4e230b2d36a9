import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { noContent, ok } from '#core/http/endpoint.ts'
import type { HttpLimits } from '#core/http/limits.ts'
import { openLogger } from '#core/log/logger.ts'
import { type FakeOptions, startPlain } from './support.ts'

/** Sends bytes over a connection of its own; gives everything that comes back until the server ends it. */
async function exchangeBytes(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  for (const part of parts) socket.write(part)
  return receiveAll(socket)
}

async function receiveAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  await once(socket, 'close')
  return Buffer.concat(chunks).toString('latin1')
}

const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
const bodyOf = (text: string): unknown => JSON.parse(text.slice(text.lastIndexOf('\r\n\r\n') + 4))

const GET = 'GET /api/v1/open HTTP/1.1\r\nHost: localhost\r\n'
const PUT =
  'PUT /api/v1/domain/sports/thing/t1 HTTP/1.1\r\nHost: localhost\r\nx-user: user.admin\r\nContent-Type: application/json\r\n'
const END = 'Connection: close\r\n\r\n'
const getDomain = (name: string) => `GET /api/v1/domain/${name} HTTP/1.1\r\nHost: localhost\r\nx-user: a.b\r\n\r\n`

/** Limits that are reached at once. */
const SHORT: Partial<HttpLimits> = {
  headersTimeoutMillis: 100,
  requestTimeoutMillis: 200,
  idleTimeoutMillis: 150,
  checkIntervalMillis: 20,
}

async function answerTo(parts: (string | Buffer)[], options: FakeOptions = {}): Promise<string> {
  await using running = await startPlain(options)
  return await exchangeBytes(running.port, ...parts)
}

describe('requests that are none', () => {
  const broken: [name: string, text: string, status: number][] = [
    ['garbage', 'garbage\r\n\r\n', 400],
    ['the beginning of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01', 400],
    ['an unknown method', 'TRACK /api/v1/open HTTP/1.1\r\nHost: localhost\r\n\r\n', 405],
    ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', 405],
    ['another protocol', 'GET /api/v1/open HTTQ/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['no Host header', `GET /api/v1/open HTTP/1.1\r\n${END}`, 400],
    ['two Host headers', `${GET}hOST: localhost\r\n${END}`, 400],
    ['two different lengths', `${PUT}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`, 400],
    ['a length and chunks', `${PUT}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['an encoding that is not chunked last', `${PUT}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, 400],
    ['a space before the colon', `${GET}Content-Length : 5\r\n${END}`, 400],
    ['a bare line feed between headers', `${GET}A: b\nC: d\r\n${END}`, 400],
    ['a continued header line', `${GET}A: b\r\n c\r\n${END}`, 400],
    ['a carriage return in a value', `${GET}A: b\rc\r\n${END}`, 400],
    ['a NUL in a value', `${GET}A: b\0c\r\n${END}`, 400],
    ['a negative length', `${PUT}Content-Length: -1\r\n\r\n`, 400],
    ['a length that is no number', `${PUT}Content-Length: 0x10\r\n\r\n`, 400],
    ['a chunk size that is no number', `${PUT}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    ['chunk extensions without end', `${PUT}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(20_000)}`, 413],
    ['headers beyond the limit', `${GET}A: ${'a'.repeat(9000)}\r\n${END}`, 431],
    ['a target beyond the limit', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: localhost\r\n${END}`, 431],
    ['100,000 headers', `${GET}${'a:\r\n'.repeat(100_000)}${END}`, 431],
    ['more headers than allowed', `${GET}${'a:\r\n'.repeat(201)}${END}`, 431],
    ['two dots between paths', `GET /api/v1/domain/../open HTTP/1.1\r\nHost: localhost\r\n${END}`, 404],
    ['two dots for a name', `GET /api/v1/domain/.. HTTP/1.1\r\nHost: localhost\r\nx-user: a.b\r\n${END}`, 400],
    ['an unknown expectation', `${GET}Expect: the-impossible\r\n${END}`, 417],
  ]
  for (const [name, text, status] of broken) {
    test(`${name}: ${status}, once, in JSON, and the connection ends`, async () => {
      const answer = await answerTo([Buffer.from(text, 'latin1')])
      assert.deepEqual(statusesOf(answer), [status], answer.slice(0, 500))
      assert.equal((bodyOf(answer) as { code: number }).code, status)
      assert.match(answer, /content-type: application\/json\r\n/i)
    })
  }

  test('what comes after a broken request is not read as another', async () => {
    const answer = await answerTo([`${PUT}Content-Length : 5\r\n\r\n`, GET, END])
    assert.deepEqual(statusesOf(answer), [400])
  })

  test('the rest of a body that was refused is no request, however broken', async () => {
    const refused = PUT.replace('application/json', 'text/plain')
    const answer = await answerTo([`${refused}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`, 'zz\r\n', GET, END])
    assert.deepEqual(statusesOf(answer), [415])
  })

  test('a broken request after a good one is answered for itself', async () => {
    assert.deepEqual(statusesOf(await answerTo([`${GET}\r\n`, 'garbage\r\n\r\n'])), [200, 400])
  })

  test('what follows a request that waits for its answer is not mixed with it', async () => {
    const handlers = { getOpen: () => new Promise<never>(() => {}) }
    const options = { handlers, shutdownTimeoutMillis: 10 }
    assert.equal(await answerTo([`${GET}\r\n`, 'garbage\r\n\r\n'], options), '')
  })

  test('a method that HTTP knows and nobody serves: 405 with the methods that are allowed', async () => {
    const answer = await answerTo([`PROPFIND /api/v1/open HTTP/1.1\r\nHost: localhost\r\n${END}`])
    assert.deepEqual(statusesOf(answer), [405])
    assert.match(answer, /allow: GET,OPTIONS\r\n/)
  })

  test('headers that only a proxy may set are not believed from a stranger, nor are certificates in headers', async () => {
    const forged = `${GET.replace('/open', '/domain/x')}X-Forwarded-Client-Cert: CN=user.admin\r\nX-SSL-Client-Cert: x\r\n${END}`
    assert.deepEqual(statusesOf(await answerTo([forged])), [401])
  })
})

describe('requests a server must understand', () => {
  test('pipelined requests are answered in order', async () => {
    const answer = await answerTo([`${GET}\r\n`.repeat(3), GET, END])
    assert.deepEqual(statusesOf(answer), [200, 200, 200, 200])
  })

  test('a body in chunks, and one that comes letter by letter', async () => {
    await using running = await startPlain()
    const chunks = `${PUT}${END.replace('\r\n\r\n', '')}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"nam\r\n8\r\ne":"t1"}\r\n0\r\n\r\n`
    assert.deepEqual(statusesOf(await exchangeBytes(running.port, chunks)), [204])
    const slow = connect({ port: running.port, host: '127.0.0.1', noDelay: true })
    const received = receiveAll(slow)
    for (const letter of `${PUT}Content-Length: 13\r\n${END}{"name":"t1"}`) {
      await new Promise((resolve) => slow.write(letter, resolve))
    }
    assert.deepEqual(statusesOf(await received), [204])
  })

  test('a client that waits for 100 Continue', async () => {
    const answer = await answerTo([`${PUT}Expect: 100-continue\r\nContent-Length: 13\r\n${END}{"name":"t1"}`])
    assert.deepEqual(statusesOf(answer), [100, 204])
  })

  test('an absolute target', async () => {
    const answer = await answerTo([`GET http://localhost/api/v1/open HTTP/1.1\r\nHost: localhost\r\n${END}`])
    assert.deepEqual(statusesOf(answer), [200])
  })

  test('HTTP/1.0 without Host', async () => {
    const answer = await answerTo(['GET /api/v1/open HTTP/1.0\r\n\r\n'])
    assert.deepEqual(statusesOf(answer), [200])
  })

  test('an empty user agent', async () => {
    assert.deepEqual(statusesOf(await answerTo([`${GET}User-Agent:\r\n${END}`])), [200])
  })

  test('an answer that refuses a body leaves the connection usable', async () => {
    const wrong = PUT.replace('application/json', 'text/plain')
    const answer = await answerTo([`${wrong}Content-Length: 13\r\n\r\n{"name":"t1"}`, GET, END])
    assert.deepEqual(statusesOf(answer), [415, 200])
  })

  test('a body that is announced beyond the limit is refused before it comes', async () => {
    const answer = await answerTo([`${PUT}Content-Length: 2000\r\n${END}`], { limits: { bodyBytes: 1000 } })
    assert.deepEqual(statusesOf(answer), [413])
  })

  test('a large body of somebody unknown is refused before it comes', async () => {
    const stranger = PUT.replace(/x-user: .*\r\n/, '')
    assert.deepEqual(
      statusesOf(await answerTo([`${stranger}Content-Length: 10000000\r\n\r\n`], { limits: SHORT })),
      [401],
    )
  })

  test('a body that breaks off or goes wrong is no failure of the server', async () => {
    const messages: string[] = []
    const log = openLogger({ sink: { write: (line) => messages.push(JSON.parse(line).msg) } })
    await answerTo([`${PUT}Transfer-Encoding: chunked\r\n\r\n5\r\n{"nam\r\nFFFFFFFFFFFFFFFFF\r\n`], { log })
    await answerTo([`${PUT}Content-Length: 13\r\n\r\n{"na`], { log, limits: SHORT })
    assert.deepEqual(messages, ['malformed request', 'malformed request'])
  })

  test('a body in chunks is refused as soon as it passes the limit', async () => {
    const chunk = `3e8\r\n${'a'.repeat(1000)}\r\n`
    const answer = await answerTo([`${PUT}Transfer-Encoding: chunked\r\n${END}`, chunk, chunk], {
      limits: { bodyBytes: 1500 },
    })
    assert.deepEqual(statusesOf(answer), [413])
  })

  const typed = 'HTTP/1.1\r\nHost: localhost\r\nx-user: user.admin\r\nContent-Type: application/json\r\n\r\n'
  const bodiless: [what: string, start: string, status: number][] = [
    ['an operation that needs one', 'PUT /api/v1/domain/sports/thing/t1', 400],
    ['the same at an encoded path', 'PUT /api/v1/domain/sports/thing/%741', 400],
    ['an operation without one', 'DELETE /api/v1/domain/sports', 204],
    ['the same at an encoded path', 'DELETE /api/v1/domain/%73ports', 204],
    ['the same with a slash at the end', 'DELETE /api/v1/domain/sports/', 204],
    ['no operation', 'POST /api/v1/nothing', 404],
    ['an operation of another method', 'POST /api/v1/open', 405],
  ]
  for (const [what, start, status] of bodiless) {
    test(`a type but no body for ${what}, ${start}`, async () => {
      const answer = await answerTo([`${start} ${typed}`, GET, END])
      assert.deepEqual(statusesOf(answer), [status, 200])
    })
  }

  test('an answer says how long its connection may be idle, a second less than it is true', async () => {
    const answer = await answerTo([`${GET}\r\n`, GET, END], { limits: { idleTimeoutMillis: 20_000 } })
    assert.deepEqual(answer.match(/keep-alive: .*\r\n/gi), ['keep-alive: timeout=19\r\n'])
  })

  test('without keep-alive every answer ends its connection', async () => {
    const answer = await answerTo([`${GET}\r\n`], { keepAlive: false })
    assert.deepEqual(statusesOf(answer), [200])
    assert.match(answer, /connection: close\r\n/)
  })
})

describe('time limits', () => {
  test('headers that do not come to an end: 408', async () => {
    assert.deepEqual(statusesOf(await answerTo([GET], { limits: SHORT })), [408])
  })

  test('a body that does not come to an end: 408', async () => {
    assert.deepEqual(statusesOf(await answerTo([`${PUT}Content-Length: 13\r\n\r\n{"na`], { limits: SHORT })), [408])
  })

  test('a body that comes too slowly: 408, although there is always traffic', async () => {
    await using running = await startPlain({ limits: { ...SHORT, idleTimeoutMillis: 1000 } })
    const socket = connect({ port: running.port, host: '127.0.0.1', noDelay: true })
    socket.write(`${PUT}Content-Length: 1000000\r\n\r\n`)
    const drip = setInterval(() => socket.write('a'), 10)
    const answer = await receiveAll(socket)
    clearInterval(drip)
    assert.deepEqual(statusesOf(answer), [408])
  })

  test('a connection without requests ends without an answer', async () => {
    assert.deepEqual(statusesOf(await answerTo([`${GET}\r\n`], { limits: SHORT })), [200])
  })

  test('a request that waits for its handler may take longer than the idle time', async () => {
    const handlers = {
      getOpen: () => new Promise<never>((resolve) => setTimeout(() => resolve(ok({ code: 200 }) as never), 500)),
    }
    assert.deepEqual(statusesOf(await answerTo([`${GET}${END}`], { limits: SHORT, handlers })), [200])
  })

  test('a client that does not read its answer is cut off', { timeout: 20_000 }, async () => {
    const asked = Promise.withResolvers<void>()
    const handlers = {
      getOpen: () => {
        asked.resolve()
        return ok('x'.repeat(50_000_000))
      },
    }
    await using running = await startPlain({ limits: SHORT, handlers, shutdownTimeoutMillis: 3_600_000 })
    const socket = connect({ port: running.port, host: '127.0.0.1' })
    socket.pause()
    socket.write(`${GET}\r\n`)
    await asked.promise
    // Stopping waits for open connections: that it ends shows that this one was cut.
    await running.server.close()
    socket.destroy()
  })
})

describe('the context of a request', () => {
  test('is aborted when the client goes away', async () => {
    const aborted = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const handlers = {
      getOpen: (_request: unknown, { signal }: { signal?: AbortSignal }) => {
        signal?.addEventListener('abort', () => aborted.resolve())
        started.resolve()
        return new Promise<never>(() => {})
      },
    }
    await using running = await startPlain({ handlers, shutdownTimeoutMillis: 10 })
    const socket = connect({ port: running.port, host: '127.0.0.1' })
    socket.write(`${GET}\r\n`)
    await started.promise
    socket.destroy()
    await aborted.promise
  })

  test('names the port, and is not aborted by an answer', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const ports: (number | undefined)[] = []
    const handlers = {
      getOpen: (_request: unknown, context: { signal?: AbortSignal; localPort?: number }) => {
        signals.push(context.signal)
        ports.push(context.localPort)
        return ok({ code: 200 })
      },
    }
    await using running = await startPlain({ handlers })
    await exchangeBytes(running.port, `${GET}${END}`)
    assert.deepEqual([signals[0]?.aborted, ports], [false, [running.port]])
  })
})

describe('stopping', () => {
  test('answers what is in flight, and ends every connection', async () => {
    const release = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    let count = 0
    const handlers = {
      deleteDomain: async () => {
        if (++count === 20) started.resolve()
        await release.promise
        return noContent
      },
    }
    const running = await startPlain({ handlers })
    const agent = new Agent({ keepAlive: true })
    const send = (method: string, path: string) =>
      new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
        const sent = request({
          port: running.port,
          host: '127.0.0.1',
          method,
          path,
          agent,
          headers: { 'x-user': 'a.b' },
        })
        sent.on('response', (response) => {
          response.resume().on('end', () => resolve([response.statusCode, response.headers.connection]))
        })
        sent.on('error', reject)
        sent.end()
      })
    // Connections that are kept and idle when the server stops.
    await Promise.all([send('GET', '/api/v1/open'), send('GET', '/api/v1/open')])
    const answers = Array.from({ length: 20 }, () => send('DELETE', '/api/v1/domain/sports'))
    await started.promise
    const closed = running.server.close()
    await assert.rejects(send('GET', '/api/v1/open'), /ECONNREFUSED|ECONNRESET|socket hang up/)
    release.resolve()
    assert.deepEqual(
      await Promise.all(answers),
      Array.from({ length: 20 }, () => [204, 'close']),
    )
    await closed
    agent.destroy()
  })

  test('answers all pipelined requests that have begun, and the last one says that it is', async () => {
    const [release, started] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let begun = 0
    const handlers = {
      getDomain: async ({ params }: { params: { domainName: string } }) => {
        if (++begun === 3) started.resolve()
        // The first one is the slowest.
        if (params.domainName === 'a') await release.promise
        return ok({ name: params.domainName })
      },
    }
    const running = await startPlain({ handlers })
    const socket = connect(running.port, '127.0.0.1')
    let answers = ''
    socket.setEncoding('utf8').on('data', (text: string) => (answers += text))
    const ended = once(socket, 'close')
    socket.write(getDomain('a') + getDomain('b') + getDomain('c'))
    await started.promise
    const closed = running.server.close()
    release.resolve()
    await Promise.all([closed, ended])
    assert.deepEqual(answers.match(/"name":"."/g), ['"name":"a"', '"name":"b"', '"name":"c"'])
  })

  test('does not begin what comes behind the announced end of a connection', async () => {
    const begun: string[] = []
    const handlers = {
      getDomain: ({ params }: { params: { domainName: string } }) => {
        begun.push(params.domainName)
        return ok({ name: params.domainName })
      },
    }
    await using running = await startPlain({ handlers, keepAlive: false })
    const answer = await exchangeBytes(running.port, getDomain('a') + getDomain('b') + getDomain('c'))
    assert.deepEqual(answer.match(/"name":"."/g), ['"name":"a"'])
    assert.match(answer, /\r\nconnection: close\r\n/i)
    assert.deepEqual(begun, ['a'])
  })

  /** Answers on a connection that has had one, is idle when the server is closed, and sends its next request then. */
  const answersAround = async (idleLingerMillis: number, afterwards = () => {}): Promise<string> => {
    const running = await startPlain({ limits: { idleLingerMillis } })
    const socket = connect(running.port, '127.0.0.1')
    let answers = ''
    socket.setEncoding('utf8').on('data', (text: string) => (answers += text))
    const ended = once(socket, 'close')
    socket.write(`${GET}\r\n`)
    await once(socket, 'data')
    assert.doesNotMatch(answers, /connection: close/i)
    const closed = running.server.close()
    socket.write(`${GET}\r\n`)
    afterwards()
    await Promise.all([closed, ended])
    return answers
  }

  test('serves what is on its way on idle connections for a while', async () => {
    const answers = await answersAround(10_000)
    assert.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 2)
    assert.match(answers, /connection: close/i)
  })

  test('serves what has come on idle connections before their time is over, though nobody had time to read it', async () => {
    // The event loop has something else to do until then.
    const busy = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40)
    const answers = await answersAround(20, busy)
    assert.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 2)
    assert.match(answers, /connection: close/i)
  })

  test('tells requests that wait to come to an end', async () => {
    const started = Promise.withResolvers<void>()
    const handlers = {
      getOpen: (_request: unknown, { signal }: { signal?: AbortSignal }) =>
        new Promise<never>((resolve) => {
          signal?.addEventListener('abort', () => resolve(ok({ code: 304 }) as never))
          started.resolve()
        }),
    }
    const running = await startPlain({ handlers })
    const answer = exchangeBytes(running.port, `${GET}\r\n`)
    await started.promise
    await running.server.close()
    assert.deepEqual(bodyOf(await answer), { code: 304 })
  })

  test('cuts off what does not end in time', async () => {
    const started = Promise.withResolvers<void>()
    const handlers = {
      getOpen: () => {
        started.resolve()
        return new Promise<never>(() => {})
      },
    }
    const running = await startPlain({ handlers, shutdownTimeoutMillis: 20 })
    const answer = exchangeBytes(running.port, `${GET}\r\n`)
    await started.promise
    await running.server.close()
    assert.equal(await answer, '')
  })

  test('a port that is taken is an error, and the others are closed again', async () => {
    await using running = await startPlain()
    const { HttpServer } = await import('#core/http/server.ts')
    const { silentLogger } = await import('#core/log/logger.ts')
    const port = (number: number) => ({ port: number, host: '127.0.0.1' })
    const second = new HttpServer({ log: silentLogger(), ports: [port(0), port(running.port)] })
    await assert.rejects(second.listen(), { code: 'EADDRINUSE' })
  })
})

describe('ports', () => {
  test('a port may serve some requests only', async () => {
    const { HttpServer } = await import('#core/http/server.ts')
    const { registerEndpoints } = await import('#core/http/register.ts')
    const { silentLogger } = await import('#core/log/logger.ts')
    const { fakeRegistration } = await import('./support.ts')
    const serves = (method: string, path: string) => method === 'GET' && path === '/api/v1/status'
    const server = new HttpServer({ log: silentLogger(), ports: [{ port: 0, host: '127.0.0.1', serves }] })
    registerEndpoints(server, fakeRegistration({}))
    const [address] = await server.listen()
    const ask = async (target: string) =>
      bodyOf(await exchangeBytes(address?.port ?? 0, GET.replace('/api/v1/open', target), END))
    assert.deepEqual(await ask('/api/v1/status?x=1'), { code: 200, message: 'OK' })
    assert.deepEqual(await ask('/api/v1/open'), { code: 404, message: 'Endpoint not available on this port' })
    await server.close()
  })
})
