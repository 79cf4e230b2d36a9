import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { TestCa } from '../core/authority/support.ts'
import { serverCertificate } from '../core/http/support.ts'

/** A service over TLS that asks for client certificates; it answers with an empty list of keys. */
export interface TlsService {
  readonly url: string
  /** Common names of the client certificates of the requests so far. */
  readonly callers: readonly string[]
}

/** Starts one with a certificate of `ca`; it ends with the test. */
export async function startTlsService(ca: TestCa): Promise<TlsService> {
  const callers: string[] = []
  const { cert, key } = await serverCertificate(ca)
  const server = createServer(
    { cert, key, ca: ca.cert, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject ?? {}
      callers.push(String(CN))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}')
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, callers }
}
