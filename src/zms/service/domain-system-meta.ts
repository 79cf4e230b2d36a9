import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { DomainMetaInput } from '../api/domain-meta.ts'
import type { Domain, DomainMeta } from '../store/model.ts'
import { enforceDomainFilter } from './authority-enforcement.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { domainBaseOf } from './domain-base.ts'
import { requireKnownValues } from './domain-meta-store.ts'
import {
  accountOf,
  requireEnvironment,
  requireForms,
  requireUnique,
  requireWholeAzure,
  requireWholeGcp,
} from './domain-rules.ts'
import { requireUserAuthorityFilter } from './user-authority-attributes.ts'
import { compact, present } from './wire-form.ts'

/** What a request makes of the settings that belong to one attribute; absent values clear them. */
type Attribute = (meta: DomainMetaInput, deps: ZmsDependencies) => Partial<DomainMeta>

/** Every attribute of the operators with the settings it replaces. */
const ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map<string, Attribute>([
  [
    'account',
    (meta, { config }) => ({
      account: meta.account ? accountOf(meta.account, config.zms.allowMultipleAwsAccounts) : undefined,
      awsAccountName: present(meta.awsAccountName),
    }),
  ],
  [
    'azuresubscription',
    (meta) => {
      requireWholeAzure(meta)
      const { azureSubscription, azureTenant, azureClient } = meta
      return {
        azureSubscription: present(azureSubscription),
        azureTenant: present(azureTenant),
        azureClient: present(azureClient),
      }
    },
  ],
  [
    'gcpproject',
    (meta) => {
      requireWholeGcp(meta)
      return { gcpProject: present(meta.gcpProject), gcpProjectNumber: present(meta.gcpProjectNumber) }
    },
  ],
  ['productid', ({ productId, ypmId }) => ({ productId: present(productId), ypmId: ypmId ?? 0 })],
  ['certdnsdomain', ({ certDnsDomain }) => ({ certDnsDomain: present(certDnsDomain) })],
  ['org', ({ org }) => ({ org: present(org) })],
  [
    'userauthorityfilter',
    ({ userAuthorityFilter }, { userAuthority }) => {
      requireUserAuthorityFilter(userAuthority, userAuthorityFilter)
      return { userAuthorityFilter: present(userAuthorityFilter) }
    },
  ],
  ['enabled', ({ enabled }) => ({ enabled: enabled ?? true })],
  ['auditenabled', ({ auditEnabled }) => ({ auditEnabled: auditEnabled ?? false })],
  ['businessservice', ({ businessService }) => ({ businessService: present(businessService) })],
  ['featureflags', ({ featureFlags }) => ({ featureFlags: present(featureFlags) })],
  [
    'externalmembervalidator',
    ({ externalMemberValidator }) => ({ externalMemberValidator: present(externalMemberValidator) }),
  ],
  ['costcenter', ({ costCenter }) => ({ costCenter: present(costCenter) })],
  // The original knows it among the settings of the domain only, so that its own command line cannot set it.
  [
    'environment',
    ({ environment }, { config }) => {
      requireEnvironment(environment, config.zms.domainEnvironments)
      return { environment: present(environment) }
    },
  ],
  ['x509certsignerkeyid', ({ x509CertSignerKeyId }) => ({ x509CertSignerKeyId: present(x509CertSignerKeyId) })],
  ['sshcertsignerkeyid', ({ sshCertSignerKeyId }) => ({ sshCertSignerKeyId: present(sshCertSignerKeyId) })],
  // Only moves the modification time.
  ['modified', () => ({})],
])

/** A change of one attribute. */
export interface SystemMetaChange {
  readonly name: string
  /** Lower case. */
  readonly attribute: string
  readonly meta: DomainMetaInput
  readonly auditRef: string | undefined
}

/** Replaces the settings of a domain that belong to one attribute of the operators; checks in the original's order. */
export async function putDomainSystemMeta(
  deps: ZmsDependencies,
  context: RequestContext,
  { name, attribute, meta, auditRef }: SystemMetaChange,
): Promise<void> {
  const { writes, config } = deps
  deps.authorizedServices.check(context)
  requireForms(meta)
  await writes.commit({ context, domains: [name], entity: name, auditRef }, async (transaction) => {
    const domain = await transaction.domain(name)
    if (!domain) throw notFound(`No such domain: ${name}`)
    if (!(await mayUpdate(deps, context, name, attribute))) {
      throw forbidden(`unauthorized to update system meta attribute: ${attribute}`)
    }
    const read = ATTRIBUTES.get(attribute)
    if (!read) throw badRequest(`unknown system meta attribute: ${attribute}`)
    writes.requireAuditReference(context, 'domain', domain, auditRef)
    const next = read(meta, deps)
    if (attribute === 'productid' && config.zms.productIdSupport && !name.includes('.')) {
      if (meta.ypmId === undefined && !meta.productId) {
        throw badRequest('Unique Product Id must be specified for top level domain')
      }
    }
    await requireKnownValues(deps.domainMetaStore, name, next, domain)
    if (resets(domain, next) && !(await mayReset(deps, context, name, attribute))) {
      throw forbidden(`unauthorized to reset system meta attribute: ${attribute}`)
    }
    await requireUnique(transaction.queries, name, next, config)
    if (Object.keys(next).length === 0) {
      transaction.apply({ kind: 'touchDomain', domain: name })
      return
    }
    transaction.apply({ kind: 'putDomain', domain: name, value: compact({ ...domainBaseOf(domain), ...next }) })
    if ('userAuthorityFilter' in next && next.userAuthorityFilter !== domain.userAuthorityFilter) {
      await enforceDomainFilter(deps, transaction, name, auditRef)
    }
  })
}

async function mayUpdate(
  { authorization }: ZmsDependencies,
  { principal }: RequestContext,
  domain: string,
  attribute: string,
): Promise<boolean> {
  if (!principal) return false
  if (await authorization.isAllowed(principal, 'update', `sys.auth:meta.domain.${attribute}.${domain}`)) return true
  return attribute === 'enabled' && authorization.isAllowed(principal, 'update', `${domain}:`)
}

async function mayReset(
  { authorization }: ZmsDependencies,
  { principal }: RequestContext,
  domain: string,
  attribute: string,
): Promise<boolean> {
  if (!principal) return false
  return authorization.isAllowed(principal, 'delete', `sys.auth:meta.domain.${attribute}.${domain}`)
}

/** Whether a text or number that is set would be replaced or cleared; switches have no value to lose. */
function resets(domain: Domain, next: Partial<DomainMeta>): boolean {
  return Object.entries(next).some(([key, value]) => {
    const current = domain[key as keyof DomainMeta]
    return Boolean(current) && typeof current !== 'boolean' && current !== value
  })
}
