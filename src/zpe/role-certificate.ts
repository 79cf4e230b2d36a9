import { parseName } from '#core/authority/distinguished-name.ts'
import { Refusal } from './access-status.ts'
import type { CertificateFacts } from './certificate-facts.ts'

/** The role that a certificate names. */
export interface CertificateRole {
  readonly domain: string
  /** Local name. */
  readonly role: string
}

const ROLE_INFIX = ':role.'

/** Issuers whose certificates are accepted. */
export class AcceptedIssuers {
  readonly #canonical = new Set<string>()
  readonly #texts = new Set<string>()

  /**
   * `names` are distinguished names, the common name first.
   * @throws RangeError when one of them is none
   */
  constructor(names: Iterable<string>) {
    for (const name of names) {
      const canonical = parseName(name)
      if (canonical === undefined) throw new RangeError(`${JSON.stringify(name)} is not a distinguished name`)
      this.#canonical.add(folded(canonical))
      this.#texts.add(withoutBlanks(name))
    }
  }

  /** Whether the issuer is one of them: with the same attributes in whatever order and letter case, or the same text but for blanks. */
  has({ issuer, issuerText }: CertificateFacts): boolean {
    return this.#canonical.has(folded(issuer)) || this.#texts.has(withoutBlanks(issuerText))
  }
}

/** In lower case; no other letter becomes one of ASCII. */
const folded = (name: string): string => name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())

const withoutBlanks = (text: string): string => text.replaceAll(/\s/g, '')

/**
 * The role in the common name of a certificate, `DOMAIN:role.ROLE`. `issuers` says whose certificates are accepted, any
 * when undefined. That the certificate is valid is for TLS to find out.
 */
export function roleOfCertificate(
  certificate: CertificateFacts,
  issuers: AcceptedIssuers | undefined,
): CertificateRole | Refusal {
  const { commonName } = certificate
  if (issuers !== undefined && !issuers.has(certificate)) {
    return new Refusal(
      'DENY_CERT_MISMATCH_ISSUER',
      'the issuer of the certificate is not among those that are accepted',
    )
  }
  if (commonName === undefined) {
    return new Refusal('DENY_CERT_MISSING_SUBJECT', 'the certificate has no common name, or more than one')
  }
  const at = commonName.indexOf(ROLE_INFIX)
  const role = at < 0 ? '' : commonName.slice(at + ROLE_INFIX.length)
  if (role === '') return new Refusal('DENY_CERT_MISSING_ROLE_NAME', `the common name ${commonName} names no role`)
  const domain = commonName.slice(0, at)
  if (domain === '') return new Refusal('DENY_CERT_MISSING_DOMAIN', `the common name ${commonName} names no domain`)
  return { domain, role }
}
