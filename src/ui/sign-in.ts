import { AthenzClientError } from '#client/client-error.ts'
import type { ZmsClient } from '#client/zms-client.ts'
import { addressKey } from '#core/http/address-key.ts'
import { TokenBuckets } from '#core/http/token-buckets.ts'
import type { CertificateSignIn } from './certificate-sign-in.ts'
import { Fields, SECRET_FIELDS } from './fields.ts'
import { type Content, type Html, html } from './html.ts'
import type { Session, Sessions } from './sessions.ts'
import { redeemSignInLink } from './sign-in-link.ts'

/** How people may sign in. */
export interface SignInOptions {
  readonly client: ZmsClient
  readonly sessions: Sessions
  /** Full name of the service of this page, for which tokens are issued. */
  readonly service: string
  readonly userDomain: string
  readonly passwords: boolean
  /** Signing in with the certificate of the browser, where it is offered. */
  readonly certificates: CertificateSignIn | undefined
  /** Header in which ZMS takes tokens. */
  readonly tokenHeader: string
  /** File with a sign-in by a link. */
  readonly linkFile: string | undefined
  readonly attemptsPerMinute: number
  /** Whether an address stands for many people, such as that of a proxy: attempts from there count for the names alone. */
  readonly isShared: (address: string) => boolean
  /** Epoch milliseconds. */
  readonly clock: () => number
  /** Milliseconds of a clock that does not go back. */
  readonly uptime?: () => number
}

/** What the form to sign in has. */
export interface SignInForm {
  readonly next: string | undefined
  readonly userName?: string | undefined
  readonly kept?: KeptForm | undefined
  /** Absent where it is not offered. */
  readonly certificates: CertificateSignIn | undefined
}

/** Why somebody could not sign in. */
export interface SignInRefusal {
  readonly status: number
  readonly problem: string
  readonly retryAfterSeconds?: number
}

/** A form that was sent when its session had ended: it is shown again after signing in, and not carried out. */
export interface KeptForm {
  readonly to: string
  readonly fields: Fields
}

const SECONDS_PER_MINUTE = 60
const MAX_KEYS = 100_000
const KEPT_PREFIX = 'kept.'

/** Signs people in: ZMS checks the name and the password, and issues the token that is the session. */
export class SignIn {
  readonly #options: SignInOptions
  readonly #byAddress: TokenBuckets | undefined
  readonly #byName: TokenBuckets | undefined

  constructor(options: SignInOptions) {
    this.#options = options
    const { attemptsPerMinute } = options
    if (attemptsPerMinute === 0) return
    const rate = { perSecond: attemptsPerMinute / SECONDS_PER_MINUTE, burst: attemptsPerMinute, maxKeys: MAX_KEYS }
    this.#byAddress = new TokenBuckets(rate)
    this.#byName = new TokenBuckets(rate)
  }

  /** Checks the name and the password of a form. Throws AthenzClientError when ZMS cannot say. */
  async withPassword(fields: Fields, address: string): Promise<Session | SignInRefusal> {
    const { client, sessions, service, passwords } = this.#options
    if (!passwords) return refused(403, 'Signing in with a password is switched off here.')
    const name = this.#nameOf(fields.text('user'))
    const password = fields.exact('password')
    if (name === undefined || !password) return refused(400, 'Write your name and your password.')
    const late = this.#takeAttempt(address, name)
    if (late !== undefined) return late
    const basic = Buffer.from(`${name}:${password}`).toString('base64')
    try {
      // A password is sent once: a repetition might lock an account.
      const { token } = await client.call(
        'getUserToken',
        { userName: name, serviceNames: service },
        { headers: { authorization: `Basic ${basic}` }, retries: 0 },
      )
      return sessions.of(token) ?? refused(502, 'ZMS issued a token that this page cannot use: its clock may be wrong.')
    } catch (error) {
      if (!(error instanceof AthenzClientError) || error.status !== 401) throw error
      if (error.message.includes('is not authorized in ZMS')) {
        return refused(503, `ZMS does not know this page as an authorized service: ${error.message}`)
      }
      return refused(401, 'ZMS does not accept this name with this password.')
    }
  }

  /** Signs in with the token that the browser got from ZMS. Throws AthenzClientError when ZMS cannot say. */
  async withCertificate(fields: Fields, address: string): Promise<Session | SignInRefusal> {
    const { client, sessions, certificates, tokenHeader } = this.#options
    if (certificates === undefined) return refused(403, 'Signing in with a certificate is switched off here.')
    const late = this.#takeAttempt(address, undefined)
    if (late !== undefined) return late
    const session = sessions.of(fields.exact('token'))
    if (session === undefined) return refused(400, 'This is no token of ZMS for this page.')
    try {
      // Whoever comes with a session is somebody to whom ZMS has issued one.
      const headers = { [tokenHeader]: await sessions.credential(session) }
      await client.call('getServicePrincipal', {}, { headers })
      return session
    } catch (error) {
      if (!(error instanceof AthenzClientError) || error.status !== 401) throw error
      return refused(401, 'ZMS does not accept this token.')
    }
  }

  /** Signs in with the code of a link. */
  async withLink(code: string | undefined, address: string): Promise<Session | SignInRefusal> {
    const { linkFile, sessions, clock } = this.#options
    if (linkFile === undefined || code === undefined) return refused(403, 'This link is not good any more.')
    const late = this.#takeAttempt(address, undefined)
    if (late !== undefined) return late
    return (
      sessions.of(await redeemSignInLink(linkFile, code, clock())) ?? refused(403, 'This link is not good any more.')
    )
  }

  /** The form to sign in, which leads to `next` afterwards. */
  form({ next, userName, kept, certificates }: SignInForm): Html {
    const { passwords, linkFile } = this.#options
    const inputs = html`<input type="hidden" name="next" value="${next}">${kept && keptInputs(kept)}`
    return html`${
      kept &&
      html`<p>What you had written is kept${
        kept.fields.secrets.length > 0 && `, but for the ${kept.fields.secrets.join(' and the ')}`
      }. Sign in to see it again and send it; nothing has been changed yet.</p>`
    }
${
  passwords &&
  html`<form method="post" action="/sign-in" class="stacked">${inputs}
<div class="field"><label for="user">Name</label><input id="user" name="user" value="${userName}" autocomplete="username" required autofocus></div>
<div class="field"><label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required></div>
<button class="primary">Sign in</button></form>`
}
${certificates?.form(inputs)}
${
  linkFile !== undefined &&
  html`<p>This page belongs to <code>athenz dev</code>, which printed a link to sign in as its administrator. A link is good once;
<code>athenz dev link</code> prints another one.</p>`
}`
  }

  #nameOf(text: string | undefined): string | undefined {
    const prefix = `${this.#options.userDomain}.`
    const name = text?.startsWith(prefix) ? text.slice(prefix.length) : text
    // A colon would end the name in the header.
    return name === undefined || !/^[\w][\w.-]{0,254}$/.test(name) ? undefined : name
  }

  #takeAttempt(address: string, name: string | undefined): SignInRefusal | undefined {
    const now = (this.#options.uptime ?? (() => performance.now()))()
    const isShared = this.#options.isShared(address)
    // What the address has no attempt left for does not count for the name: one address could lock everybody out.
    const waitMillis =
      (!isShared && this.#byAddress?.take(addressKey(address), now)) ||
      (name !== undefined && this.#byName?.take(name.toLowerCase(), now)) ||
      0
    if (waitMillis === 0) return undefined
    const seconds = Math.ceil(waitMillis / 1000)
    return { ...refused(429, `Too many attempts. Try again in ${seconds} s.`), retryAfterSeconds: seconds }
  }
}

/** The form that was kept through a sign-in; undefined when there was none. */
export function keptForm(fields: Fields): KeptForm | undefined {
  const to = fields.text('kept-to')
  if (to === undefined) return undefined
  const kept = fields.without([]).filter(([name]) => name.startsWith(KEPT_PREFIX))
  return { to, fields: Fields.of(kept.map(([name, value]) => [name.slice(KEPT_PREFIX.length), value])) }
}

/** Whatever somebody wrote into a form, as hidden fields; what is secret is left out. */
export const hiddenInputs = (fields: Fields): Content => inputsOf(fields.without(['csrf', ...SECRET_FIELDS]))

/** Of secret fields the name alone is kept, so that they are asked for again. */
const keptInputs = ({ to, fields }: KeptForm): Html =>
  html`<input type="hidden" name="kept-to" value="${to}">${inputsOf(fields.withoutSecrets().without(['csrf']), KEPT_PREFIX)}`

const inputsOf = (fields: readonly (readonly [name: string, value: string])[], prefix = ''): Content =>
  fields.map(([name, value]) => html`<input type="hidden" name="${prefix + name}" value="${value}">`)

const refused = (status: number, problem: string): SignInRefusal => ({ status, problem })
