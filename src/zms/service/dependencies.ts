import type { Authority } from '#core/authority/authority.ts'
import type { KeyStore } from '#core/authority/key-store.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { SecretBox } from '#core/crypto/secret-box.ts'
import type { Signer } from '#core/crypto/signing.ts'
import type { Store } from '../store/store.ts'
import type { AuthHistory } from './auth-history.ts'
import type { Authorization } from './authorization.ts'
import type { AuthorizedServices } from './authorized-services.ts'
import type { ResourceSpelling } from './cloud-resources.ts'
import type { DomainMetaStore } from './domain-meta-store.ts'
import type { MemberDateRules } from './member-dates.ts'
import type { MemberDecisions } from './member-decisions.ts'
import type { MemberRules } from './member-rules.ts'
import type { OwnershipRules } from './ownership.ts'
import type { QuotaRules } from './quota-rules.ts'
import type { ResourceValidator } from './resource-validator.ts'
import type { ServiceProviders } from './service-providers.ts'
import type { SolutionTemplates } from './solution-templates.ts'
import type { Writes } from './writes.ts'

/** What the services of ZMS are made of; put together once by `main.ts`, or by a test. */
export interface ZmsDependencies {
  readonly config: ConfigOf['zms']
  readonly store: Store
  readonly writes: Writes
  readonly authorization: Authorization
  readonly ownership: OwnershipRules
  readonly authorizedServices: AuthorizedServices
  readonly quotas: QuotaRules
  readonly templates: SolutionTemplates
  readonly memberRules: MemberRules
  readonly memberDates: MemberDateRules
  readonly memberDecisions: MemberDecisions
  readonly serviceProviders: ServiceProviders
  readonly authHistory: AuthHistory
  readonly domainMetaStore: DomainMetaStore
  readonly resourceValidator: ResourceValidator
  /** What resources of certain actions stand for; the first of an action counts. */
  readonly resourceSpellings: readonly ResourceSpelling[]
  /** Public keys of services. */
  readonly keyStore: KeyStore
  /** Encrypts credentials of services, when a key for it is configured. */
  readonly credentialsBox: SecretBox | undefined
  /** Judge of users, when one is configured. */
  readonly userAuthority: Authority | undefined
  /** Issues principal tokens; its header is told to those who ask for one. */
  readonly principalAuthority: Authority | undefined
  /** Calls a listener when another process of this server has changed data; absent where there is none. */
  readonly onChangeElsewhere?: ((listener: () => void) => void) | undefined
  /** Signs tokens and domains. */
  readonly signer: Signer
  /** Epoch milliseconds. */
  readonly now: () => number
  /** A line for the server's log. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}
