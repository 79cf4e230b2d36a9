import { after } from 'node:test'
import type { AuditEntry } from '#core/audit/audit-log.ts'
import type { Authority } from '#core/authority/authority.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import { noAuthHistory } from '#zms/service/auth-history.ts'
import { Authorization } from '#zms/service/authorization.ts'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { cloudResources } from '#zms/service/cloud-resources.ts'
import type { ZmsDependencies } from '#zms/service/dependencies.ts'
import { anyMetaValue } from '#zms/service/domain-meta-store.ts'
import { prepareFirstStart } from '#zms/service/first-start.ts'
import { MemberDateRules } from '#zms/service/member-dates.ts'
import { MemberDecisions } from '#zms/service/member-decisions.ts'
import { MemberRules } from '#zms/service/member-rules.ts'
import { newDomain } from '#zms/service/new-domain.ts'
import { OwnershipRules } from '#zms/service/ownership.ts'
import { principalDomainsOf } from '#zms/service/principal-domains.ts'
import type { ProviderClient } from '#zms/service/provider-client.ts'
import { QuotaRules } from '#zms/service/quota-rules.ts'
import { admitsEverything } from '#zms/service/resource-validator.ts'
import { ServiceKeyStore } from '#zms/service/service-key-store.ts'
import { ServiceProviders } from '#zms/service/service-providers.ts'
import { SolutionTemplates } from '#zms/service/solution-templates.ts'
import { Writes } from '#zms/service/writes.ts'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Domain } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'
import { type Answer, type CallOptions, ServiceCaller, type SomeHandlers } from '../../support/service-caller.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

export { type Answer, type CallOptions, principalOf, refusal } from '../../support/service-caller.ts'

/** What a harness is made with. */
export interface HarnessOptions {
  /** The services under test. */
  readonly services: readonly ((deps: ZmsDependencies) => SomeHandlers)[]
  /** Properties of the server, without the prefix `athenz.zms.`. */
  readonly properties?: Readonly<Record<string, string>>
  /** Parts that replace those of the harness. */
  readonly parts?: Partial<ZmsDependencies>
  /** Judge of users; without one everybody is known. */
  readonly userAuthority?: Authority
  /** Asks service providers; without one nobody is asked. */
  readonly providerClient?: ProviderClient
  /** Opens another store than a file store; it is closed with the harness. */
  readonly openStore?: (now: () => number) => Promise<Store>
}

/** The answer 204. */
export const NOTHING: Answer = { status: 204, headers: {}, body: undefined }

/** Time at which a harness begins, in epoch milliseconds. */
const START_MILLIS = Date.UTC(2030, 0, 2, 3, 4, 5, 678)

/**
 * Services over a file store in a folder of their own, called as over HTTP: requests are read, authorized and validated
 * by their declarations, and answers go through JSON. Time stands still unless a test moves the clock.
 */
export class Harness {
  readonly deps: ZmsDependencies
  readonly store: Store
  /** What went to the audit log, oldest first. */
  readonly audit: readonly AuditEntry[]
  /** The time, in epoch milliseconds; tests move it. */
  readonly clock: { millis: number }
  readonly #caller: ServiceCaller

  private constructor(
    deps: ZmsDependencies,
    audit: readonly AuditEntry[],
    clock: { millis: number },
    services: HarnessOptions['services'],
  ) {
    this.deps = deps
    this.store = deps.store
    this.audit = audit
    this.clock = clock
    this.#caller = new ServiceCaller({
      endpoints: zmsEndpoints,
      handlers: Object.assign({}, ...services.map((service) => service(deps))) as SomeHandlers,
      check: (principal, action, resource) => deps.authorization.check(principal, action, resource),
    })
  }

  /** Makes a harness with the system domains. It is closed with the test or file that makes it; not for hooks. */
  static async open(options: HarnessOptions): Promise<Harness> {
    const { services, properties = {}, parts = {}, userAuthority, providerClient, openStore } = options
    const folder = temporaryFolder()
    const { config } = await loadServerConfig({
      server: 'zms',
      rootDir: folder,
      files: [],
      overrides: Object.entries(properties).map(([key, value]) => [`athenz.zms.${key}`, value] as const),
      env: {},
      hostname: 'zms.example.com',
    })
    const clock = { millis: START_MILLIS }
    const now = () => clock.millis
    const store = await (openStore?.(now) ?? openFileStore({ folder: `${folder}/data`, clock: now }))
    after(() => store.close())
    const audit: AuditEntry[] = []
    const { zms } = config
    const authorization = new Authorization(
      store,
      {
        userDomain: config.userDomain,
        homeDomain: config.homeDomain,
        virtualDomainSupport: zms.virtualDomainSupport,
      },
      now,
    )
    const deps: Omit<ZmsDependencies, 'signer'> = {
      config,
      store,
      writes: new Writes({
        store,
        audit: { record: (entry) => void audit.push(entry) },
        serverName: 'zms.example.com',
        auditedKinds: zms.auditRefCheckObjects,
        now,
      }),
      authorization,
      ownership: new OwnershipRules({
        enforce: () => zms.enforceResourceOwnership.value,
        ignoreValue: zms.resourceOwnerIgnoreValue,
        forceSuffix: zms.resourceOwnerForceSuffix,
      }),
      authorizedServices: AuthorizedServices.none(),
      quotas: new QuotaRules(config),
      memberRules: new MemberRules({
        settings: {
          principals: principalDomainsOf(config),
          validateUsers: () => false,
          validateServices: () => false,
          skipServiceDomains: new Set(),
          filterDocumentationUrl: '',
        },
        userAuthority,
        externalValidators: new Map(),
        resourceValidator: admitsEverything,
      }),
      memberDates: new MemberDateRules({ user: 0, service: 0, group: 0 }, userAuthority),
      memberDecisions: new MemberDecisions(),
      serviceProviders: new ServiceProviders({ config, store, authorization, client: providerClient, now }),
      templates: SolutionTemplates.none(),
      authHistory: noAuthHistory,
      domainMetaStore: anyMetaValue,
      resourceValidator: admitsEverything,
      resourceSpellings: cloudResources(config),
      keyStore: new ServiceKeyStore({ store, ownKeys: new Map() }),
      credentialsBox: undefined,
      userAuthority,
      principalAuthority: undefined,
      now,
      log: () => {},
      ...parts,
    }
    await prepareFirstStart(store, { names: config, admins: () => ['user.admin'], publicKeys: new Map() })
    return new Harness(deps as ZmsDependencies, audit, clock, services)
  }

  /**
   * Makes a domain whose administrators are `user.admin` and `user.owner`, without asking the service. One of that name
   * is deleted first, so that every test can begin with the same.
   */
  async createDomain(name: string, settings: Partial<Domain> = {}): Promise<void> {
    const admins = ['user.admin', 'user.owner']
    const value = newDomain({ name, admins, requestPrincipal: 'user.admin', settings })
    await this.store.transact([name], async (transaction) => {
      if (await transaction.domain(name)) transaction.apply({ kind: 'deleteDomain', domain: name })
      transaction.apply({ kind: 'createDomain', domain: name, value })
    })
  }

  /** A domain that is known to exist. */
  async domain(name: string): Promise<Domain> {
    const domain = await this.store.domain(name)
    if (!domain) throw new Error(`there is no domain ${name}`)
    return domain
  }

  get(target: string, options?: CallOptions): Promise<Answer> {
    return this.call('GET', target, undefined, options)
  }

  put(target: string, body: unknown, options?: CallOptions): Promise<Answer> {
    return this.call('PUT', target, body, options)
  }

  delete(target: string, options?: CallOptions): Promise<Answer> {
    return this.call('DELETE', target, undefined, options)
  }

  /** Sends a request; `target` is path and query below the API root, `body` an object or the raw text. */
  call(method: string, target: string, body: unknown, options?: CallOptions): Promise<Answer> {
    return this.#caller.call(method, target, body, options)
  }
}
