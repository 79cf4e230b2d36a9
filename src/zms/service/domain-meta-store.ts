import { badRequest } from '#core/error/service-error.ts'
import type { DomainMeta } from '../store/model.ts'

/** Attributes of domains that an inventory outside of the server may know, as the API calls them. */
export const META_STORE_ATTRIBUTES = [
  'businessService',
  'awsAccount',
  'azureSubscription',
  'gcpProject',
  'productNumber',
  'productId',
  'onCall',
] as const

/** One of {@link META_STORE_ATTRIBUTES}. */
export type MetaStoreAttribute = (typeof META_STORE_ATTRIBUTES)[number]

/** An inventory that knows which values attributes of domains may have; a plug-in. */
export interface DomainMetaStore {
  /** Whether the domain may have the value. */
  isValid(attribute: MetaStoreAttribute, domain: string, value: string): boolean | Promise<boolean>
  /** Values to choose from; of one user when a name is given. */
  validValues(
    attribute: MetaStoreAttribute,
    userName: string | undefined,
  ): readonly string[] | Promise<readonly string[]>
}

/** Without an inventory every value is valid, and there are none to choose from. */
export const anyMetaValue: DomainMetaStore = { isValid: () => true, validValues: () => [] }

/** Settings that the inventory is asked about, with its name for them and the refusal. */
const ASKED = [
  ['account', 'awsAccount', 'invalid aws account for domain'],
  ['azureSubscription', 'azureSubscription', 'invalid azure subscription for domain'],
  ['gcpProject', 'gcpProject', 'invalid gcp project for domain'],
  ['ypmId', 'productNumber', 'invalid product id for domain'],
  ['productId', 'productId', 'invalid product id for domain'],
  ['businessService', 'businessService', 'invalid business service name for domain'],
  ['onCall', 'onCall', 'invalid on-call support team id/name for domain'],
] as const

type AskedSettings = { readonly [setting in (typeof ASKED)[number][0]]?: DomainMeta[setting] | undefined }

/**
 * 400 when the inventory does not know a value that is given; accounts are asked for one by one. What the domain has
 * already is not asked for: the inventory may have lost it since.
 */
export async function requireKnownValues(
  metaStore: DomainMetaStore,
  domain: string,
  given: AskedSettings,
  stored: AskedSettings = {},
): Promise<void> {
  for (const [setting, attribute, refusal] of ASKED) {
    const value = given[setting]
    if (!value || value === stored[setting]) continue
    const values = setting === 'account' ? String(value).split(',') : [String(value)]
    for (const each of values) if (!(await metaStore.isValid(attribute, domain, each))) throw badRequest(refusal)
  }
}
