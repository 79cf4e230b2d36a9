import type { Signer } from '#core/crypto/signing.ts'
import type { Clock } from '#core/seam/clock.ts'
import { PAGE_STATEMENT_LIFE_SECONDS, signPageStatement } from '#core/token/page-statement.ts'
import { type Content, type Html, html } from './html.ts'

/** Where the page answers with the address from which the browser gets the token, and takes the token. */
export const CERTIFICATE_SIGN_IN = '/sign-in/certificate'
/** Script of the form. */
export const CERTIFICATE_SCRIPT = 'certificate-sign-in.js'

/** What signing in with a certificate is made of. */
export interface CertificateSignInOptions {
  /** Signs for the service of the page. */
  readonly signer: Signer
  readonly service: string
  /** Address of the page as browsers see it, e.g. `https://ui.example.com`. */
  readonly origin: string
  /** ZMS as browsers reach it, with its path. */
  readonly zmsUrl: string
  readonly clock: Clock
}

/**
 * Signing in with the certificate of the browser. TLS ends at the page, and ZMS need not believe it who somebody is: the
 * browser itself asks ZMS for a token, on this page. ZMS lets the page read it since the service of the page has signed
 * where its page is.
 */
export class CertificateSignIn {
  readonly #options: CertificateSignInOptions
  #statement: { readonly text: string; readonly endMillis: number } | undefined

  constructor(options: CertificateSignInOptions) {
    this.#options = options
  }

  /** Where the form is offered. */
  get origin(): string {
    return this.#options.origin
  }

  /** Whom the script of the form asks. */
  get zmsOrigin(): string {
    return new URL(this.#options.zmsUrl).origin
  }

  /** Where the browser gets the token. */
  async tokenUrl(): Promise<string> {
    const { signer, service, origin, zmsUrl, clock } = this.#options
    const now = clock()
    if (this.#statement === undefined || this.#statement.endMillis < now + SPARE_MILLIS) {
      const endSeconds = Math.floor(now / 1000) + PAGE_STATEMENT_LIFE_SECONDS
      const text = await signPageStatement(signer, { service, origin }, endSeconds)
      this.#statement = { text, endMillis: endSeconds * 1000 }
    }
    return `${zmsUrl}/sys/user/token?page=${this.#statement.text}`
  }

  /** The form, which a script fills and sends; `inputs` go along. */
  form(inputs: Content): Html {
    return html`<form method="post" action="${CERTIFICATE_SIGN_IN}" class="stacked" id="certificate" data-zms="${this.zmsOrigin}">${inputs}
<input type="hidden" name="token"><p><button disabled>Sign in with the certificate of this browser</button></p>
<p role="status"></p><noscript><p>The browser must run scripts for that.</p></noscript></form>`
  }
}

/** So much time is left to use a statement. */
const SPARE_MILLIS = (PAGE_STATEMENT_LIFE_SECONDS * 1000) / 2
