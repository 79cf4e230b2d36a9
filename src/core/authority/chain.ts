import type { IncomingMessage } from 'node:http'
import { ServiceError, unauthorized } from '../error/service-error.ts'
import type { AuthenticationResult, Authority } from './authority.ts'
import { credentialReader } from './credential-header.ts'
import { PeerConnections } from './peer-connection.ts'
import type { Principal } from './principal.ts'
import { remoteAddressOf } from './remote-address.ts'

/**
 * What the chain makes of a request: a principal; or a failure to answer with (401, or 500 without any authority); or
 * neither, when authentication is optional and there was no credential.
 */
export interface AuthenticationOutcome {
  readonly principal?: Principal
  readonly failure?: ServiceError
  /** For the access log: `:error: {text}` of every authority that refused a credential; empty on success. */
  readonly reasons: string
}

/** How a chain reports failures, and its clock. */
export interface AuthorityChainOptions {
  /** One `WWW-Authenticate` per challenge; otherwise a single one, joined with `, `. True unless given. */
  readonly multipleChallengeHeaders?: boolean
  /** Epoch milliseconds. */
  readonly now?: () => number
}

/** Asks one authority about a request; null when the request has no credential for it. */
type Ask = (request: IncomingMessage) => AuthenticationResult | Promise<AuthenticationResult>

/** One request on its way along the chain. */
interface Attempt {
  readonly request: IncomingMessage
  readonly optional: boolean
  reasons: string
}

const ANONYMOUS: AuthenticationOutcome = { reasons: '' }
const NO_CREDENTIALS = 'No credentials provided'
/** A longer text is cut: it ends in a log line, and may repeat what a client has sent. */
const REASON_MAX_LENGTH = 1024

/**
 * The authorities of a server in their configured order. The first principal wins; when no authority gives one, the
 * texts of all that refused a credential are collected for the log, and the client gets 401 with the challenges of all.
 */
export class AuthorityChain {
  readonly authorities: readonly Authority[]
  readonly #asks: readonly Ask[]
  readonly #challengeHeaders: Readonly<Record<string, string | string[]>> | undefined
  readonly #connections = new PeerConnections()
  readonly #now: () => number

  /** Takes initialized authorities. Throws a TypeError for one that lacks what its credential source needs. */
  constructor(authorities: readonly Authority[], options: AuthorityChainOptions = {}) {
    this.authorities = authorities
    this.#now = options.now ?? Date.now
    this.#asks = authorities.map((authority) => this.#askOf(authority))
    const challenges = [...new Set(authorities.flatMap(({ challenge }) => challenge ?? []))]
    const value = options.multipleChallengeHeaders === false ? challenges.join(', ') : challenges
    this.#challengeHeaders = challenges.length === 0 ? undefined : { 'www-authenticate': value }
  }

  /**
   * Establishes who sends a request. Answers at once unless an authority needs time, which those for certificates do
   * not. With `optional`, a request without any credential goes on without a principal; a bad credential is refused all
   * the same. Throws, or rejects with, what an authority throws: that is a fault, not a decision.
   */
  authenticate(request: IncomingMessage, optional: boolean): AuthenticationOutcome | Promise<AuthenticationOutcome> {
    if (this.#asks.length === 0) {
      return {
        failure: new ServiceError('internal', 'No authorities configured'),
        reasons: 'No authorities configured',
      }
    }
    return this.#tryFrom(0, { request, optional, reasons: '' })
  }

  /** Ends what the authorities have opened. */
  async close(): Promise<void> {
    await Promise.all(this.authorities.map(async (authority) => authority.close?.()))
  }

  #tryFrom(start: number, attempt: Attempt): AuthenticationOutcome | Promise<AuthenticationOutcome> {
    for (let index = start; index < this.#asks.length; index++) {
      const result = (this.#asks[index] as Ask)(attempt.request)
      if (isPromise(result)) {
        return result.then((settled) => this.#accept(index, settled, attempt) ?? this.#tryFrom(index + 1, attempt))
      }
      const outcome = this.#accept(index, result, attempt)
      if (outcome !== undefined) return outcome
    }
    return this.#fail(attempt)
  }

  #accept(index: number, result: AuthenticationResult, attempt: Attempt): AuthenticationOutcome | undefined {
    if (result === null) return undefined
    const refused = 'rejected' in result ? result.rejected : misfit(this.authorities[index] as Authority, result)
    if (refused === undefined) return { principal: result as Principal, reasons: '' }
    attempt.reasons += `:error: ${loggable(refused)}`
    return undefined
  }

  #fail({ optional, reasons }: Attempt): AuthenticationOutcome {
    if (optional && reasons === '') return ANONYMOUS
    const detail = reasons === '' ? NO_CREDENTIALS : reasons
    const headers = this.#challengeHeaders
    return { failure: unauthorized('Invalid credentials', { detail, ...(headers && { headers }) }), reasons: detail }
  }

  #askOf(authority: Authority): Ask {
    const { credentialSource, header } = authority
    if (credentialSource === 'header' && header !== undefined && authority.authenticateHeader) {
      const read = credentialReader(header)
      return (request) => {
        const credential = read(request)
        if (credential === undefined) return null
        return authority.authenticateHeader?.(credential, remoteAddressOf(request), request.method ?? '') ?? null
      }
    }
    if (credentialSource === 'certificate' && authority.authenticateCertificate) {
      return (request) => this.#askAboutCertificate(authority, request)
    }
    if (credentialSource === 'request' && authority.authenticateRequest) {
      return (request) => authority.authenticateRequest?.(request) ?? null
    }
    throw new TypeError(`authority ${authority.id} has no method for the credential source ${credentialSource}`)
  }

  /** The answer is kept with the connection; only the end of the certificate's validity is checked each time. */
  #askAboutCertificate(
    authority: Authority,
    { socket }: IncomingMessage,
  ): AuthenticationResult | Promise<AuthenticationResult> {
    const { peer, notAfterMillis, refused, results } = this.#connections.of(socket)
    if (peer === undefined) return null
    if (refused !== undefined) return { rejected: refused }
    if (this.#now() > notAfterMillis) return { rejected: `client certificate expired ${peer.leaf.validTo}` }
    const known = results.get(authority)
    if (known !== undefined) return known
    const result = authority.authenticateCertificate?.(peer) ?? null
    results.set(authority, result)
    if (isPromise(result)) {
      result.then(
        (settled) => results.set(authority, settled),
        () => results.delete(authority),
      )
    }
    return result
  }
}

const isPromise = (
  result: AuthenticationResult | Promise<AuthenticationResult>,
): result is Promise<AuthenticationResult> => result !== null && 'then' in result

/** Why a principal may not come from this authority; the rules hold for plug-ins as for our own. */
function misfit(authority: Authority, { domain, roles }: Principal): string | undefined {
  if (roles !== undefined) return roles.length === 0 ? `${authority.id}: a role principal without roles` : undefined
  if (authority.domain === undefined || domain === authority.domain) return undefined
  return `${authority.id}: principal of domain ${domain}, where only ${authority.domain} is vouched for`
}

/** Texts may repeat what a client has sent: no control character may forge a line of the log. */
function loggable(text: string): string {
  return text.slice(0, REASON_MAX_LENGTH).replaceAll(/\p{C}|\p{Zl}|\p{Zp}/gu, '?')
}
