import type { OperationRequest } from '#client/operation.ts'
import type { Domain } from '#zms/api/domain.ts'
import type { domainMetaEndpoints } from '#zms/api/domain-meta.ts'
import { readInt32, readSwitch } from './argument-values.ts'
import { type Command, domainCommand } from './command.ts'
import { done } from './result.ts'
import type { Session } from './session.ts'

type DomainMeta = OperationRequest<(typeof domainMetaEndpoints)['putDomainMeta']>['body']

type MetaRow = readonly [
  name: string,
  usage: string,
  summary: string,
  body: (value: string) => DomainMeta,
  /** What the answer says was updated; `metadata` unless given. */
  updated?: string,
]

/** Settings that the administrators of a domain change. */
const ROWS: readonly MetaRow[] = [
  ['set-domain-meta', 'description', 'Sets the description of a domain.', (value) => ({ description: value })],
  [
    'set-application-id',
    'application-id',
    'Sets the application that a domain belongs to.',
    (value) => ({ applicationId: value }),
    'application-id',
  ],
  [
    'set-business-service',
    'business-service',
    'Sets the business service that a domain belongs to.',
    (value) => ({ businessService: value }),
    'business-service',
  ],
  [
    'set-domain-member-expiry-days',
    'user-member-expiry-days',
    'Sets after how many days memberships of users end.',
    (value) => ({ memberExpiryDays: readInt32(value) }),
  ],
  [
    'set-domain-member-purge-expiry-days',
    'member-purge-expiry-days',
    'Sets how many days after their end memberships are removed.',
    (value) => ({ memberPurgeExpiryDays: readInt32(value) }),
  ],
  [
    'set-domain-service-expiry-days',
    'service-member-expiry-days',
    'Sets after how many days memberships of services end.',
    (value) => ({ serviceExpiryDays: readInt32(value) }),
  ],
  [
    'set-domain-group-expiry-days',
    'group-member-expiry-days',
    'Sets after how many days memberships of groups end.',
    (value) => ({ groupExpiryDays: readInt32(value) }),
  ],
  [
    'set-domain-token-expiry-mins',
    'token-expiry-mins',
    'Sets the life of tokens for a domain in minutes.',
    (value) => ({ tokenExpiryMins: readInt32(value) }),
  ],
  [
    'set-domain-service-cert-expiry-mins',
    'cert-expiry-mins',
    'Sets the life of certificates of services in minutes.',
    (value) => ({ serviceCertExpiryMins: readInt32(value) }),
  ],
  [
    'set-domain-role-cert-expiry-mins',
    'cert-expiry-mins',
    'Sets the life of certificates of roles in minutes.',
    (value) => ({ roleCertExpiryMins: readInt32(value) }),
  ],
  [
    'set-domain-token-sign-algorithm',
    'algorithm',
    'Sets with which kind of key tokens are signed: rsa or ec.',
    (value) => ({ signAlgorithm: value }),
  ],
  [
    'set-domain-slack-channel',
    'channel-name',
    'Sets the Slack channel of a domain.',
    (value) => ({ slackChannel: value }),
  ],
  ['set-domain-on-call', 'on-call-name', 'Sets who is on call for a domain.', (value) => ({ onCall: value })],
]

type SystemRow = readonly [
  name: string,
  usage: string,
  summary: string,
  attribute: string,
  body: (value: string) => DomainMeta,
  updated?: string,
]

/** Settings that belong to the operators of the server. */
const SYSTEM_ROWS: readonly SystemRow[] = [
  [
    'set-audit-enabled',
    'audit-enabled',
    'Sets whether changes of a domain need a reason, for the audit log.',
    'auditenabled',
    (value) => ({ auditEnabled: readSwitch(value) }),
  ],
  [
    'set-cost-center',
    'cost-center',
    'Sets the cost center of a domain.',
    'costcenter',
    (value) => ({ costCenter: value }),
    'cost-center',
  ],
  [
    'set-org-name',
    'org-name',
    'Sets the organization that audits a domain.',
    'org',
    (value) => ({ org: value }),
    'org name',
  ],
  [
    'set-external-member-validator',
    'validator',
    'Sets what checks the names of external members.',
    'externalmembervalidator',
    (value) => ({ externalMemberValidator: value }),
    'external-member-validator',
  ],
  [
    'set-cert-dns-domain',
    'cert-dns-domain',
    'Sets the end of the DNS names in certificates.',
    'certdnsdomain',
    (value) => ({ certDnsDomain: value }),
    'cert-dns-domain',
  ],
  [
    'set-domain-user-authority-filter',
    'filter',
    'Sets which attributes members must have.',
    'userauthorityfilter',
    (value) => ({ userAuthorityFilter: value }),
  ],
  [
    'set-domain-x509-cert-signer-keyid',
    'key-id',
    'Sets which key signs certificates of a domain.',
    'x509certsignerkeyid',
    (value) => ({ x509CertSignerKeyId: value }),
  ],
  [
    'set-domain-ssh-cert-signer-keyid',
    'key-id',
    'Sets which key signs SSH certificates of a domain.',
    'sshcertsignerkeyid',
    (value) => ({ sshCertSignerKeyId: value }),
  ],
  [
    'set-domain-environment',
    'environment',
    'Sets the environment that a domain is for.',
    'environment',
    (value) => ({ environment: value }),
  ],
  [
    'set-domain-feature-flags',
    'flags',
    'Sets the feature flags of a domain.',
    'featureflags',
    (value) => ({ featureFlags: readInt32(value) }),
  ],
]

/** Settings of domains. */
export const domainMetaCommands: readonly Command[] = [
  ...ROWS.map(([name, usage, summary, body, updated]) =>
    domainCommand([name, usage, summary], [1, 1], async (session, domain, [value = '']) => {
      const changes = body(value)
      await changeDomainMeta(session, domain, () => changes)
      return updatedText(domain, updated)
    }),
  ),
  ...SYSTEM_ROWS.map(([name, usage, summary, attribute, body, updated]) =>
    domainCommand([name, usage, summary], [1, 1], (session, domain, [value = '']) =>
      putSystemMeta(session, domain, attribute, body(value), updated),
    ),
  ),
  domainCommand(
    ['set-aws-account', 'account-id [account-name]', 'Sets the AWS account of a domain.'],
    [1, 2],
    (session, domain, [account = '', awsAccountName]) =>
      putSystemMeta(
        session,
        domain,
        'account',
        { account, ...(awsAccountName !== undefined && { awsAccountName }) },
        'account',
      ),
  ),
  domainCommand(
    ['set-azure-subscription', 'subscription-id tenant-id client-id', 'Sets the Azure subscription of a domain.'],
    [3, 3],
    (session, domain, [azureSubscription = '', azureTenant = '', azureClient = '']) =>
      putSystemMeta(
        session,
        domain,
        'azuresubscription',
        { azureSubscription, azureTenant, azureClient },
        'subscription',
      ),
  ),
  domainCommand(
    ['set-gcp-project', 'project-id project-number', 'Sets the GCP project of a domain.'],
    [2, 2],
    (session, domain, [gcpProject = '', gcpProjectNumber = '']) =>
      putSystemMeta(session, domain, 'gcpproject', { gcpProject, gcpProjectNumber }, 'project'),
  ),
  domainCommand(
    ['set-product-id', '[product-id]', 'Sets the product that a domain belongs to: a number or a name.'],
    [0, 1],
    async (session, domain, [productId = '']) => {
      // A number and a name are stored together: the one that is not given stays.
      const { ypmId, productId: presentName } = await session.call('getDomain', { domain })
      const body = /^\d+$/.test(productId)
        ? { ypmId: readInt32(productId), ...(presentName && { productId: presentName }) }
        : { productId, ...(ypmId && { ypmId }) }
      return putSystemMeta(session, domain, 'productid', body, 'product-id')
    },
  ),
  domainCommand(
    [
      'set-domain-contact',
      'type user',
      'Sets somebody who is asked about a domain; an empty user removes the contact.',
    ],
    [2, 2],
    async (session, domain, [type = '', user = '']) => {
      await changeDomainMeta(session, domain, ({ contacts }) => ({
        contacts: Object.fromEntries([...Object.entries(contacts ?? {}), [type, user]]),
      }))
      return updatedText(domain, 'contacts')
    },
  ),
]

const updatedText = (domain: string, updated = 'metadata') => done(`[domain ${domain} ${updated} successfully updated]`)

async function putSystemMeta(session: Session, domain: string, attribute: string, body: DomainMeta, updated?: string) {
  await session.call('putDomainSystemMeta', { name: domain, attribute, body })
  return updatedText(domain, updated)
}

/** Changes settings of a domain. Servers clear these four when a request leaves them out, and keep all others. */
export async function changeDomainMeta(
  session: Session,
  domain: string,
  change: (present: Domain) => DomainMeta,
): Promise<void> {
  const present = await session.call('getDomain', { domain })
  const { description, applicationId, autoDeleteTenantAssumeRoleAssertions, clientIdSelfUpdate } = present
  const kept = { description, applicationId, autoDeleteTenantAssumeRoleAssertions, clientIdSelfUpdate }
  await session.call('putDomainMeta', { name: domain, body: { ...kept, ...change(present) } })
}
