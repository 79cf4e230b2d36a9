import type { Signer } from '#core/crypto/signing.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'

/** Life of a token, the one that the original uses. */
const LIFE_SECONDS = 86_400
/** Half of it, so that a server whose clock is behind has time. */
const RENEWAL_SECONDS = LIFE_SECONDS / 2

/** What tokens are made of. */
export interface ZmsTokenOptions {
  /** Signs the next token. */
  readonly signer: () => Signer
  /** Name of this machine. */
  readonly host: string
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** Principal tokens of `sys.auth.zts`, each used for half of its life. */
export class ZmsToken {
  readonly #options: ZmsTokenOptions
  #issueTimeSeconds = 0
  #token: Promise<string> | undefined

  constructor(options: ZmsTokenOptions) {
    this.#options = options
  }

  /** A token that is good now. */
  current(): Promise<string> {
    const nowSeconds = Math.floor(this.#options.now() / 1000)
    const age = nowSeconds - this.#issueTimeSeconds
    // A clock that was set back makes a token of the future.
    if (this.#token === undefined || age < 0 || age >= RENEWAL_SECONDS) {
      this.#issueTimeSeconds = nowSeconds
      this.#token = this.#sign(nowSeconds)
    }
    return this.#token
  }

  /** Makes the next one anew. */
  renew(): void {
    this.#token = undefined
  }

  #sign(issueTimeSeconds: number): Promise<string> {
    const { signer, host } = this.#options
    return signPrincipalToken(
      {
        version: 'S1',
        domain: 'sys.auth',
        name: 'zts',
        host,
        issueTimeSeconds,
        expiryTimeSeconds: issueTimeSeconds + LIFE_SECONDS,
      },
      signer(),
    )
  }
}
