import type { AuditLog } from '#core/audit/audit-log.ts'
import { auditEntryOf } from '#core/audit/entry-of.ts'
import { requireRecordable } from '#core/audit/recordable.ts'
import { badRequest } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { resourceName } from '#core/names/resource-name.ts'
import { type Change, isDomainChange } from '../store/change.ts'
import type { Domain } from '../store/model.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { AuditReferenceValidator } from './audit-reference.ts'

/** What a write says of itself, for the audit log and those who follow changes. */
export interface WriteSubject {
  readonly context: RequestContext
  /** Domains the write changes; the first is the one the audit log names. */
  readonly domains: readonly string[]
  /** Local name of the object, for the audit log. */
  readonly entity: string
  readonly auditRef: string | undefined
  /** Method in the audit log when it is not the HTTP method (`REVIEW`, `REJECT`). */
  readonly method?: string
}

/** Is told of every committed write, e.g. to publish a message or to wake those who wait for changes. */
export type ChangeListener = (subject: WriteSubject, changes: readonly Change[]) => void

/** Kinds of objects for which an audit-enabled domain may demand an audit reference. */
export type AuditedKind = 'role' | 'group' | 'policy' | 'service' | 'domain' | 'entity' | 'tenancy' | 'template'

/** The one way services change data: a transaction whose outcome is recorded in the audit log and told to listeners. */
export class Writes {
  readonly #store: Store
  readonly #audit: AuditLog
  readonly #serverName: string
  readonly #auditedKinds: ReadonlySet<string>
  readonly #auditReferences: AuditReferenceValidator | undefined
  readonly #now: () => number
  readonly #listeners: ChangeListener[] = []

  constructor(options: {
    store: Store
    audit: AuditLog
    serverName: string
    /** Kinds that need an audit reference in audit-enabled domains. */
    auditedKinds: ReadonlySet<string>
    /** Judges the references that are needed; any will do without it. */
    auditReferences?: AuditReferenceValidator | undefined
    now: () => number
  }) {
    this.#store = options.store
    this.#audit = options.audit
    this.#serverName = options.serverName
    this.#auditedKinds = options.auditedKinds
    this.#auditReferences = options.auditReferences
    this.#now = options.now
  }

  /** Calls `listener` after every committed write. */
  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener)
  }

  /**
   * Runs and commits a transaction (see Store.transact for what `decide` may do), then records what it changed: when it
   * resolves, the change is in the audit log. Throws `unavailable` when nothing may be changed without being recorded.
   */
  async commit<T>(subject: WriteSubject, decide: (transaction: Transaction) => Promise<T> | T): Promise<T> {
    requireRecordable(this.#audit)
    let changes: readonly Change[] = []
    const result = await this.#store.transact(subject.domains, async (transaction) => {
      const collected: Change[] = []
      changes = collected
      return decide({
        now: transaction.now,
        queries: transaction.queries,
        domain: (name) => transaction.domain(name),
        apply: (...more) => {
          transaction.apply(...more)
          collected.push(...more)
        },
      })
    })
    if (changes.length > 0) {
      const recorded = this.#record(subject, changes)
      for (const listener of this.#listeners) listener(subject, changes)
      await recorded
    }
    return result
  }

  /**
   * 400 when an audit reference is needed and missing or not valid: the domain is audit-enabled and `kind` is among the
   * audited kinds, or the object itself is audit-enabled. `object` has its local name, messages have the full one.
   */
  requireAuditReference(
    context: RequestContext,
    kind: AuditedKind,
    domain: Pick<Domain, 'name' | 'auditEnabled'>,
    auditRef: string | undefined,
    object?: { name: string; auditEnabled?: boolean },
  ): void {
    const given = auditRef !== undefined && auditRef !== ''
    if (given && this.#auditReferences === undefined) return
    const place =
      domain.auditEnabled && this.#auditedKinds.has(kind)
        ? `domain: ${domain.name}`
        : object?.auditEnabled
          ? `object: ${fullNameOf(kind, domain.name, object.name)}`
          : undefined
    if (place === undefined) return
    if (!given) throw badRequest(`${context.api}: Audit reference required for ${place}`)
    this.#requireValidReference(context, auditRef, place)
  }

  #requireValidReference({ api, principal }: RequestContext, auditRef: string, place: string): void {
    const refusal = `${api}: Audit reference validation failed for ${place}, auditRef: ${auditRef}`
    let valid: unknown
    try {
      valid = this.#auditReferences?.isValid(auditRef, principal, api)
    } catch (cause) {
      throw badRequest(refusal, { cause })
    }
    if (valid !== true) throw badRequest(refusal)
  }

  async #record(subject: WriteSubject, changes: readonly Change[]): Promise<void> {
    await this.#audit.record(
      auditEntryOf(subject.context, {
        when: this.#now(),
        why: subject.auditRef,
        where: this.#serverName,
        method: subject.method,
        domain: subject.domains[0] ?? '',
        entity: subject.entity,
        details: describeChanges(changes),
      }),
    )
  }
}

const fullNameOf = (kind: AuditedKind, domain: string, name: string): string =>
  kind === 'role' || kind === 'group' ? resourceName(kind, domain, name) : name

/** JSON text of a list of changes; maps become objects, credentials are left out. */
export function describeChanges(changes: readonly Change[]): string {
  return JSON.stringify(
    changes.map((change) =>
      isDomainChange(change) && change.kind === 'createDomain'
        ? { kind: change.kind, domain: change.domain, roles: [...change.value.roles.keys()] }
        : change,
    ),
    (key, value: unknown) => {
      if (key === 'creds' || key === 'rowId') return undefined
      if (value instanceof Map) return Object.fromEntries(value)
      if (value instanceof Set) return [...value]
      return value
    },
  )
}
