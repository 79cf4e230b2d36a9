import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { subjectAttributes } from '#core/crypto/certificate-subject.ts'
import { pemBlocks } from '#core/crypto/pem.ts'
import type { AuthenticationResult, Authority, AuthorityContext, PropertyReader } from './authority.ts'
import { type CertificateIdentityRules, readCertificateIdentity } from './certificate-identity.ts'
import { readCertificateRules } from './certificate-rules.ts'
import { type IdentityIssuers, NO_IDENTITY_ISSUERS, readIdentityIssuers } from './identity-issuers.ts'
import type { PeerCertificateChain } from './peer-certificate.ts'
import { textSetting } from './setting.ts'

const TRUST_STORE_PROPERTY = 'athenz.authority.truststore.path'
const ISSUER_MAP_PROPERTY = 'athenz.auth.certificate.identity_issuer_map_fname'

/**
 * Accepts client certificates, which TLS has verified, of services, users and roles. Properties:
 * `athenz.authority.truststore.path` (PEM file; when given, only certificates issued by one of its subjects count),
 * `athenz.auth.certificate.excluded_principals` (comma list of common names),
 * `athenz.auth.certificate.exclude_role_certificates`, `athenz.auth.certificate.identity_issuer_map_fname` (JSON file),
 * `athenz.crypto.restricted_ou` (comma list of patterns with `*` and `?`).
 */
export class CertificateAuthority implements Authority {
  readonly id = 'Auth-X509'
  readonly credentialSource = 'certificate'
  readonly challenge = 'AthenzX509Certificate realm="athenz"'
  readonly allowAuthorization = true
  #rules!: CertificateIdentityRules
  /** Undefined: any issuer that TLS trusts. */
  #issuers: ReadonlySet<string> | undefined
  #identityIssuers: IdentityIssuers = NO_IDENTITY_ISSUERS

  async initialize({ property }: AuthorityContext): Promise<void> {
    this.#rules = readCertificateRules(property, 'athenz.auth.certificate')
    this.#issuers = await fromFile(property, TRUST_STORE_PROPERTY, readSubjects)
    this.#identityIssuers = (await fromFile(property, ISSUER_MAP_PROPERTY, readIdentityIssuers)) ?? NO_IDENTITY_ISSUERS
  }

  authenticateCertificate({ leaf }: PeerCertificateChain): AuthenticationResult {
    // Issuers of other certificates than those of principals may be trusted for TLS; this is then no credential here.
    if (this.#issuers !== undefined && !this.#issuers.has(leaf.issuer)) return null
    const identity = readCertificateIdentity(leaf, this.#rules)
    const subject = subjectAttributes(leaf).toReversed().join(', ')
    if ('rejected' in identity) return { rejected: `CertificateAuthority: ${identity.rejected}: ${subject}` }
    const { domain, name, roles, restricted } = identity
    const fullName = `${domain}.${name}`
    return {
      domain,
      name,
      fullName,
      authority: this,
      unsignedCredentials: subject,
      issueTimeSeconds: 0,
      ...(roles && { roles, rolePrincipalName: fullName }),
      x509Certificate: leaf,
      issuerIdentity: this.#identityIssuers.identityOf(leaf),
      mtlsRestricted: restricted,
    }
  }
}

async function fromFile<T>(
  property: PropertyReader,
  name: string,
  read: (file: string) => Promise<T>,
): Promise<T | undefined> {
  const file = textSetting(property, name)
  if (file === undefined) return undefined
  try {
    return await read(file)
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause })
  }
}

/** Subjects of the certificates in a PEM file; without any, nothing would be accepted, which nobody wants. */
async function readSubjects(file: string): Promise<ReadonlySet<string>> {
  const blocks = pemBlocks(await readFile(file, 'latin1')).filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length === 0) throw new Error(`${file} has no certificate in PEM form`)
  return new Set(blocks.map(({ text }) => new X509Certificate(text).subject))
}
