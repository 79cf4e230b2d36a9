import { createHmac, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Signer } from '#core/crypto/signing.ts'
import type { Clock } from '#core/seam/clock.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { signAuthorizedService } from '#core/token/sign-principal-token.ts'
import { endCookie, readCookie, setCookie } from './cookies.ts'

/** Somebody who has signed in. */
export interface Session {
  /** Full name, e.g. `user.joe`. */
  readonly principal: string
  /** The user token as ZMS issued it, good only together with the signature of this page's service. */
  readonly token: string
  /** Epoch milliseconds. */
  readonly endMillis: number
  /** Goes with every form that changes something. */
  readonly csrfToken: string
}

/** What sessions are made of. */
export interface SessionsOptions {
  /** Full name of the service as which this page signs. */
  readonly service: string
  /** Signs for it, with a key that ZMS knows. */
  readonly signer: Signer
  /** The same key: tokens of forms are made with a secret derived from it, so that all processes with it make the same. */
  readonly key: KeyObject
  readonly longestMillis: number
  readonly clock: Clock
}

const COOKIE = 'athenz-session'
/** Sessions whose second signature is kept: it takes a millisecond to make. */
const MAX_SIGNED = 1000
/** Sessions that were ended before their token does; beyond this the oldest may be used again until then. */
const MAX_ENDED = 100_000
const MILLIS = 1000
/** Characters of 256 bits in base64url. */
const CODE_LENGTH = 43

/**
 * Sessions of people: nothing but the user token in a cookie. The page has no rights of its own: ZMS issued the token to the
 * person, takes it only with the signature of the service it was issued for, and decides on every call what the person may do.
 * In front of the token the cookie has a seal of the page, without which anybody could have it sign and send texts of their
 * own: ZMS would count the refusals against the page, and refuse everybody in the end.
 */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #formSecret: Buffer
  readonly #sealSecret: Buffer
  readonly #signed = new LRUCache<string, Promise<string>>({ max: MAX_SIGNED })
  readonly #ended = new LRUCache<string, true>({ max: MAX_ENDED })

  constructor(options: SessionsOptions) {
    this.#options = options
    const key = options.key.export({ type: 'pkcs8', format: 'der' })
    this.#formSecret = Buffer.from(hkdfSync('sha256', key, '', 'athenz-ui forms', 32))
    this.#sealSecret = Buffer.from(hkdfSync('sha256', key, '', 'athenz-ui sessions', 32))
  }

  /**
   * The session of a token; undefined for what is no user token for this page, has expired, or was ended. Whether ZMS has
   * signed it is left to ZMS, which is shown the token with every call.
   */
  of(token: string | undefined): Session | undefined {
    const parsed = parsePrincipalToken(token ?? '')
    if (token === undefined || !parsed.ok) return undefined
    const { domain, name, issueTimeSeconds, expiryTimeSeconds, authorizedServices, delegation } = parsed.token
    if (delegation !== undefined || !authorizedServices.includes(this.#options.service)) return undefined
    const endMillis = Math.min(expiryTimeSeconds * MILLIS, issueTimeSeconds * MILLIS + this.#options.longestMillis)
    const csrfToken = codeOf(this.#formSecret, token)
    if (endMillis <= this.#options.clock() || this.#ended.has(csrfToken)) return undefined
    return { principal: `${domain}.${name}`, token, endMillis, csrfToken }
  }

  /** The session of the browser that sent these cookies; undefined for a cookie that this page has not sealed. */
  read(cookies: string | undefined): Session | undefined {
    const sealed = readCookie(cookies, COOKIE)
    if (sealed === undefined) return undefined
    const token = sealed.slice(CODE_LENGTH)
    return isSame(sealed.slice(0, CODE_LENGTH), codeOf(this.#sealSecret, token)) ? this.of(token) : undefined
  }

  /** The cookie that keeps a session. */
  cookie({ token, endMillis }: Session): string {
    const sealed = codeOf(this.#sealSecret, token) + token
    return setCookie(COOKIE, sealed, { maxAgeSeconds: Math.floor((endMillis - this.#options.clock()) / MILLIS) })
  }

  /** The cookie that ends it in the browser. */
  readonly endCookie: string = endCookie(COOKIE)

  /** Ends a session here, too: whoever has a copy of the cookie cannot go on with it. */
  end({ csrfToken, endMillis }: Session): void {
    this.#ended.set(csrfToken, true, { ttl: Math.max(1, endMillis - this.#options.clock()) })
  }

  /** The user token with the signature of this page's service, as ZMS takes it. Throws Error when it cannot be signed. */
  async credential({ token }: Session): Promise<string> {
    const { service, signer } = this.#options
    let signed = this.#signed.get(token)
    if (signed === undefined) {
      signed = signAuthorizedService(token, service, signer).then((longer) => {
        if (typeof longer === 'string') return longer
        throw new Error(longer.reason)
      })
      this.#signed.set(token, signed)
      // The next call tries again.
      signed.catch(() => this.#signed.delete(token))
    }
    return signed
  }

  /** Whether a form was made for this session. */
  isFormOf(session: Session, csrfToken: string | undefined): boolean {
    return isSame(csrfToken ?? '', session.csrfToken)
  }
}

/** What only who knows the secret can say of a token. */
const codeOf = (secret: Buffer, token: string): string => createHmac('sha256', secret).update(token).digest('base64url')

/** Compares in a time that does not tell where the texts differ. */
function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
