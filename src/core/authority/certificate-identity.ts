import type { X509Certificate } from 'node:crypto'
import { certificateAlternativeNames } from '#core/crypto/certificate-alternative-names.ts'
import { credentialPrincipal } from '#core/names/credential-principal.ts'
import type { Glob } from '#core/rbac/glob.ts'
import type { Rejection } from './authority.ts'

/** Who a certificate names. */
export interface CertificateIdentity {
  /** Lower case. */
  readonly domain: string
  /** Lower case. */
  readonly name: string
  /** Full role name of a role certificate. */
  readonly roles?: readonly [string]
  /** Every authorization is refused. */
  readonly restricted: boolean
}

/** Which certificates are accepted, and with what restriction. */
export interface CertificateIdentityRules {
  /** Common names that are refused, written exactly so. */
  readonly excludedPrincipals: ReadonlySet<string>
  readonly excludeRoleCertificates: boolean
  /** Patterns of subject units that restrict a certificate, beside `*:restricted`. */
  readonly restrictedUnits: readonly Glob[]
}

const ROLE_INFIX = ':role.'
const RESTRICTED_SUFFIX = ':restricted'
const PRINCIPAL_URI = 'athenz://principal/'

/**
 * Reads the identity out of a certificate: the common name is `domain.service` or an external member, or, in a role certificate,
 * `domain:role.name`, whose holder is named by the first URI `athenz://principal/{holder}` among the alternative names or
 * else by the local part of the e-mail address if there is exactly one. Says nothing about the certificate's validity.
 */
export function readCertificateIdentity(
  certificate: X509Certificate,
  rules: CertificateIdentityRules,
): CertificateIdentity | Rejection {
  const subject: Readonly<Record<string, string | string[] | undefined>> = { ...certificate.toLegacyObject().subject }
  const commonNames = [subject.CN ?? []].flat()
  if (commonNames.length > 1) return { rejected: 'Certificate has more than one common name' }
  const [commonName = ''] = commonNames
  if (commonName === '') return { rejected: 'Certificate principal is empty' }
  if (rules.excludedPrincipals.has(commonName)) return { rejected: 'Principal is excluded' }

  const isRole = commonName.includes(ROLE_INFIX)
  if (isRole && rules.excludeRoleCertificates) return { rejected: 'Role Certificates not allowed' }
  const holder = isRole ? roleHolder(certificate) : commonName
  if (holder === undefined) return { rejected: 'Invalid role cert, no role principal' }
  const parts = credentialPrincipal(holder)
  if (parts === undefined) return { rejected: 'Principal is not a valid service identity' }

  const units = [subject.OU ?? []].flat()
  const restricted = units.some(
    (unit) => unit.endsWith(RESTRICTED_SUFFIX) || rules.restrictedUnits.some((glob) => glob.matches(unit)),
  )
  return { ...parts, ...(isRole && { roles: [commonName] }), restricted }
}

function roleHolder(certificate: X509Certificate): string | undefined {
  const names = certificateAlternativeNames(certificate)
  if (names === undefined) return undefined
  const { uris, emails } = names
  const uri = uris.find((text) => text.startsWith(PRINCIPAL_URI))
  if (uri !== undefined) return uri.slice(PRINCIPAL_URI.length)
  const [email, ...others] = emails
  if (email === undefined || others.length > 0) return undefined
  const at = email.indexOf('@')
  return at > 0 ? email.slice(0, at) : undefined
}
