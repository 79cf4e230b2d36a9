import { createHmac, type KeyObject, type X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Signer } from '#core/crypto/signing.ts'
import { signJwt } from '#core/token/json-web-token.ts'
import { NOW_SECONDS, requestOf, TestCa, tlsSocketOf } from './support.ts'

/** Claims that change others; `undefined` takes one away. */
export type ClaimChanges = Readonly<Record<string, unknown>>

/** A token that a key signs, issued a minute ago for an hour. */
export async function tokenOf(signer: Signer, claims: ClaimChanges, typ?: string): Promise<string> {
  const times = { iat: NOW_SECONDS - 60, exp: NOW_SECONDS + 3600 }
  return signJwt(signer, { ...times, ...claims }, typ === undefined ? {} : { typ })
}

/** A token that a shared secret signs. */
export function secretTokenOf(secret: string, claims: ClaimChanges, alg = 'HS256'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg })}.${part({ iat: NOW_SECONDS - 60, exp: NOW_SECONDS + 3600, ...claims })}`
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`
}

/** A token whose signature was changed. */
export function damaged(token: string): string {
  const [head, body, signature = ''] = token.split('.')
  return `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
}

/** A request with a token from a client that has shown a certificate, or none. */
export const bearerRequest = (token: string, certificate?: X509Certificate, authorized = true): IncomingMessage =>
  requestOf({
    rawHeaders: ['Authorization', `Bearer ${token}`],
    ...(certificate && { socket: tlsSocketOf(certificate, authorized) }),
  })

/** An identity provider with TLS on this machine. */
export interface TestProvider {
  /** Without a final slash. */
  readonly issuer: string
  /** The authority of its certificate, PEM. */
  readonly caFile: string
  /** What it serves, by path; all else it does not know. */
  readonly documents: Map<string, object>
  readonly close: () => void
}

/** Starts a provider that publishes a key; `folder` is for its certificate. */
export async function startProvider(folder: string, key: KeyObject, kid: string): Promise<TestProvider> {
  const ca = await TestCa.create()
  const certificate = await ca.issue({
    subject: [{ type: 'CN', value: 'provider' }],
    names: [{ type: 'dns', value: 'localhost' }],
  })
  const caFile = join(folder, 'provider-ca.pem')
  writeFileSync(caFile, ca.cert)
  const documents = new Map<string, object>()
  const server = createServer({ cert: certificate.cert, key: certificate.key }, ({ url = '' }, response) => {
    const document = documents.get(url)
    response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`
  documents.set('/.well-known/openid-configuration', { issuer, jwks_uri: `${issuer}/keys` })
  documents.set('/keys', { keys: [{ ...key.export({ format: 'jwk' }), kid, use: 'sig' }] })
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { issuer, caFile, documents, close }
}
