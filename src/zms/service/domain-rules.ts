import type { ConfigOf } from '#core/config/server-tables.ts'
import { badRequest, forbidden } from '#core/error/service-error.ts'
import { patterns } from '#core/names/patterns.ts'
import type { DomainMetaInput } from '../api/domain-meta.ts'
import type { DomainMeta } from '../store/model.ts'
import type { DomainAttribute, DomainQueries } from '../store/store.ts'

/** Rules about the values that a domain may carry. */

/** Integer settings that must not be negative. */
const COUNTS = [
  'memberExpiryDays',
  'serviceExpiryDays',
  'groupExpiryDays',
  'roleCertExpiryMins',
  'serviceCertExpiryMins',
  'tokenExpiryMins',
  'featureFlags',
] as const

/** Settings that are names. */
const NAMES = ['applicationId', 'x509CertSignerKeyId', 'sshCertSignerKeyId'] as const
/** Settings that are names where they come with a new domain. */
const NAMES_OF_NEW = [
  ...NAMES,
  'azureSubscription',
  'azureTenant',
  'azureClient',
  'gcpProject',
  'gcpProjectNumber',
] as const

/** 400 when one of the named integers is negative. */
export function requireNotNegative(values: object, names: readonly string[]): void {
  for (const name of names) {
    const value = (values as Readonly<Record<string, unknown>>)[name]
    if (typeof value === 'number' && value < 0) throw badRequest(`${name} cannot be negative`)
  }
}

/** 400 when a setting has a form that no domain may have, also where the request does not change this one. */
export function requireForms(meta: DomainMetaInput): void {
  requireNotNegative(meta, [...COUNTS, 'ypmId'])
  requireNames(meta, NAMES)
}

/** 400 when a setting of a new domain has a form that none may have; its product number has rules of its own. */
export function requireNewForms(meta: DomainMetaInput): void {
  requireNotNegative(meta, COUNTS)
  requireNames(meta, NAMES_OF_NEW)
}

function requireNames(meta: DomainMetaInput, names: readonly (typeof NAMES_OF_NEW)[number][]): void {
  for (const name of names) {
    const value = meta[name]
    if (value && !patterns.CompoundName.test(value)) {
      throw badRequest(`Invalid CompoundName error: ${name} ${value} is not a compound name`)
    }
  }
}

const ACCOUNT_MAX_LENGTH = 512

/**
 * The account text to store: elements trimmed and without repetition. 400 when it is too long, empty of accounts, holds
 * a name that is no compound name, or several accounts where one is allowed.
 */
export function accountOf(text: string, allowSeveral: boolean): string {
  if (text.length > ACCOUNT_MAX_LENGTH) {
    throw badRequest(`aws account value exceeds maximum length of ${ACCOUNT_MAX_LENGTH}`)
  }
  const accounts = [
    ...new Set(
      text
        .split(',')
        .map((account) => account.trim())
        .filter((account) => account !== ''),
    ),
  ]
  if (accounts.length === 0) throw badRequest('aws account value must contain at least one account')
  if (accounts.length > 1 && !allowSeveral) throw badRequest('invalid aws account for domain')
  if (accounts.some((account) => !patterns.CompoundName.test(account)))
    throw badRequest('invalid aws account for domain')
  return accounts.join(',')
}

/** 400 when only some of the Azure settings are given. */
export function requireWholeAzure(meta: Pick<DomainMeta, 'azureSubscription' | 'azureTenant' | 'azureClient'>): void {
  const given = [meta.azureSubscription, meta.azureTenant, meta.azureClient].filter(Boolean).length
  if (given === 1 || given === 2) {
    throw badRequest('invalid azure details for domain, all of subscription, tenant and client must be specified')
  }
}

/** 400 when only one of the Google settings is given. */
export function requireWholeGcp(meta: Pick<DomainMeta, 'gcpProject' | 'gcpProjectNumber'>): void {
  if (!meta.gcpProject !== !meta.gcpProjectNumber) {
    throw badRequest('invalid gcp project details for domain, both id and number must be specified')
  }
}

/** 400 when the environment is not one of those configured. */
export function requireEnvironment(environment: string | undefined, known: ReadonlySet<string>): void {
  if (environment && !known.has(environment)) throw badRequest('invalid environment for domain')
}

/** How attributes that only one domain may have are called in messages, and which setting demands it. */
const UNIQUE: readonly [DomainAttribute, string, (config: ConfigOf['zms']) => boolean][] = [
  ['account', 'Account Id', ({ zms }) => zms.enforceUniqueAwsAccounts && !zms.allowMultipleAwsAccounts],
  ['azureSubscription', 'Subscription Id', ({ zms }) => zms.enforceUniqueAzureSubscriptions],
  ['gcpProject', 'Project', ({ zms }) => zms.enforceUniqueGcpProjects],
  ['productId', 'Product Id', ({ zms }) => zms.enforceUniqueProductIds],
  ['ypmId', 'Product Id', ({ zms }) => zms.enforceUniqueProductIds],
]

/** 400 when another domain already has one of the attributes given. */
export async function requireUnique(
  queries: DomainQueries,
  domain: string,
  given: Partial<Record<DomainAttribute, string | number | undefined>>,
  config: ConfigOf['zms'],
): Promise<void> {
  for (const [attribute, label, enforced] of UNIQUE) {
    const value = given[attribute]
    if (!value || !enforced(config)) continue
    const other = (await queries.domainsByAttribute(attribute, value)).find((name) => name !== domain)
    if (other !== undefined) throw badRequest(`${label}: ${value} is already assigned to domain: ${other}`)
  }
}

/** 400 when the name is longer than allowed. */
export function requireNameLength(name: string, maxLength: number, word: 'Domain' | 'SubDomain'): void {
  if (name.length > maxLength) {
    throw badRequest(`Invalid ${word} name: ${name} : name length cannot exceed: ${maxLength}`)
  }
}

/** 403 when the sub domain would be one too many of a user's. */
export function requireVirtualLimit(count: number, limit: number): void {
  if (limit > 0 && count >= limit) {
    throw forbidden('postSubDomain: Exceeding the configured number of virtual subdomains')
  }
}
