import type { ConfigOf } from '#core/config/server-tables.ts'
import type { ProviderFactory } from '../instance-providers.ts'
import { IdentityProvider, type IdentityProviderOptions } from './identity-provider.ts'

const CLASS_PATH = 'com.yahoo.athenz.instance.provider.impl'

/**
 * Those who vouch for people, by the class names of existing configurations. Each is made when it is first asked, and
 * throws a ConfigError then when its settings will not do: domains decide whether it ever is.
 */
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

const opened =
  (options: IdentityProviderOptions): ProviderFactory =>
  () =>
    new IdentityProvider(options)
