import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import { ok } from '#core/http/endpoint.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startPlain, startTls, testPki } from './support.ts'

/** Less than any time limit of a connection. */
const SOON_MILLIS = 5_000
const limits = { idleLingerMillis: 20 }

describe('a connection that never sent anything does not hold up the end of a server', () => {
  test('on a plain port', { timeout: SOON_MILLIS }, async () => {
    const running = await startPlain({ limits })
    const socket = connect(running.port, '127.0.0.1').resume()
    await once(socket, 'connect')
    await Promise.all([running.server.close(), once(socket, 'close')])
  })

  test('before its TLS handshake', { timeout: SOON_MILLIS }, async () => {
    const running = await startTls(await testPki(temporaryFolder()), { limits })
    const socket = connect(running.port, '127.0.0.1').resume()
    await once(socket, 'connect')
    await Promise.all([running.server.close(), once(socket, 'close')])
    running.source.close()
  })

  test('after its TLS handshake', { timeout: SOON_MILLIS }, async () => {
    const pki = await testPki(temporaryFolder())
    const running = await startTls(pki, { limits })
    const socket = tls.connect({ port: running.port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca.cert })
    await once(socket.resume(), 'secureConnect')
    await Promise.all([running.server.close(), once(socket, 'close')])
    running.source.close()
  })

  test('before its TLS handshake, when the time for all is over', { timeout: SOON_MILLIS }, async () => {
    const pki = await testPki(temporaryFolder())
    const running = await startTls(pki, { limits: { idleLingerMillis: 60_000 }, shutdownTimeoutMillis: 20 })
    const socket = connect(running.port, '127.0.0.1').resume()
    await once(socket, 'connect')
    await Promise.all([running.server.close(), once(socket, 'close')])
    running.source.close()
  })

  test('and is served when its first request is on its way, also on TLS', { timeout: SOON_MILLIS }, async () => {
    const pki = await testPki(temporaryFolder())
    const running = await startTls(pki, { limits: { idleLingerMillis: 1_000 } })
    const socket = tls.connect({ port: running.port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca.cert })
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
    const ended = once(socket, 'close')
    await once(socket, 'secureConnect')
    const closed = running.server.close()
    socket.write('GET /api/v1/open HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await Promise.all([closed, ended])
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.match(answer, /\r\nconnection: close\r\n/i)
    running.source.close()
  })

  test('while others still wait for their answers', { timeout: SOON_MILLIS }, async () => {
    const started = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const pki = await testPki(temporaryFolder())
    const handlers = {
      getOpen: async () => {
        started.resolve()
        await release.promise
        return ok({ code: 200 }) as never
      },
    }
    const running = await startTls(pki, { limits, handlers })
    const options = { port: running.port, host: '127.0.0.1', servername: 'localhost', ca: pki.ca.cert }
    const asking = tls.connect(options)
    let answer = ''
    asking.setEncoding('utf8').on('data', (text: string) => (answer += text))
    asking.write('GET /api/v1/open HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await started.promise
    const silent = connect(running.port, '127.0.0.1').resume()
    await once(silent, 'connect')
    const [closed, ended] = [running.server.close(), once(asking, 'close')]
    await once(silent, 'close')
    assert.equal(answer, '')
    release.resolve()
    await Promise.all([closed, ended])
    assert.match(answer, /^HTTP\/1\.1 200 /)
    running.source.close()
  })
})
