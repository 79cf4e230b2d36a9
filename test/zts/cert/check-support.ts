import { readCertificateRequest } from '#zts/cert/certificate-request.ts'
import { firstRefusal, type RequestCheck } from '#zts/cert/request-checks.ts'
import type { RequestRules } from '#zts/cert/request-rules.ts'
import { anySpiffeUri, basicUris, trustDomainUris } from '#zts/cert/spiffe-uri.ts'

/** The rules of a server without settings. */
export const RULES: RequestRules = {
  allowedOrganizations: new Set(),
  allowedUnits: new Set(),
  verifiesUnit: false,
  verifiesAddress: false,
  verifiesUriSchemes: false,
  verifiesRoleDnsNames: false,
  dnsSuffixes: ['.athenz.cloud'],
  userNamespace: 'default',
  spiffe: anySpiffeUri([trustDomainUris('athenz.io'), basicUris]),
  dataValidator: undefined,
  hostnames: undefined,
}

/** Why checks refuse a request in PEM; undefined when they do not. */
export const refusalOf = async <Subject>(
  checks: readonly RequestCheck<Subject>[],
  csr: string,
  subject: Subject,
  rules: Partial<RequestRules> = {},
): Promise<string | undefined> =>
  firstRefusal(checks, await readCertificateRequest(csr), subject, { ...RULES, ...rules })
