import { messageOf } from '#core/error/message-of.ts'
import { ServiceError } from '#core/error/service-error.ts'
import type { AuthorityTexts } from './authority-texts.ts'
import type { CertificateSigner, SigningRequest } from './certificate-signer.ts'

/** What an issuer is made of. */
export interface CertificateIssuerParts {
  readonly signer: CertificateSigner
  /** What clients get as certificates of the authority in place of what the signer tells. */
  readonly authorityTexts: AuthorityTexts
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** Issues certificates with the signer of the configuration. */
export class CertificateIssuer {
  readonly #parts: CertificateIssuerParts

  constructor(parts: CertificateIssuerParts) {
    this.#parts = parts
  }

  /** The longest life that the signer gives. */
  get maxExpiryMins(): number {
    return this.#parts.signer.maxExpiryMins
  }

  /**
   * The certificate in PEM, with its chain when the signer sends one. Rejects with `internal` and `failureMessage`; what
   * the signer says goes to the log.
   */
  async issue(request: SigningRequest, failureMessage = 'unable to generate identity'): Promise<string> {
    try {
      return await this.#parts.signer.sign(request)
    } catch (cause) {
      throw new ServiceError('internal', failureMessage, { cause, detail: messageOf(cause) })
    }
  }

  /**
   * Certificates of the authority in PEM, for clients: from the files of the configuration, by signing key, or else as the
   * signer tells. Undefined when nobody knows; a signer that fails is logged.
   */
  async caCertificate(provider: string | undefined, signerKeyId: string | undefined): Promise<string | undefined> {
    const { signer, authorityTexts, log } = this.#parts
    const text = authorityTexts.of(signerKeyId)
    if (text !== undefined) return text
    try {
      return await signer.caCertificate(provider, signerKeyId)
    } catch (cause) {
      log('error', `certificates of the authority are not known: ${messageOf(cause)}`)
      return undefined
    }
  }

  async close(): Promise<void> {
    await this.#parts.signer.close?.()
  }
}
