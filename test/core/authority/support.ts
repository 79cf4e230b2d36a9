import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { AuthorityContext } from '#core/authority/authority.ts'
import type { PeerCertificateChain } from '#core/authority/peer-certificate.ts'
import { buildCertificate, type CertificateIssuer, issuerOf, selfIssuer } from '#core/crypto/certificate.ts'
import type { AlternativeName, DistinguishedName } from '#core/crypto/certificate-name.ts'
import { createSigner, type Signer } from '#core/crypto/signing.ts'

/** 2026-06-01T00:00:00Z: the present in tests that do not open connections. */
export const NOW_MILLIS = Date.UTC(2026, 5, 1)
export const NOW_SECONDS = NOW_MILLIS / 1000

/** A context with these properties; its key store is empty and its log is kept. */
export function contextOf(
  properties: Readonly<Record<string, string>> = {},
  overrides: Partial<AuthorityContext> = {},
): AuthorityContext & { readonly lines: string[] } {
  const lines: string[] = []
  const values = new Map(Object.entries(properties))
  return {
    property: (name) => values.get(name),
    keyStore: { publicKey: async () => undefined },
    now: () => NOW_MILLIS,
    log: (level, message) => lines.push(`${level} ${message}`),
    lines,
    ...overrides,
  }
}

/** What of a request the chain looks at. */
export interface RequestParts {
  readonly method?: string
  /** Names and values in turn, as on the wire. */
  readonly rawHeaders?: readonly string[]
  readonly remoteAddress?: string
  readonly socket?: object
}

/** A request as the HTTP server would give it; headers of one name are joined as Node does. */
export function requestOf({
  method = 'GET',
  rawHeaders = [],
  remoteAddress = '10.1.2.3',
  socket = { remoteAddress },
}: RequestParts): IncomingMessage {
  const headers = new Map<string, string>()
  const distinct = new Map<string, string[]>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    const value = rawHeaders[index + 1] as string
    distinct.set(name, [...(distinct.get(name) ?? []), value])
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`)
  }
  const headersDistinct = Object.fromEntries(distinct)
  const request = { method, rawHeaders, headers: Object.fromEntries(headers), headersDistinct, socket }
  return request as unknown as IncomingMessage
}

/** The socket of a client that has shown a certificate, which TLS trusts or does not. */
export const tlsSocketOf = (leaf: X509Certificate | undefined, authorized = true): object => ({
  encrypted: true,
  remoteAddress: '10.1.2.3',
  authorized,
  authorizationError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  getPeerX509Certificate: () => leaf,
  getProtocol: () => 'TLSv1.3',
})

/** A Basic credential. */
export const basic = (text: string | Uint8Array): string => `Basic ${Buffer.from(text).toString('base64')}`

/** A new P-256 key, ready to sign tokens and certificates. */
export const newSigner = (keyId = '0'): Signer =>
  createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, keyId)

/** What a test certificate says beside its key. */
export interface TestCertificate {
  readonly subject: DistinguishedName
  readonly names?: readonly AlternativeName[]
  readonly notAfter?: Date
}

/** A certificate with its key, both also as PEM. */
export interface IssuedCertificate {
  readonly certificate: X509Certificate
  readonly cert: string
  readonly key: string
}

/** A CA for tests. */
export class TestCa {
  /** Its own certificate as PEM. */
  readonly cert: string
  readonly #issuer: CertificateIssuer

  private constructor(cert: string, issuer: CertificateIssuer) {
    this.cert = cert
    this.#issuer = issuer
  }

  static async create(subject: DistinguishedName = [{ type: 'CN', value: 'Test CA' }]): Promise<TestCa> {
    const signer = newSigner()
    const cert = await buildCertificate({
      subject,
      publicKey: signer.publicKey,
      issuer: selfIssuer(subject, signer),
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: new Date('2099-01-01T00:00:00Z'),
      ca: {},
      keyUsage: ['keyCertSign'],
    })
    return new TestCa(cert, issuerOf(new X509Certificate(cert), signer))
  }

  async issue({ subject, names = [], notAfter }: TestCertificate): Promise<IssuedCertificate> {
    const signer = newSigner()
    const cert = await buildCertificate({
      subject,
      publicKey: signer.publicKey,
      issuer: this.#issuer,
      notBefore: new Date('2020-01-01T00:00:00Z'),
      notAfter: notAfter ?? new Date('2099-01-01T00:00:00Z'),
      subjectAlternativeNames: names,
    })
    const key = signer.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    return { certificate: new X509Certificate(cert), cert, key }
  }

  /** A certificate with this common name, as a certificate authority is given it. */
  async peer(commonName: string, names: readonly AlternativeName[] = []): Promise<PeerCertificateChain> {
    return peerOf((await this.issue({ subject: [{ type: 'CN', value: commonName }], names })).certificate)
  }
}

/** A certificate as a certificate authority is given it. */
export const peerOf = (leaf: X509Certificate): PeerCertificateChain => ({
  leaf,
  raw: leaf.raw,
  remoteAddress: '10.1.2.3',
})
