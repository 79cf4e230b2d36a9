import { setTimeout as sleep } from 'node:timers/promises'
import { JsonClient, type JsonClientTls, type JsonRequest, textMember } from '../http/json-client.ts'

/** How this server proves who it is: each is asked for again at every login, since files may have changed. */
export type VaultLogin =
  | { readonly method: 'token'; readonly token: () => Promise<string> }
  | {
      readonly method: 'approle'
      /** Where the method is enabled, below `auth/`. */
      readonly mount: string
      readonly roleId: string
      readonly secretId: () => Promise<string>
    }

/** Where Vault is, and how patient to be with it. */
export interface VaultClientOptions {
  readonly address: URL
  readonly namespace?: string | undefined
  readonly login: VaultLogin
  /** The engine that has the secrets: its path, and the version of its interface. */
  readonly mount: string
  readonly kvVersion: 1 | 2
  readonly tls?: JsonClientTls | undefined
  /** For one request. */
  readonly timeoutMillis: number
  /** How often a request is tried when Vault does not answer or is not ready. */
  readonly attemptMaxCount: number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Replaced where time must not pass. */
  readonly wait?: (millis: number) => Promise<unknown>
}

/** Vault said no, or nothing; the message has neither token nor secret. */
export class VaultError extends Error {
  readonly status: number | undefined

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

interface Session {
  readonly token: string
  readonly renewable: boolean
  /** As granted at first; a renewal that grants much less says that the end is near. */
  readonly leaseSeconds: number
}

const FORBIDDEN = 403
const NOT_FOUND = 404
/** Not caught up with a write, too many requests, and all that a restart, a change of leader or a proxy answers. */
const RETRIED: readonly number[] = [412, 429, 500, 502, 503, 504]
const RETRY_MIN_MILLIS = 200
const RETRY_MAX_MILLIS = 5_000
/** Renewed when a third of the time is left, which leaves room for attempts. */
const RENEWAL_SHARE = 2 / 3
const RENEWAL_MIN_MILLIS = 500
/** Timers take no longer ones. */
const RENEWAL_MAX_MILLIS = 2 ** 31 - 1
const REASON_MAX_LENGTH = 200

/**
 * Reads secrets of HashiCorp Vault's KV engine (versions 1 and 2). It logs in by token or AppRole, keeps its token alive for
 * as long as it is open, and logs in again when Vault takes it back. Only the address of the settings is ever asked:
 * redirections are not followed, since they would carry the token elsewhere.
 */
export class VaultClient {
  readonly #options: VaultClientOptions
  readonly #http: JsonClient
  #session: Promise<Session> | undefined
  #renewal: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: VaultClientOptions) {
    this.#options = options
    const { timeoutMillis, tls } = options
    this.#http = new JsonClient({
      connectTimeoutMillis: timeoutMillis,
      readTimeoutMillis: timeoutMillis,
      tls,
      connections: 2,
    })
  }

  /** Logs in. Rejects with {@link VaultError}. */
  async open(): Promise<void> {
    await this.#signIn()
  }

  /**
   * The texts of a secret by name; undefined when there is no such secret. Path segments are encoded. Rejects with
   * {@link VaultError}.
   */
  async read(path: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
    const { mount, kvVersion } = this.#options
    const segments = [...mount.split('/'), ...(kvVersion === 2 ? ['data'] : []), ...path]
    const place = segments.map((segment) => encodeURIComponent(segment)).join('/')
    const { status, value } = await this.#askSignedIn(place)
    if (status === NOT_FOUND) return undefined
    const data = memberOf(value, 'data')
    return textsOf(kvVersion === 2 ? memberOf(data, 'data') : data)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#renewal)
    await this.#http.close()
  }

  /** A token that Vault has taken back, or that has run out, is replaced once. */
  async #askSignedIn(place: string): Promise<{ status: number; value: unknown }> {
    const used = await (this.#session ??= this.#signIn())
    try {
      return await this.#ask(place, { headers: { 'x-vault-token': used.token } }, [NOT_FOUND])
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== FORBIDDEN) throw error
      const session = await this.#signIn()
      // Whoever has the same token again is refused for what he asks, not for who he is.
      if (session.token === used.token) throw error
      return await this.#ask(place, { headers: { 'x-vault-token': session.token } }, [NOT_FOUND])
    }
  }

  async #signIn(): Promise<Session> {
    const signingIn = this.#login()
    this.#session = signingIn
    try {
      const session = await signingIn
      this.#scheduleRenewal(session, session.leaseSeconds)
      return session
    } catch (error) {
      this.#session = undefined
      throw error
    }
  }

  async #login(): Promise<Session> {
    const { login } = this.#options
    if (login.method === 'token') {
      const token = await login.token()
      const { value } = await this.#ask('auth/token/lookup-self', { headers: { 'x-vault-token': token } })
      const data = memberOf(value, 'data')
      return { token, renewable: memberOf(data, 'renewable') === true, leaseSeconds: secondsOf(memberOf(data, 'ttl')) }
    }
    const credentials = { role_id: login.roleId, secret_id: await login.secretId() }
    const mount = login.mount.split('/').map((segment) => encodeURIComponent(segment))
    const { value } = await this.#ask(`auth/${mount.join('/')}/login`, { body: { json: credentials } })
    return sessionOf(value)
  }

  /** Of a token without end there is nothing to renew. */
  #scheduleRenewal(session: Session, leaseSeconds: number): void {
    clearTimeout(this.#renewal)
    if (this.#closed || leaseSeconds === 0) return
    if (!session.renewable && this.#options.login.method === 'token') {
      this.#options.log('warn', `Vault: the token ends in ${leaseSeconds} seconds and cannot be renewed`)
      return
    }
    const millis = leaseSeconds * 1000 * RENEWAL_SHARE
    this.#renewal = setTimeout(
      () => void this.#renew(session),
      Math.min(Math.max(millis, RENEWAL_MIN_MILLIS), RENEWAL_MAX_MILLIS),
    ).unref()
  }

  /** Never rejects: what cannot be renewed now is replaced when it is needed. */
  async #renew(session: Session): Promise<void> {
    const { log, login } = this.#options
    try {
      const granted = session.renewable ? await this.#grantedSeconds(session) : 0
      if (granted >= session.leaseSeconds / 2) this.#scheduleRenewal(session, granted)
      else if (login.method === 'approle') await this.#signIn()
      else {
        log('warn', `Vault: the token ends in ${granted} seconds and cannot be renewed any more`)
        this.#session = undefined
      }
    } catch (error) {
      if (this.#closed) return
      log('warn', `Vault: the token could not be renewed: ${(error as Error).message}`)
      this.#session = undefined
    }
  }

  async #grantedSeconds({ token }: Session): Promise<number> {
    const headers = { 'x-vault-token': token }
    const { value } = await this.#ask('auth/token/renew-self', { headers, body: { json: {} } })
    return secondsOf(memberOf(memberOf(value, 'auth'), 'lease_duration'))
  }

  async #ask(
    place: string,
    request: JsonRequest,
    accepted: readonly number[] = [],
  ): Promise<{ status: number; value: unknown }> {
    const { address, namespace, attemptMaxCount, wait = (millis: number) => sleep(millis) } = this.#options
    const url = new URL(`${address.pathname.replace(/\/$/, '')}/v1/${place}`, address)
    const headers = {
      ...request.headers,
      'x-vault-request': 'true',
      ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
    }
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#http.ask(url, { ...request, headers }).catch((cause: unknown) => {
        // Its text names host and reason; nothing of the request.
        return new VaultError(`Vault: ${(cause as Error).message}`, undefined, { cause })
      })
      if (!(outcome instanceof VaultError)) {
        const { status, value } = outcome
        if (status === 200 || status === 204 || accepted.includes(status)) return { status, value }
        const refusal = new VaultError(
          `Vault at ${address.host} answered ${status} to ${place}${reasonsOf(value, status)}`,
          status,
        )
        if (!RETRIED.includes(status) || attempt >= attemptMaxCount) throw refusal
      } else if (attempt >= attemptMaxCount) throw outcome
      if (this.#closed) throw new VaultError('Vault: the server is stopping')
      const longest = Math.min(RETRY_MIN_MILLIS * 2 ** (attempt - 1), RETRY_MAX_MILLIS)
      // Servers that were refused together must not come back together.
      await wait(longest * (0.5 + Math.random() / 2))
    }
  }
}

function sessionOf(value: unknown): Session {
  const auth = memberOf(value, 'auth')
  const token = textMember(auth, 'client_token')
  if (token === undefined) throw new VaultError('Vault: the login gave no token')
  return {
    token,
    renewable: memberOf(auth, 'renewable') === true,
    leaseSeconds: secondsOf(memberOf(auth, 'lease_duration')),
  }
}

/** What Vault says about an error; its texts name what is missing, not what was sent. */
function reasonsOf(value: unknown, status: number): string {
  const errors = memberOf(value, 'errors')
  const texts = Array.isArray(errors) ? errors.filter((text): text is string => typeof text === 'string') : []
  if (texts.length > 0)
    return `: ${texts
      .join('; ')
      .replaceAll(/\p{C}+/gu, ' ')
      .slice(0, REASON_MAX_LENGTH)}`
  return status >= 300 && status < 400 ? ': a redirection, which is not followed (give the address of the leader)' : ''
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

const secondsOf = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0

/** A deleted version has no data. */
function textsOf(data: unknown): ReadonlyMap<string, string> | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  return new Map(Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
