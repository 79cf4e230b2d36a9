import { LRUCache } from 'lru-cache'
import type { Signer } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import type { PrincipalType } from '#core/names/principal-name.ts'
import { CanonicalPart, canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import type { Domain } from '../store/model.ts'
import { SignedDomainTexts, type SignedForm, type Texts } from './signed-domain-texts.ts'

/** How a web signature is written: as ASN.1 sequence, or as the standards of JOSE want it. */
export type JwsEncoding = 'der' | 'p1363'

/** Something signed, of a domain as it was at one moment. */
interface Kept {
  readonly id: string
  readonly modified: number
  readonly bytes: Buffer
}

/** Something that is being signed. */
interface Pending extends Omit<Kept, 'bytes'> {
  readonly bytes: Promise<Buffer>
}

/** Most that is kept of what was signed. */
const CACHE_BYTES = 32 * 1024 * 1024

/**
 * Signs domains. What was signed is kept, within bounds, as the bytes that are sent, so that a domain which has not
 * changed costs nothing; those who ask for the same at the same time share the work.
 */
export class DomainSigner {
  readonly #signer: Signer
  readonly #typeOf: (memberName: string) => PrincipalType
  readonly #kept = new LRUCache<string, Kept>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ bytes }) => bytes.length + 1,
  })
  readonly #pending = new Map<string, Pending>()

  constructor(signer: Signer, typeOf: (memberName: string) => PrincipalType) {
    this.#signer = signer
    this.#typeOf = typeOf
  }

  /** `{"domain":…,"signature":…,"keyId":…}` with the policies signed by themselves, too. */
  signed(domain: Domain, { conditions }: { conditions: boolean }): Buffer | Promise<Buffer> {
    const form = conditions ? 'signed-with-conditions' : 'signed'
    return this.#cached(domain, form, async () => {
      const { json, canonical } = await this.#texts(domain, form)
      return `{"domain":${json},${this.#members(await this.#signature(canonical))}}`
    })
  }

  /**
   * A web signature in the flattened JSON form. In DER encoding the algorithm is ES256 for every EC key, with SHA-256, as
   * existing verifiers expect; in P1363 encoding it is the one that the standard has for the key.
   */
  jws(
    domain: Domain,
    { credentials, encoding }: { credentials: boolean; encoding: JwsEncoding },
  ): Buffer | Promise<Buffer> {
    const form = credentials ? 'jws-with-credentials' : 'jws'
    return this.#cached(domain, `${form} ${encoding}`, async () => {
      const { json } = await this.#texts(domain, form)
      const { keyId, kind, joseAlgorithm } = this.#signer
      const legacyAlgorithm = kind.family === 'rsa' ? 'RS256' : 'ES256'
      const alg = encoding === 'der' ? legacyAlgorithm : joseAlgorithm
      const protectedHeader = base64url(JSON.stringify({ kid: keyId, alg }))
      const payload = base64url(json)
      const input = `${protectedHeader}.${payload}`
      const signature = await (encoding === 'der' ? this.#signer.sign(input) : this.#signer.signJose(input, 'p1363'))
      const header = JSON.stringify({ kid: keyId })
      return `{"payload":"${payload}","protected":"${protectedHeader}","header":${header},"signature":"${signature.toString('base64url')}"}`
    })
  }

  async #texts(domain: Domain, form: SignedForm): Promise<Texts> {
    const texts = new SignedDomainTexts(domain, form, this.#typeOf)
    const contents = await texts.contents()
    const signature = await this.#signature(contents.canonical)
    return texts.domain({
      json: `{"contents":${contents.json},${this.#members(signature)}}`,
      canonical: canonicalText(
        { contents: new CanonicalPart(contents.canonical), signature, keyId: this.#signer.keyId },
        canonicalShapes.signedPolicies,
      ),
    })
  }

  async #signature(text: string): Promise<string> {
    return encodeYBase64(await this.#signer.sign(text))
  }

  #members(signature: string): string {
    return `"signature":"${signature}","keyId":${JSON.stringify(this.#signer.keyId)}`
  }

  #cached(domain: Domain, form: string, sign: () => Promise<string>): Buffer | Promise<Buffer> {
    const { name, id, modified } = domain
    const key = `${form} ${name}`
    const kept = this.#kept.get(key)
    if (kept?.id === id && kept.modified === modified) return kept.bytes
    const pending = this.#pending.get(key)
    if (pending?.id === id && pending.modified === modified) return pending.bytes
    const current: Pending = { id, modified, bytes: sign().then((text) => Buffer.from(text)) }
    this.#pending.set(key, current)
    void this.#keep(key, current)
    return current.bytes
  }

  async #keep(key: string, current: Pending): Promise<void> {
    const isLatest = () => this.#pending.get(key) === current
    try {
      const bytes = await current.bytes
      if (isLatest()) this.#kept.set(key, { id: current.id, modified: current.modified, bytes })
    } catch {
      // Those who have asked for it are told.
    } finally {
      if (isLatest()) this.#pending.delete(key)
    }
  }
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
