import { writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { Signer } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { newSigner } from '../../core/authority/support.ts'
import { type TestPki, testPki } from '../../core/http/support.ts'
import { type DomainJson, domainData } from '../../support/zts-domains.ts'

/** A SignedDomain as ZMS writes it. */
export async function signedDomain(signer: Signer, domain: DomainJson): Promise<string> {
  const data = domainData(domain)
  const signature = encodeYBase64(await signer.sign(canonicalText(data, canonicalShapes.domain)))
  return JSON.stringify({ domain: data, signature, keyId: signer.keyId })
}

/** A JWSDomain as ZMS writes it. */
export async function webSignedDomain(
  signer: Signer,
  domain: DomainJson,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const alg = signer.kind.family === 'rsa' ? 'RS256' : 'ES256'
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const payload = part(domainData(domain))
  const protectedPart = part({ kid: signer.keyId, alg, ...header })
  const signature = Buffer.from(await signer.sign(`${protectedPart}.${payload}`)).toString('base64url')
  return JSON.stringify({ payload, protected: protectedPart, header: { kid: signer.keyId }, signature })
}

/** What it saw of a request. */
export interface SeenQuestion {
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Common name of the client certificate. */
  readonly client: string | undefined
}

/** Answers instead of it; false leaves the request to it. */
export type Interception = (question: SeenQuestion, response: ServerResponse) => boolean | undefined

/** How it behaves. */
export interface FakeZmsOptions {
  /** Hold answers back when asked to, as ours does; the original answers at once. */
  readonly holds?: boolean
  readonly signer?: Signer
}

/** A ZMS with real TLS and signatures, whose domains and failures a test decides. Ends with the test. */
export class FakeZms {
  readonly pki: TestPki
  readonly signer: Signer
  readonly seen: SeenQuestion[] = []
  readonly #domains = new Map<string, DomainJson>()
  readonly #server
  readonly #holds: boolean
  readonly #held = new Set<() => void>()
  /** Answers in its place. */
  intercept: Interception = () => false

  static async start(folder: string, options: FakeZmsOptions = {}): Promise<FakeZms> {
    const zms = new FakeZms(await testPki(folder), options)
    await zms.listen()
    after(() => zms.stop())
    return zms
  }

  private constructor(pki: TestPki, { holds = true, signer = newSigner() }: FakeZmsOptions) {
    this.pki = pki
    this.signer = signer
    this.#holds = holds
    const { key, cert } = pki.server
    this.#server = createServer(
      { key, cert, ca: pki.ca.cert, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error))
      },
    )
  }

  /** Base URL. */
  url = ''

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
    this.url = `https://localhost:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Ends all connections; `listen` with the port of the URL starts it again. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  put(...domains: readonly DomainJson[]): void {
    for (const domain of domains) this.#domains.set(domain.name, domain)
    for (const end of this.#held) end()
  }

  delete(name: string): void {
    this.#domains.delete(name)
  }

  /** Questions for lists. */
  get lists(): SeenQuestion[] {
    return this.seen.filter(({ query }) => query.get('metaonly') === 'true')
  }

  /** An athenz.conf with its key, in a file of the folder. */
  writeConf(folder: string, overrides: Readonly<Record<string, unknown>> = {}): string {
    const file = join(folder, 'athenz.conf')
    const keys = [{ id: this.signer.keyId, key: encodeYBase64(this.signer.publicKeyPem) }]
    const conf = { zmsUrl: this.url, ztsUrl: 'https://localhost/', zmsPublicKeys: keys, ztsPublicKeys: keys }
    writeFileSync(file, JSON.stringify({ ...conf, ...overrides }))
    return file
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url)
    const { subject } = (request.socket as TLSSocket).getPeerCertificate()
    const question = {
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      client: subject?.CN as string | undefined,
    }
    this.seen.push(question)
    if (this.intercept(question, response)) return
    const signed = /^\/zms\/v1\/domain\/([^/]+)\/signed$/.exec(url.pathname)
    if (signed) {
      const domain = this.#domains.get(signed[1] as string)
      if (domain) send(response, 200, await webSignedDomain(this.signer, domain))
      else send(response, 404, '{"code":404,"message":"No such domain"}')
      return
    }
    if (url.pathname !== '/zms/v1/sys/modified_domains') {
      send(response, 404, '{}')
      return
    }
    const name = url.searchParams.get('domain')
    if (name !== null) {
      const domain = this.#domains.get(name)
      const texts = domain ? [await signedDomain(this.signer, domain)] : []
      send(response, 200, `{"domains":[${texts.join(',')}]}`)
      return
    }
    await this.#list(question, response)
  }

  /** As ours and the original: what is as young as the tag is listed again. */
  async #list({ headers }: SeenQuestion, response: ServerResponse): Promise<void> {
    const tag = headers['if-none-match']
    const seconds = Number(/wait=(\d+)/.exec(String(headers['prefer'] ?? ''))?.[1] ?? 0)
    const holds = this.#holds && tag !== undefined && seconds > 0
    if (holds && !this.#after(tag).some(({ modified }) => `"${modified}"` > tag)) {
      await new Promise<void>((resolve) => {
        const end = () => {
          clearTimeout(timer)
          this.#held.delete(end)
          resolve()
        }
        const timer = setTimeout(end, seconds * 1000).unref()
        this.#held.add(end)
        response.on('close', end)
      })
    }
    const domains = this.#after(tag)
    const newest = domains.at(-1)?.modified
    const extra = { ...(holds && { 'preference-applied': 'wait' }) }
    if (newest === undefined) send(response, 304, '', { ...extra, ...(tag !== undefined && { etag: tag }) })
    else {
      const items = domains.map(({ name, modified, enabled = true }) => ({
        domain: { enabled, name, roles: null, policies: null, services: null, entities: null, groups: null, modified },
      }))
      send(response, 200, JSON.stringify({ domains: items }), { ...extra, etag: `"${newest}"` })
    }
  }

  #after(tag: string | undefined): { name: string; modified: string; enabled?: unknown }[] {
    const all = [...this.#domains.values()].map((each) => domainData(each) as { name: string; modified: string })
    all.sort((a, b) => (a.modified < b.modified ? -1 : 1))
    return tag === undefined ? all : all.filter(({ modified }) => `"${modified}"` >= tag)
  }
}

/** Writes an answer. */
export function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}
