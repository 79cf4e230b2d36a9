import { splitPrincipalName } from '#core/names/principal-name.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import { certificateUris } from './certificate-request.ts'
import type { PresentedCertificate } from './presented-certificate.ts'
import {
  domainLabel,
  oneInstance,
  organization,
  organizationalUnit,
  type RequestCheck,
  sameAddress,
  sameIgnoringCase,
  uriSchemes,
} from './request-checks.ts'

/** The role that a certificate is for, and who asks. Names are lower case. */
export interface RoleSubject {
  readonly domain: string
  /** Local name. */
  readonly role: string
  /** Holder of the role, whom the certificate names. */
  readonly principal: string
  /** Who asks in the holder's place. */
  readonly proxy: string | undefined
  readonly remoteAddress: string
  /** Of the caller, when it came with one. */
  readonly certificate: PresentedCertificate | undefined
}

/** In any letter case: whoever reads it may not mind that. */
const isPrincipalUri = (uri: string) =>
  uri.slice(0, certificateUris.principal.length).toLowerCase() === certificateUris.principal

/** The common name is the full name of the role. */
export const roleCommonName: RequestCheck<RoleSubject> = (request, { domain, role }) =>
  request.commonName !== undefined && sameIgnoringCase(request.commonName, roleResourceName(domain, role))
    ? undefined
    : 'the common name is not that of the role'

/**
 * The URI of the principal, if any, and the e-mail address, if any, name the holder; one of them is there, and neither
 * more than once: which of two URIs counts, readers would have to guess.
 */
export const holder: RequestCheck<RoleSubject> = (request, { principal }, { dnsSuffixes }) => {
  const [uri, ...otherUris] = request.uris.filter(isPrincipalUri)
  const [email, ...otherEmails] = request.emails
  if (uri === undefined && email === undefined) return 'the principal is not named'
  if (otherUris.length > 0 || otherEmails.length > 0) return 'the principal is named more than once'
  if (uri !== undefined && !sameIgnoringCase(uri, certificateUris.principal + principal)) {
    return 'the URI is not that of the principal'
  }
  return email === undefined || isEmailOf(email, principal, dnsSuffixes)
    ? undefined
    : 'the e-mail address is not that of the principal'
}

function isEmailOf(email: string, principal: string, suffixes: readonly string[]): boolean {
  const at = email.indexOf('@')
  const lower = email.toLowerCase()
  return (
    at !== -1 &&
    at === email.lastIndexOf('@') &&
    sameIgnoringCase(email.slice(0, at), principal) &&
    suffixes.some((suffix) => lower.endsWith(suffix) && lower.length > at + 1 + suffix.length)
  )
}

/** Every DNS name is the principal's, stands in the caller's certificate, or is accepted by the plug-in. */
export const roleDnsNames: RequestCheck<RoleSubject> = async (request, subject, rules) => {
  if (!rules.verifiesRoleDnsNames) return undefined
  const { domain, role, principal, certificate } = subject
  const own = splitPrincipalName(principal)
  const ownNames = own && rules.dnsSuffixes.map((suffix) => `${own.name}.${domainLabel(own.domain)}${suffix}`)
  for (const name of request.dnsNames) {
    if (certificate?.dnsNames.includes(name) || ownNames?.includes(name.toLowerCase())) continue
    const { dataValidator } = rules
    const accepted = await dataValidator?.acceptsRoleDnsName(name.toLowerCase(), domain, role, principal)
    if (accepted !== true) return `the DNS name ${name} is not that of the principal`
  }
  return undefined
}

/** Who asks for somebody else is named, and nobody else beside. */
export const proxyUser: RequestCheck<RoleSubject> = (request, { proxy }) => {
  if (proxy === undefined) return undefined
  const [uri, ...others] = request.uris.filter((text) => text.startsWith(certificateUris.proxyUser))
  const named = uri !== undefined && others.length === 0 && uri === certificateUris.proxyUser + proxy
  return named ? undefined : 'the caller is not named as proxy user'
}

/** The SPIFFE id, if any, is that of the role. */
export const roleSpiffeUri: RequestCheck<RoleSubject> = ({ spiffeUri }, { domain, role }, { spiffe }) =>
  spiffeUri === undefined || spiffe.isRoleUri(spiffeUri, domain, role)
    ? undefined
    : 'the SPIFFE URI is not that of the role'

/** The unit is that of the caller's certificate, or an allowed one. */
export const callerUnit: RequestCheck<RoleSubject> = (request, { certificate }, rules) =>
  organizationalUnit(request, { unit: certificate?.organizationalUnit }, rules)

/** The instance and the host, if named, are those of the caller's certificate. */
export const callerInstance: RequestCheck<RoleSubject> = ({ instanceId, hostname }, { certificate }) => {
  if (hostname !== undefined && hostname !== certificate?.hostname) return 'the host is not that of the caller'
  return instanceId === undefined || instanceId === certificate?.instanceId
    ? undefined
    : 'the instance is not that of the caller'
}

/** All addresses stand in the caller's certificate, or the only one is that of the caller. */
export const callerAddresses: RequestCheck<RoleSubject> = (request, { certificate, remoteAddress }, rules) => {
  const { ipAddresses } = request
  const [address, ...others] = ipAddresses
  if (!rules.verifiesAddress || address === undefined) return undefined
  if (others.length === 0 && sameAddress(address, remoteAddress)) return undefined
  return ipAddresses.every((ip) => certificate?.ipAddresses.some((own) => sameAddress(own, ip)))
    ? undefined
    : 'an address is not that of the caller'
}

/** Requests for role certificates. */
export const ROLE_REQUEST_CHECKS: readonly RequestCheck<RoleSubject>[] = [
  roleCommonName,
  holder,
  uriSchemes,
  roleDnsNames,
  proxyUser,
  organization,
  roleSpiffeUri,
  callerUnit,
  oneInstance,
  callerInstance,
  callerAddresses,
]
