import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type PeerConnection, PeerConnections } from '#core/authority/peer-connection.ts'
import { subjectAttributes } from '#core/crypto/certificate-subject.ts'
import { type Clock, systemClock } from '#core/seam/clock.ts'
import { ACCESS_STATUS_TEXTS, type AccessStatus } from './access-status.ts'
import type { Credential, Presenter } from './credential.ts'
import type { AccessCheck } from './domain-policies.ts'
import type { Zpe } from './zpe.ts'

/** Something that is the same for all requests, or is made of each. */
export type PerRequest<Request, Value> = Value | ((request: Request) => Value)

/** What a request must be allowed to do, and how its credentials are found. */
export interface GuardOptions<Request> {
  readonly zpe: Pick<Zpe, 'allowAccess'>
  /** `DOMAIN:RESOURCE`, or without the domain when it is that of the credential. */
  readonly resource: PerRequest<Request, string>
  readonly action: PerRequest<Request, string>
  /** Header of role tokens; `Athenz-Role-Auth` unless given. */
  readonly roleTokenHeader?: string
  /** Whether the role certificate of a connection counts when there is no token; false unless given. */
  readonly roleCertificates?: boolean
  /**
   * Whether access tokens must belong to the certificate of the connection: those that are bound to one (`bound`, the
   * default), all (`all`), or none (`none`), where something in front of this service has looked at that.
   */
  readonly binding?: 'bound' | 'all' | 'none'
  /** Thumbprint of the client's certificate as a proxy forwards it, from a header that only the proxy can set. */
  readonly forwardedThumbprint?: (request: Request) => string | undefined
  /** Of this machine unless given. For tests. */
  readonly clock?: Clock
}

/** Why a request is refused, ready to be sent. */
export interface GuardRefusal {
  readonly status: 401 | 403
  readonly headers: Readonly<Record<string, string>>
  /** As the servers of Athenz answer, with the name of the outcome. */
  readonly body: { readonly code: number; readonly message: string; readonly status: AccessStatus }
}

/** What a guard makes of a request. */
export type GuardOutcome =
  | { readonly check: AccessCheck; readonly refusal: undefined }
  | { readonly check: AccessCheck | undefined; readonly refusal: GuardRefusal }

/** Outcomes that say nothing against the bearer: better credentials may help. */
const UNAUTHENTICATED: ReadonlySet<AccessStatus> = new Set([
  'DENY_ROLETOKEN_EXPIRED',
  'DENY_ROLETOKEN_INVALID',
  'DENY_CERT_MISMATCH_ISSUER',
  'DENY_CERT_MISSING_SUBJECT',
  'DENY_CERT_MISSING_DOMAIN',
  'DENY_CERT_MISSING_ROLE_NAME',
  'DENY_CERT_HASH_MISMATCH',
])

const ROLE_TOKEN_HEADER = 'Athenz-Role-Auth'
const BEARER = /^Bearer /i
const ROLE_INFIX = ':role.'

/** Decides about requests of Node's HTTP server; web frameworks are served through it. */
export class RequestGuard<Request> {
  readonly #options: GuardOptions<Request>
  readonly #messageOf: (request: Request) => IncomingMessage
  readonly #roleTokenHeader: string
  readonly #connections = new PeerConnections()

  /** `messageOf` gives the request of Node's HTTP server that is behind that of a framework. */
  constructor(options: GuardOptions<Request>, messageOf: (request: Request) => IncomingMessage) {
    this.#options = options
    this.#messageOf = messageOf
    this.#roleTokenHeader = (options.roleTokenHeader ?? ROLE_TOKEN_HEADER).toLowerCase()
  }

  /** Rejects when resource or action cannot be made of the request; nothing is granted then. */
  async check(request: Request): Promise<GuardOutcome> {
    const { zpe, resource, action, binding = 'bound', forwardedThumbprint } = this.#options
    const message = this.#messageOf(request)
    const connection = this.#connections.of(message.socket)
    const credentials = this.#credentialsOf(message, connection)
    if (credentials.length === 0)
      return { check: undefined, refusal: refusalOf('DENY_ROLETOKEN_INVALID', 'there is no token') }
    const presenter: Presenter = {
      certificate: this.#trusted(connection),
      forwardedThumbprint: forwardedThumbprint?.(request),
      unbound: binding === 'all' ? 'refuse' : 'accept',
    }
    const check = await zpe.allowAccess(
      credentials,
      perRequest(resource, request),
      perRequest(action, request),
      binding === 'none' ? undefined : presenter,
    )
    if (check.granted) return { check, refusal: undefined }
    return { check, refusal: refusalOf(check.status) }
  }

  #credentialsOf({ headers }: IncomingMessage, connection: PeerConnection): Credential[] {
    const credentials: Credential[] = []
    const roleToken = headers[this.#roleTokenHeader]
    if (typeof roleToken === 'string' && roleToken !== '') credentials.push(roleToken)
    const { authorization } = headers
    if (authorization !== undefined && BEARER.test(authorization)) credentials.push(authorization.replace(BEARER, ''))
    const certificate = this.#trusted(connection)
    if (credentials.length > 0 || certificate === undefined || !this.#options.roleCertificates) return credentials
    return subjectAttributes(certificate).some((attribute) => attribute.includes(ROLE_INFIX)) ? [certificate] : []
  }

  /** The certificate that TLS has verified; one that it has not is none. */
  #trusted({ peer, refused, notAfterMillis }: PeerConnection): X509Certificate | undefined {
    const { clock = systemClock } = this.#options
    return refused === undefined && clock() <= notAfterMillis ? peer?.leaf : undefined
  }
}

function perRequest<Request>(value: PerRequest<Request, string>, request: Request): string {
  return typeof value === 'function' ? value(request) : value
}

function refusalOf(status: AccessStatus, reason?: string): GuardRefusal {
  const code = UNAUTHENTICATED.has(status) ? 401 : 403
  const text = ACCESS_STATUS_TEXTS[status]
  return {
    status: code,
    headers:
      code === 401
        ? { 'www-authenticate': `Bearer realm="athenz"${reason === undefined ? ', error="invalid_token"' : ''}` }
        : {},
    body: { code, message: reason === undefined ? text : `${text}: ${reason}`, status },
  }
}
