import type { EcdsaEncoding, Signer } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import type { PrincipalType } from '#core/names/principal-name.ts'
import { CanonicalPart, canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { flattenedJws } from '#core/token/flattened-jws.ts'
import { SignedBytes } from '#core/token/signed-bytes.ts'
import type { Texts } from '#core/token/signed-texts.ts'
import type { Domain } from '../store/model.ts'
import { SignedDomainTexts, type SignedForm } from './signed-domain-texts.ts'

/**
 * Signs domains. What was signed is kept, within bounds, as the bytes that are sent, so that a domain which has not
 * changed costs nothing; those who ask for the same at the same time share the work.
 */
export class DomainSigner {
  readonly #signer: Signer
  readonly #typeOf: (memberName: string) => PrincipalType
  readonly #bytes = new SignedBytes()

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

  /** A web signature in the flattened JSON form, see {@link flattenedJws}. */
  jws(
    domain: Domain,
    { credentials, encoding }: { credentials: boolean; encoding: EcdsaEncoding },
  ): Buffer | Promise<Buffer> {
    const form = credentials ? 'jws-with-credentials' : 'jws'
    return this.#cached(domain, `${form} ${encoding}`, async () => {
      const { json } = await this.#texts(domain, form)
      return flattenedJws(this.#signer, json, encoding)
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

  #cached({ name, id, modified }: Domain, form: string, sign: () => Promise<string>): Buffer | Promise<Buffer> {
    return this.#bytes.get(`${form} ${name}`, `${id} ${modified}`, sign)
  }
}
