import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { isName } from '#core/names/patterns.ts'
import type { userCertificateEndpoints } from '../api/user-certificate.ts'
import { USER_REQUEST_CHECKS } from '../cert/person-request-checks.ts'
import { personSignerKeyId } from './certificate-choices.ts'
import type { ZtsDependencies } from './dependencies.ts'
import {
  issuePersonCertificate,
  type PersonCertificateDependencies,
  personExpiryMins,
  verifyPerson,
} from './person-certificate.ts'

/** What certificates of users need. */
export type UserCertificateDependencies = PersonCertificateDependencies &
  Pick<ZtsDependencies, 'domains' | 'roleAccess' | 'userAuthority'>

const TIMEOUT_TAG = 'zts.UserCertTimeout'
const SIGNER_KEY_TAG = 'zts.UserCertSignerKeyId'

/** Certificates of users for whom an identity provider vouches. */
export function userCertificateService(deps: UserCertificateDependencies): Handlers<typeof userCertificateEndpoints> {
  const { config, domains, roleAccess, userAuthority } = deps
  const { zts, userDomain } = config

  /** Local name of an active user. */
  const activeUser = async (name: string): Promise<string> => {
    const localName = name.slice(userDomain.length + 1)
    const isUser = name.startsWith(`${userDomain}.`) && isName('SimpleName', localName)
    const type = isUser ? await (userAuthority?.userType?.(name) ?? 'active') : 'invalid'
    if (type !== 'active') throw badRequest('User name is not valid for certificate request')
    return localName
  }

  /** The largest that the roles of a user say, for the signing key in use; undefined when none says anything. */
  const minutesOfRoles = (name: string, signerKeyId: string | undefined): number | undefined => {
    const domain = domains.get(userDomain)
    const held = domain === undefined ? [] : roleAccess.rolesOf(domain, name)
    const minutes = held.flatMap((roleName) => {
      const tags = domain?.roles.get(roleName)?.tags
      const forKey = tags?.get(SIGNER_KEY_TAG)?.[0] || undefined
      return forKey === signerKeyId ? wholeMinutes(tags?.get(TIMEOUT_TAG)?.[0]) : []
    })
    return minutes.length > 0 ? Math.max(...minutes) : undefined
  }

  return {
    async postUserCertificateRequest({ body }, context) {
      const provider = zts.userCertProvider
      if (userAuthority === undefined || provider === undefined) {
        throw badRequest('User authority configuration is not set')
      }
      const name = body.name.toLowerCase()
      const localName = await activeUser(name)
      const request = await verifyPerson(
        deps,
        {
          person: { name, domain: userDomain, localName },
          provider,
          confirmed: { domain: userDomain, service: localName },
          csr: body.csr,
          attestationData: body.attestationData,
          checks: USER_REQUEST_CHECKS,
          mismatch: 'User Certificate Request mismatch',
        },
        context,
      )
      const requestedKeyId = body.x509CertSignerKeyId
      const ownKeyId = await userAuthority.signerKeyId?.(name, requestedKeyId)
      const signerKeyId = personSignerKeyId(ownKeyId, requestedKeyId, zts.userCertSignerKeyIdList)
      const defaultMins = zts.userCertDefaultTimeoutMinutes
      const allowedMins = minutesOfRoles(name, signerKeyId) ?? defaultMins
      const expiryMins = personExpiryMins(
        body.expiryTime,
        allowedMins,
        Math.max(defaultMins, zts.userCertMaxTimeoutMinutes),
      )
      return ok({ x509Certificate: await issuePersonCertificate(deps, { provider, request, expiryMins, signerKeyId }) })
    },
  }
}

function wholeMinutes(text: string | undefined): number[] {
  const minutes = /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0
  return minutes > 0 ? [minutes] : []
}
