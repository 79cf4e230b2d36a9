import type { PeerCertificate } from 'node:tls'
import type { Agent } from 'undici'
import { boundedText } from '#core/http/bounded-body.ts'
import type { TlsMaterial } from '#core/http/tls-material.ts'
import type { TlsOffer } from '#core/http/tls-offer.ts'
import type { TlsSource } from '#core/http/tls-source.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '../instance-provider.ts'

/** What clients of providers are made of. */
export interface HttpsProvidersOptions {
  /** Key, certificate and authorities toward providers; undefined when there is no certificate to show. */
  readonly tls: TlsSource | undefined
  /** The same for endpoints `https://athenz.client@host`. */
  readonly clientTls: TlsSource | undefined
  readonly offer: TlsOffer
  /** Ends of the host names that endpoints may have; any when empty. */
  readonly hostSuffixes: readonly string[]
  readonly connectTimeoutMillis: number
  readonly readTimeoutMillis: number
}

/** User in an endpoint that asks for the client certificate in place of that of the server. */
const CLIENT_CONTEXT = 'athenz.client'
const ANSWER_MAX_BYTES = 262_144
const MESSAGE_MAX_LENGTH = 1000
const GATEWAY_TIMEOUT = 504

/** Clients of providers behind HTTPS; each accepts only a server whose certificate names the provider. */
export class HttpsProviders {
  readonly #options: HttpsProvidersOptions

  constructor(options: HttpsProvidersOptions) {
    this.#options = options
  }

  /** The client of a provider (full name), or the reason why it is not asked. */
  open(provider: string, endpoint: URL): InstanceProvider | string {
    const { hostSuffixes, tls, clientTls } = this.#options
    const { hostname, username, password } = endpoint
    if (password !== '' || (username !== '' && username !== CLIENT_CONTEXT)) {
      return 'the endpoint names a user that has no meaning'
    }
    if (hostSuffixes.length > 0 && !hostSuffixes.some((suffix) => endsWithName(hostname.toLowerCase(), suffix))) {
      return `${hostname} is not among athenz.zts.provider_endpoints`
    }
    const source = username === CLIENT_CONTEXT ? clientTls : tls
    if (source === undefined) return 'there is no certificate for calls to providers (set athenz.zts.ssl_key_store)'
    if (source.material.ca === undefined) {
      return 'there are no authorities that vouch for providers (set athenz.zts.ssl_trust_store)'
    }
    return new HttpsProvider(provider, endpoint, source, this.#options)
  }
}

/** `sports.cloud` is no end of `evilsports.cloud`. */
function endsWithName(hostname: string, suffix: string): boolean {
  const lower = suffix.toLowerCase()
  return hostname === lower || hostname.endsWith(lower.startsWith('.') ? lower : `.${lower}`)
}

class HttpsProvider implements InstanceProvider {
  readonly svidTypes = 'both'
  readonly inProcess = false
  readonly #provider: string
  readonly #endpoint: URL
  readonly #source: TlsSource
  readonly #options: Pick<HttpsProvidersOptions, 'offer' | 'connectTimeoutMillis' | 'readTimeoutMillis'>
  #agent: Promise<Agent> | undefined
  #material: TlsMaterial

  constructor(provider: string, endpoint: URL, source: TlsSource, options: HttpsProvidersOptions) {
    this.#provider = provider
    this.#endpoint = endpoint
    this.#source = source
    this.#options = options
    this.#material = source.material
  }

  confirmInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    return this.#ask('instance', confirmation)
  }

  refreshInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    return this.#ask('refresh', confirmation)
  }

  async close(): Promise<void> {
    await (await this.#agent)?.close()
  }

  async #ask(operation: 'instance' | 'refresh', confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    const { connectTimeoutMillis, readTimeoutMillis } = this.#options
    let statusCode: number
    let text: string
    try {
      const agent = await this.#currentAgent()
      const answer = await agent.request({
        origin: this.#endpoint.origin,
        path: `${this.#endpoint.pathname.replace(/\/+$/, '')}/${operation}`,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(confirmation),
        // An answer that trickles in would otherwise never end.
        signal: AbortSignal.timeout(connectTimeoutMillis + readTimeoutMillis),
      })
      statusCode = answer.statusCode
      text = await boundedText(answer.body as AsyncIterable<Buffer>, ANSWER_MAX_BYTES)
    } catch (cause) {
      if (cause instanceof RangeError) throw new ProviderRefusal('the answer of the provider is too long')
      throw Object.assign(new ProviderRefusal('the provider does not answer', GATEWAY_TIMEOUT), { cause })
    }
    if (statusCode === 200) return readConfirmation(text)
    throw new ProviderRefusal(messageOf(text, statusCode), statusCode === GATEWAY_TIMEOUT ? GATEWAY_TIMEOUT : 403)
  }

  /** Made anew when key, certificate or authorities were read again. */
  #currentAgent(): Promise<Agent> {
    if (this.#source.material !== this.#material) {
      const former = this.#agent
      this.#material = this.#source.material
      this.#agent = undefined
      void former?.then((agent) => agent.close()).catch(() => {})
    }
    this.#agent ??= this.#newAgent()
    return this.#agent
  }

  async #newAgent(): Promise<Agent> {
    const { key, cert, ca = [] } = this.#material
    const { offer, connectTimeoutMillis, readTimeoutMillis } = this.#options
    const checkServerIdentity = (_host: string, { subject }: PeerCertificate): Error | undefined =>
      // Certificates of services name no host: who is meant is the provider, wherever it runs.
      subject.CN === this.#provider ? undefined : new Error(`the server is not ${this.#provider}`)
    // The library takes time and memory that servers without such providers need not spend.
    const { Agent } = await import('undici')
    return new Agent({
      headersTimeout: readTimeoutMillis,
      bodyTimeout: readTimeoutMillis,
      // A resumed session would not be asked for its identity again.
      connect: {
        key,
        cert,
        ca: [...ca],
        ...offer,
        checkServerIdentity,
        timeout: connectTimeoutMillis,
        maxCachedSessions: 0,
      },
    })
  }
}

/** Reads the body of an answer; what it says is for the caller to judge. @throws ProviderRefusal for another form */
export function readConfirmation(text: string): InstanceConfirmation {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ProviderRefusal('the answer of the provider is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProviderRefusal('the answer of the provider is no confirmation')
  }
  const members = new Map(Object.entries(value))
  const textOf = (name: string) => {
    const member: unknown = members.get(name)
    if (member !== undefined && member !== null && typeof member !== 'string') {
      throw new ProviderRefusal(`the provider answered with a ${name} that is no text`)
    }
    return member as string
  }
  const attributes: unknown = members.get('attributes') ?? {}
  const entries = typeof attributes === 'object' && attributes !== null ? Object.entries(attributes) : undefined
  if (entries === undefined || !entries.every(([, item]) => typeof item === 'string')) {
    throw new ProviderRefusal('the provider answered with attributes that are no texts')
  }
  return {
    provider: textOf('provider'),
    domain: textOf('domain'),
    service: textOf('service'),
    attestationData: textOf('attestationData'),
    attributes: Object.fromEntries(entries) as Record<string, string>,
  }
}

/** What the provider says for itself, when it does so as servers of the family do. */
function messageOf(text: string, statusCode: number): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    if (typeof message === 'string' && message !== '') return message.slice(0, MESSAGE_MAX_LENGTH)
  } catch {
    // It says nothing that could be passed on.
  }
  return `the provider answered with status ${statusCode}`
}
