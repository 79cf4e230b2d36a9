import { parseTimestamp } from '#core/http/wire.ts'
import { isName } from '#core/names/patterns.ts'
import {
  type ChangeLogStore,
  type ChangesOptions,
  type DomainChanges,
  type ListedDomain,
  SourceFailure,
} from './change-log-store.ts'
import type { ZmsClient } from './zms-client.ts'

/** What a store asks of a client. */
export interface ZmsChangeLogStoreOptions {
  readonly client: Pick<ZmsClient, 'ask'>
  /** Ask for JSON web signatures, which protect all of a domain. */
  readonly webSignatures: boolean
  readonly close?: () => Promise<void>
  readonly times?: AnswerTimes
}

/** Longest times from a question to the last byte of its answer, without the time for which it may be held back. */
export interface AnswerTimes {
  readonly listMillis: number
  readonly domainMillis: number
}

const ANSWER_TIMES: AnswerTimes = { listMillis: 30_000, domainMillis: 120_000 }

const LIST_MAX_BYTES = 256 * 1024 * 1024
const DOMAIN_MAX_BYTES = 256 * 1024 * 1024
const LIST_START = '{"domains":['
const LIST_END = ']}'

/** The domains of ZMS, asked for by its API. */
export class ZmsChangeLogStore implements ChangeLogStore {
  readonly #client: Pick<ZmsClient, 'ask'>
  readonly #webSignatures: boolean
  readonly #close: (() => Promise<void>) | undefined
  readonly #times: AnswerTimes

  constructor({ client, webSignatures, close, times = ANSWER_TIMES }: ZmsChangeLogStoreOptions) {
    this.#client = client
    this.#webSignatures = webSignatures
    this.#close = close
    this.#times = times
  }

  async changes(tag: string | undefined, { waitSeconds, signal }: ChangesOptions): Promise<DomainChanges> {
    const waits = tag !== undefined && waitSeconds > 0
    const { status, etag, preferenceApplied, body } = await this.#client.ask({
      path: '/sys/modified_domains',
      query: { metaonly: 'true', conditions: 'false', master: 'true' },
      headers: {
        ...(tag !== undefined && { 'if-none-match': tag }),
        ...(waits && { prefer: `wait=${waitSeconds}` }),
      },
      maxBytes: LIST_MAX_BYTES,
      timeoutMillis: this.#times.listMillis + (waits ? waitSeconds * 1000 : 0),
      signal,
    })
    const held = waits && preferenceApplied
    if (status === 304 && tag !== undefined) return { domains: [], tag: undefined, held }
    if (status !== 200) throw garbage(`a list of domains with status ${status}`)
    return { domains: listedDomains(body), tag: etag, held }
  }

  async domain(name: string, { signal }: { readonly signal: AbortSignal }): Promise<Uint8Array | undefined> {
    return this.#webSignatures ? this.#webSignature(name, signal) : this.#signedDomain(name, signal)
  }

  async close(): Promise<void> {
    await this.#close?.()
  }

  async #signedDomain(name: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { status, body } = await this.#client.ask({
      path: '/sys/modified_domains',
      query: { domain: name, conditions: 'false', master: 'true' },
      maxBytes: DOMAIN_MAX_BYTES,
      timeoutMillis: this.#times.domainMillis,
      signal,
    })
    if (status !== 200) throw garbage(`the domain ${name} with status ${status}`)
    const only = onlyItem(body)
    if (only !== undefined) return only.length === 0 ? undefined : only
    const domains = itemsOf(body)
    if (domains.length > 1) throw garbage(`several domains for ${name}`)
    return domains.length === 0 ? undefined : Buffer.from(JSON.stringify(domains[0]))
  }

  async #webSignature(name: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { status, body } = await this.#client.ask({
      path: `/domain/${encodeURIComponent(name)}/signed`,
      maxBytes: DOMAIN_MAX_BYTES,
      timeoutMillis: this.#times.domainMillis,
      signal,
    })
    if (status === 304) throw garbage(`the domain ${name} with status ${status}`)
    return status === 404 ? undefined : body
  }
}

/** All of a list, or nothing: one that has lost a part must not look like one that never had it. */
function listedDomains(body: Buffer): ListedDomain[] {
  return itemsOf(body).map((item) => {
    const { domain } = (item ?? {}) as { domain?: unknown }
    const { name, modified, enabled } = (domain ?? {}) as Readonly<Record<string, unknown>>
    const millis = typeof modified === 'string' ? parseTimestamp(modified) : undefined
    if (typeof name !== 'string' || !isName('DomainName', name) || millis === undefined) {
      throw garbage('a list with something in it that is no domain')
    }
    return { name: name.toLowerCase(), modified: millis, enabled: enabled !== false }
  })
}

function itemsOf(body: Buffer): readonly unknown[] {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw garbage('what is no JSON', cause)
  }
  const { domains } = (typeof value === 'object' && value !== null ? value : {}) as { domains?: unknown }
  if (Array.isArray(domains)) return domains
  throw garbage('an object without a list of domains')
}

/**
 * What stands between the brackets of a list that is written without white space. It is kept as it was received, and not
 * looked into: whoever verifies it finds out whether it is one domain.
 */
function onlyItem(body: Buffer): Buffer | undefined {
  const isPlain =
    body.length >= LIST_START.length + LIST_END.length &&
    body.toString('latin1', 0, LIST_START.length) === LIST_START &&
    body.toString('latin1', body.length - LIST_END.length) === LIST_END
  return isPlain ? body.subarray(LIST_START.length, body.length - LIST_END.length) : undefined
}

const garbage = (what: string, cause?: unknown): SourceFailure =>
  new SourceFailure('garbage', `ZMS answers ${what}`, { cause })
