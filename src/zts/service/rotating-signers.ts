import type { KeyObject } from 'node:crypto'
import { ConfigError } from '#core/config/config-error.ts'
import type { ServerSigners } from '#core/crypto/server-signers.ts'
import type { Signer } from '#core/crypto/signing.ts'
import type { KeyType, TokenSigners } from './token-signers.ts'

/** What the rotation of keys is made of. */
export interface RotationParts {
  /** Reads the keys that are configured now; rejects with a ConfigError when they are no good. */
  readonly load: () => Promise<ServerSigners>
  readonly byPurpose: (signers: ServerSigners) => TokenSigners
  readonly log: (level: 'info' | 'warn', message: string) => void
}

/** The public key by which verifiers know a key id of this server; undefined when they do not know it. */
export type PublishedKeyLookup = (keyId: string) => KeyObject | undefined

/**
 * Signing keys that may be exchanged while the server runs. A new key signs as soon as it is configured under an id of its
 * own and verifiers can know it; until then, and whenever something is wrong, the keys in use go on.
 */
export class RotatingSigners implements TokenSigners {
  readonly #parts: RotationParts
  #current: TokenSigners
  #complaint = ''

  /** Rejects with a ConfigError when there are no keys to begin with. */
  static async open(parts: RotationParts): Promise<RotatingSigners> {
    return new RotatingSigners(parts, parts.byPurpose(await parts.load()))
  }

  private constructor(parts: RotationParts, current: TokenSigners) {
    this.#parts = parts
    this.#current = current
  }

  jsonWebObjects(keyType?: KeyType): Signer {
    return this.#current.jsonWebObjects(keyType)
  }

  get proprietaryObjects(): Signer {
    return this.#current.proprietaryObjects
  }

  get plugIns(): Signer {
    return this.#current.plugIns
  }

  get instanceProviders(): Signer {
    return this.#current.instanceProviders
  }

  get all(): readonly Signer[] {
    return this.#current.all
  }

  /** Takes over the keys that are configured now, if they are others; what is in the way is logged once. */
  async refresh(published: PublishedKeyLookup): Promise<void> {
    const loaded = await this.#load()
    if (loaded === undefined) return
    const complaint = this.#objection(loaded, published)
    this.#complain(complaint)
    if (complaint !== '' || isSame(loaded.all, this.all)) return
    this.#current = this.#parts.byPurpose(loaded)
    this.#parts.log('info', `signing keys: ${this.all.map(describe).join(', ')}`)
  }

  async #load(): Promise<ServerSigners | undefined> {
    try {
      return await this.#parts.load()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      this.#complain(error.problems.join('; '))
      return undefined
    }
  }

  /** Why keys must not be taken over; empty when they may. */
  #objection(loaded: ServerSigners, published: PublishedKeyLookup): string {
    for (const signer of loaded.all) {
      const { keyId, publicKey } = signer
      const former = this.all.find((other) => other.keyId.toLowerCase() === keyId.toLowerCase())
      if (former?.publicKey.equals(publicKey)) continue
      if (former)
        return `another key has the id "${keyId}" of the key in use, by which verifiers know that one (give it another id)`
      if (published(keyId)?.equals(publicKey) !== true) {
        return `verifiers do not know the key "${keyId}" yet (register it as a key of sys.auth.zts in ZMS, or add it to athenz.conf)`
      }
    }
    return ''
  }

  #complain(complaint: string): void {
    if (complaint !== '' && complaint !== this.#complaint) {
      this.#parts.log('warn', `signing keys not exchanged, those in use stay: ${complaint}`)
    }
    this.#complaint = complaint
  }
}

const describe = ({ keyId, kind }: Signer): string => `"${keyId}" (${kind.name})`

const isSame = (some: readonly Signer[], others: readonly Signer[]): boolean =>
  some.length === others.length &&
  some.every(
    ({ keyId, publicKey }, index) => others[index]?.keyId === keyId && others[index].publicKey.equals(publicKey),
  )
