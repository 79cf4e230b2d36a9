import type { Signer } from '../crypto/signing.ts'
import { type PrincipalTokenClaims, signPrincipalToken } from './sign-principal-token.ts'

/** What the tokens of a service are made of. */
export interface ServiceTokenOptions extends Pick<PrincipalTokenClaims, 'domain' | 'name' | 'host' | 'ip'> {
  /** Signs the next token. */
  readonly signer: () => Signer
  readonly lifeSeconds: number
  /** Epoch milliseconds. */
  readonly now: () => number
}

/**
 * Principal tokens (`S1`) of a service, signed by itself. Each is used for half of its life, so that a server whose clock
 * is behind has time.
 */
export class ServiceToken {
  readonly #options: ServiceTokenOptions
  #issueTimeSeconds = 0
  #token: Promise<string> | undefined

  constructor(options: ServiceTokenOptions) {
    this.#options = options
  }

  /** A token that is good now. */
  current(): Promise<string> {
    const nowSeconds = Math.floor(this.#options.now() / 1000)
    const age = nowSeconds - this.#issueTimeSeconds
    // A clock that was set back makes a token of the future.
    if (this.#token === undefined || age < 0 || age >= this.#options.lifeSeconds / 2) {
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
    const { signer, domain, name, host, ip, lifeSeconds } = this.#options
    return signPrincipalToken(
      {
        version: 'S1',
        domain,
        name,
        ...(host !== undefined && { host }),
        ...(ip !== undefined && { ip }),
        issueTimeSeconds,
        expiryTimeSeconds: issueTimeSeconds + lifeSeconds,
      },
      signer(),
    )
  }
}
