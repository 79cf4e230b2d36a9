import { after } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { AuditEntry } from '#core/audit/audit-log.ts'
import type { Authority } from '#core/authority/authority.ts'
import type { Principal } from '#core/authority/principal.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { ServiceError } from '#core/error/service-error.ts'
import type { Endpoint, Handler, Reply, RequestContext } from '#core/http/endpoint.ts'
import { replySerializer } from '#core/http/reply-json.ts'
import { requestReader } from '#core/http/request-values.ts'
import { resourceTemplate } from '#core/http/resource-template.ts'
import type { WireShape } from '#core/http/wire.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import { noAuthHistory } from '#zms/service/auth-history.ts'
import { Authorization } from '#zms/service/authorization.ts'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { cloudResources } from '#zms/service/cloud-resources.ts'
import type { ZmsDependencies } from '#zms/service/dependencies.ts'
import { anyMetaValue } from '#zms/service/domain-meta-store.ts'
import { prepareFirstStart } from '#zms/service/first-start.ts'
import { MemberDateRules } from '#zms/service/member-dates.ts'
import { MemberRules } from '#zms/service/member-rules.ts'
import { newDomain } from '#zms/service/new-domain.ts'
import { OwnershipRules } from '#zms/service/ownership.ts'
import { principalDomainsOf } from '#zms/service/principal-domains.ts'
import type { ProviderClient } from '#zms/service/provider-client.ts'
import { QuotaRules } from '#zms/service/quota-rules.ts'
import { admitsEverything } from '#zms/service/resource-validator.ts'
import { ServiceProviders } from '#zms/service/service-providers.ts'
import { SolutionTemplates } from '#zms/service/solution-templates.ts'
import { Writes } from '#zms/service/writes.ts'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Domain } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** Handlers of some operations, by operation. */
type SomeHandlers = Readonly<Record<string, unknown>>

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
}

/** Circumstances of a call. */
export interface CallOptions {
  /** Full name of the caller; `user.admin`, the system administrator, by default. */
  readonly as?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly principal?: Partial<Principal>
  /** The call comes without credentials. */
  readonly anonymous?: boolean
  readonly signal?: AbortSignal
}

/** An answer as a client sees it. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // oxlint-disable-next-line typescript/no-explicit-any -- parsed JSON, of which tests read single members
  readonly body: any
}

/** The answer 204. */
export const NOTHING: Answer = { status: 204, headers: {}, body: undefined }

/** The answer to a request that is refused with a status and a reason. */
export const refusal = (code: number, message: string): Answer => ({
  status: code,
  headers: {},
  body: { code, message },
})

const authority: Authority = { id: 'Auth-TEST', credentialSource: 'header', allowAuthorization: true }

/** Time at which a harness begins, in epoch milliseconds. */
const START_MILLIS = Date.UTC(2030, 0, 2, 3, 4, 5, 678)

/** A caller with a full name. */
export function principalOf(fullName: string, more: Partial<Principal> = {}): Principal {
  const dot = fullName.lastIndexOf('.')
  return {
    domain: fullName.slice(0, dot),
    name: fullName.slice(dot + 1),
    fullName,
    authority,
    issueTimeSeconds: 0,
    ...more,
  }
}

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
  readonly #handlers: SomeHandlers

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
    this.#handlers = Object.assign({}, ...services.map((service) => service(deps))) as SomeHandlers
  }

  /** Makes a harness with the system domains. It is closed with the test or file that makes it; not for hooks. */
  static async open(options: HarnessOptions): Promise<Harness> {
    const { services, properties = {}, parts = {}, userAuthority, providerClient } = options
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
    const store = await openFileStore({ folder: `${folder}/data`, clock: now })
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
        audit: { record: (entry) => audit.push(entry) },
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
      serviceProviders: new ServiceProviders({ config, store, authorization, client: providerClient, now }),
      templates: SolutionTemplates.none(),
      authHistory: noAuthHistory,
      domainMetaStore: anyMetaValue,
      resourceValidator: admitsEverything,
      resourceSpellings: cloudResources(config),
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
  async call(method: string, target: string, body: unknown, options: CallOptions = {}): Promise<Answer> {
    const { endpoint, params } = route(method, target)
    const handler = this.#handlers[endpoint.operation] as Handler<Endpoint> | undefined
    if (!handler) throw new Error(`${endpoint.operation} is not among the services under test`)
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    )
    const context: RequestContext = {
      requestId: 'test',
      api: endpoint.operation.toLowerCase(),
      method,
      principal: options.anonymous ? undefined : principalOf(options.as ?? 'user.admin', options.principal),
      remoteAddress: '192.0.2.1',
      header: (name) => headers[name.toLowerCase()],
      ...(options.signal && { signal: options.signal }),
    }
    try {
      return answerOf(endpoint, await this.#handle(endpoint, handler, context, { params, target, headers, body }))
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      return { status: error.status, headers: {}, body: { code: error.status, message: error.message } }
    }
  }

  async #handle(
    endpoint: Endpoint,
    handler: Handler<Endpoint>,
    context: RequestContext,
    request: { params: Record<string, string>; target: string; headers: Record<string, string>; body: unknown },
  ): Promise<Reply> {
    const { params, target, headers, body } = request
    const text = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body)
    const read = requestReader(endpoint, { invalidObjectMessage: 'Invalid Object' })
    const { values, broken } = read({
      params,
      url: target,
      headers,
      body: text === undefined ? text : Buffer.from(text),
    })
    const { access } = endpoint
    if (access.kind === 'authorize') {
      const resource = resourceTemplate(access.resource, Object.keys(endpoint.params))(params)
      const refused = await this.deps.authorization.check(context.principal as Principal, access.action, resource)
      if (refused) throw refused
    }
    if (broken) throw broken
    return handler(values as Parameters<typeof handler>[0], context)
  }
}

/** The operation a request means: that with the fewest placeholders in its path. */
function route(method: string, target: string): { endpoint: Endpoint; params: Record<string, string> } {
  const segments = (target.split('?')[0] ?? '').split('/')
  const found = Object.values(zmsEndpoints as Readonly<Record<string, Endpoint>>)
    .filter((endpoint) => endpoint.method === method)
    .map((endpoint) => ({ endpoint, parts: endpoint.path.split('/') }))
    .filter(({ parts }) => parts.length === segments.length)
    .filter(({ parts }) => parts.every((part, index) => part.startsWith('{') || part === segments[index]))
    .sort((a, b) => placeholderCount(a.parts) - placeholderCount(b.parts))[0]
  if (!found) throw new Error(`no operation for ${method} ${target}`)
  const params = found.parts.flatMap((part, index) =>
    part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(segments[index] ?? '')]] : [],
  )
  return { endpoint: found.endpoint, params: Object.fromEntries(params) as Record<string, string> }
}

const placeholderCount = (parts: readonly string[]) => parts.filter((part) => part.startsWith('{')).length

function answerOf({ responses, operation }: Endpoint, { status, headers = {}, body }: Reply): Answer {
  const declared = responses[status]
  if (declared === undefined) throw new Error(`${operation} does not declare the status ${status}`)
  if (body === undefined) return { status, headers, body: undefined }
  const { wire } = declared as { wire?: WireShape }
  if (!wire) throw new Error(`${operation} does not declare a body for ${status}`)
  const ready = typeof body === 'string' || Buffer.isBuffer(body)
  const text = ready ? body.toString() : replySerializer(wire)(body)
  const parsed = JSON.parse(text) as unknown
  const type = declared as unknown as { parse(value: unknown): unknown }
  if (!isDeepStrictEqual(withoutUndefined(type.parse(parsed)), parsed)) {
    throw new Error(`${operation} answers members that are not declared: ${text}`)
  }
  return { status, headers, body: parsed }
}

/** The value without members that are undefined. */
function withoutUndefined(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
}
