import type { KeyObject } from 'node:crypto'
import { type VerificationPlace, verifyJoseSignature, verifySignature } from '#core/crypto/signing.ts'
import { parseYBase64 } from '#core/crypto/ybase64.ts'
import { inTurns } from '#core/seam/steps.ts'
import { domainCanonicalSteps } from './domain-canonical-text.ts'

/** A domain whose signature is not that of ZMS, or that has none that can be checked. */
export class UnverifiedDomain extends Error {}

/** Public keys of ZMS. */
export interface ZmsKeys {
  readonly current: { readonly file: string; readonly zmsPublicKeys: ReadonlyMap<string, KeyObject> }
  /** Looks for new keys; gives whether there are others than before. */
  refresh(): Promise<boolean>
}

/** How domains are verified. */
export interface DomainVerifierOptions {
  readonly keys: ZmsKeys
  /** Accept JSON web signatures only: plain signed domains leave some settings without protection. */
  readonly webSignaturesOnly: boolean
}

type Json = Readonly<Record<string, unknown>>

/** Id of the key when a signed domain names none. */
const DEFAULT_KEY_ID = '0'
/** Up to so many characters are verified in less time than it takes to hand them over to the thread pool and back. */
const SHORT_TEXT = 65_536

/** Verifies that domains were signed by ZMS, in either of the forms that it gives them. */
export class DomainVerifier {
  readonly #keys: ZmsKeys
  readonly #webSignaturesOnly: boolean

  constructor({ keys, webSignaturesOnly }: DomainVerifierOptions) {
    this.#keys = keys
    this.#webSignaturesOnly = webSignaturesOnly
  }

  /** The DomainData of a signed text. Rejects with {@link UnverifiedDomain} and the reason. */
  async verify(signed: Uint8Array): Promise<unknown> {
    const document = parsed(Buffer.from(signed.buffer, signed.byteOffset, signed.byteLength).toString('utf8'))
    if (typeof document['payload'] === 'string') return this.#webSignature(document, document['payload'])
    if (this.#webSignaturesOnly) throw new UnverifiedDomain('it is no JSON web signature')
    return this.#signedDomain(document)
  }

  async #signedDomain({ domain, signature, keyId }: Json): Promise<unknown> {
    if (typeof domain !== 'object' || domain === null || Array.isArray(domain) || typeof signature !== 'string') {
      throw new UnverifiedDomain('it has no domain or no signature')
    }
    const key = await this.#key(keyId ?? DEFAULT_KEY_ID)
    const bytes = parseYBase64(signature)
    if (typeof bytes === 'string') throw new UnverifiedDomain(`its signature is ${bytes}`)
    const text = await inTurns(domainCanonicalSteps(domain as Json))
    const valid = await verifySignature(key, text, bytes, placeFor(text))
    if (!valid) throw new UnverifiedDomain('its signature is wrong')
    return domain
  }

  async #webSignature({ protected: protectedPart, header, signature }: Json, payload: string): Promise<unknown> {
    if (typeof protectedPart !== 'string' || typeof signature !== 'string') {
      throw new UnverifiedDomain('it has no protected header or no signature')
    }
    const { kid: outerKid } = (header ?? {}) as Json
    const { alg, kid = outerKid, crit } = parsed(decoded(protectedPart))
    if (typeof alg !== 'string' || crit !== undefined || kid !== (outerKid ?? kid)) {
      throw new UnverifiedDomain('its headers contradict each other or cannot be followed')
    }
    const key = await this.#key(kid)
    const bytes = Buffer.from(signature, 'base64url')
    // ZMS writes ECDSA signatures of domains as ASN.1, unless it is asked not to.
    const text = `${protectedPart}.${payload}`
    const valid = await verifyJoseSignature(alg, key, text, bytes, 'der', placeFor(text))
    if (!valid) throw new UnverifiedDomain('its signature is wrong')
    return parsed(decoded(payload))
  }

  async #key(keyId: unknown): Promise<KeyObject> {
    if (typeof keyId !== 'string') throw new UnverifiedDomain('it names no key')
    const find = () => this.#keys.current.zmsPublicKeys.get(keyId)
    const known = find()
    if (known !== undefined) return known
    await this.#keys.refresh()
    const found = find()
    if (found !== undefined) return found
    const { file } = this.#keys.current
    throw new UnverifiedDomain(
      `it is signed with the key ${JSON.stringify(keyId)}, which is not among the zmsPublicKeys of ${file}`,
    )
  }
}

const placeFor = (text: string): VerificationPlace =>
  text.length <= SHORT_TEXT ? 'where-it-is-fastest' : 'thread-pool'

function parsed(text: string): Json {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Json
  } catch {
    // The parser's message may quote what it has read.
  }
  throw new UnverifiedDomain('it is no JSON object, or not all of it')
}

const decoded = (part: string): string => Buffer.from(part, 'base64url').toString('utf8')
