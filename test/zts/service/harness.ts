import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Authority } from '#core/authority/authority.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { loadServerSigners } from '#core/crypto/server-signers.ts'
import { ztsEndpoints } from '#zts/api/index.ts'
import type { MemoryDomains } from '#zts/cache/memory-domains.ts'
import { RoleAccess } from '#zts/cache/role-access.ts'
import { Authorization } from '#zts/service/authorization.ts'
import type { ZtsDependencies } from '#zts/service/dependencies.ts'
import { tokenSigners } from '#zts/service/token-signers.ts'
import { type Answer, type CallOptions, ServiceCaller, type SomeHandlers } from '../../support/service-caller.ts'
import { type DomainJson, domainData, domainsOf } from '../../support/zts-domains.ts'

export { type Answer, type CallOptions, principalOf, refusal } from '../../support/service-caller.ts'

/** Parts of a harness; what others need besides is for their own tests to add. */
export type HarnessParts = Pick<
  ZtsDependencies,
  | 'config'
  | 'domains'
  | 'authorization'
  | 'roleAccess'
  | 'signers'
  | 'privateKeyStore'
  | 'workloadRecords'
  | 'userAuthority'
  | 'now'
  | 'log'
>

/** What a harness is made with. */
export interface HarnessOptions {
  /** The services under test. */
  readonly services: readonly ((parts: HarnessParts) => SomeHandlers)[]
  /** What ZMS has sent. */
  readonly domains?: readonly DomainJson[]
  /** Properties of the server, without the prefix `athenz.zts.`. */
  readonly properties?: Readonly<Record<string, string>>
  /** Parts that replace those of the harness. */
  readonly parts?: Partial<HarnessParts>
  /** Private keys of the server by kind; an EC key on P-256 with the id `ec0` when there is none. */
  readonly keys?: { readonly rsa?: KeyObject; readonly ec?: KeyObject }
  readonly userAuthority?: Authority
}

/** Time at which a harness begins, in epoch milliseconds; the domains were modified half a day before. */
export const START_MILLIS = Date.parse('2026-08-02T00:00:00.000Z')

/** Key `ec0` of a harness without keys of its own. */
export const TEST_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/**
 * Services over domains in memory, called as over HTTP: requests are read, authorized and validated by their declarations,
 * and answers go through JSON. Time stands still unless a test moves the clock.
 */
export class Harness {
  readonly parts: HarnessParts
  readonly domains: MemoryDomains
  /** The time, in epoch milliseconds; tests move it. */
  readonly clock: { millis: number }
  readonly #caller: ServiceCaller

  private constructor(
    parts: HarnessParts,
    domains: MemoryDomains,
    clock: { millis: number },
    services: HarnessOptions['services'],
  ) {
    this.parts = parts
    this.domains = domains
    this.clock = clock
    this.#caller = new ServiceCaller({
      endpoints: ztsEndpoints,
      handlers: Object.assign({}, ...services.map((service) => service(parts))) as SomeHandlers,
      check: (principal, action, resource) => parts.authorization.check(principal, action, resource),
    })
  }

  static async open(options: HarnessOptions): Promise<Harness> {
    const { services, properties = {}, parts = {}, keys = { ec: TEST_KEY }, userAuthority } = options
    const { config } = await loadServerConfig({
      server: 'zts',
      rootDir: '/nonexistent',
      files: [],
      overrides: Object.entries(properties).map(([key, value]) => [`athenz.zts.${key}`, value] as const),
      env: {},
      hostname: 'zts.example.com',
    })
    const clock = { millis: START_MILLIS }
    const now = () => clock.millis
    const domains = domainsOf(...(options.domains ?? []))
    const privateKeyStore = keysOf(keys)
    const all: HarnessParts = {
      config,
      domains,
      authorization: new Authorization(domains, { rolesOfCredentials: config.zts.roleBasedAuthzSupport }, now),
      roleAccess: new RoleAccess(domains, now),
      signers: tokenSigners(await loadServerSigners(privateKeyStore, 'zts', config.zts.hostname), config),
      privateKeyStore,
      workloadRecords: undefined,
      userAuthority,
      now,
      log: () => {},
      ...parts,
    }
    return new Harness(all, domains, clock, services)
  }

  /** Takes over a domain that ZMS sends now. */
  receive(domain: DomainJson): void {
    this.domains.read(domainData(domain))
  }

  get(target: string, options?: CallOptions): Promise<Answer> {
    return this.call('GET', target, undefined, options)
  }

  post(target: string, body: unknown, options?: CallOptions): Promise<Answer> {
    return this.call('POST', target, body, options)
  }

  delete(target: string, options?: CallOptions): Promise<Answer> {
    return this.call('DELETE', target, undefined, options)
  }

  /** Sends a request; `target` is path and query below the API root, `body` an object or the raw text. */
  call(method: string, target: string, body: unknown, options?: CallOptions): Promise<Answer> {
    return this.#caller.call(method, target, body, options)
  }
}

function keysOf({ rsa, ec }: { readonly rsa?: KeyObject; readonly ec?: KeyObject }): PrivateKeyStore {
  return {
    async privateKey(_service, _host, _region, algorithm) {
      if (algorithm === 'ec') return ec && { key: ec, keyId: 'ec0' }
      return algorithm === 'rsa' && rsa ? { key: rsa, keyId: '0' } : undefined
    },
    applicationSecret: async (_application, _keyGroup, keyName) => keyName,
  }
}
