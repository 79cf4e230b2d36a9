import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { ProviderFactory } from '../instance-providers.ts'
import { IdentityProvider, type IdentityProviderOptions } from './identity-provider.ts'

const CLASS_PATH = 'com.yahoo.athenz.instance.provider.impl'

/** Those who vouch for people, by the class names of existing configurations. */
export function personProviderClasses(
  config: Pick<ConfigOf['zts'], 'userCert' | 'externalMemberCert'>,
  parts: Pick<IdentityProviderOptions, 'privateKeyStore' | 'now' | 'log'>,
): ReadonlyMap<string, ProviderFactory> {
  const { userNameClaim, ...user } = config.userCert
  const { memberNameClaim, ...member } = config.externalMemberCert
  return new Map([
    [
      `${CLASS_PATH}.UserCertificateProvider`,
      opened({
        ...parts,
        prefix: 'athenz.zts.user_cert.',
        settings: user,
        nameClaim: userNameClaim,
        namesOf: ({ domain, service }) => [service, `${domain}.${service}`],
      }),
    ],
    [
      `${CLASS_PATH}.ExternalMemberCertificateProvider`,
      opened({
        ...parts,
        prefix: 'athenz.zts.external_member_cert.',
        settings: member,
        nameClaim: memberNameClaim,
        namesOf: ({ service }) => [service],
      }),
    ],
  ])
}

/** Which settings are missing, the log says when the provider is first asked: domains decide whether it ever is. */
const opened =
  (options: IdentityProviderOptions): ProviderFactory =>
  () => {
    try {
      return new IdentityProvider(options)
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.join('; ')
      throw error
    }
  }
