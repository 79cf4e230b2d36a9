/** A domain in a list of modified domains. */
export interface ListedDomain {
  /** Lower case. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly modified: number
  readonly enabled: boolean
}

/** Which domains have changed. */
export interface DomainChanges {
  readonly domains: readonly ListedDomain[]
  /** What to ask with next; undefined when it stays as it was. */
  readonly tag: string | undefined
  /** Whether the source holds answers back until there is something new, so that it may be asked again at once. */
  readonly held: boolean
}

/** How changes are asked for. */
export interface ChangesOptions {
  /** How long the answer may be held back while there is nothing new; 0 asks for an answer at once. */
  readonly waitSeconds: number
  readonly signal: AbortSignal
}

/**
 * Where the domains come from. A plug-in: `athenz.zts.change_log_store_factory_class` may name an ES module that exports an
 * implementation. It is not trusted with the content: domains are signed by ZMS and verified by their reader.
 */
export interface ChangeLogStore {
  /**
   * The domains that have changed since the answer with that tag, which may repeat some that have not; without a tag, all
   * there are. Rejects with a {@link SourceFailure} when the answer is not whole: half a list is none.
   */
  changes(tag: string | undefined, options: ChangesOptions): Promise<DomainChanges>
  /** JSON of a SignedDomain or JWSDomain; undefined when there is no such domain. Rejects with a {@link SourceFailure}. */
  domain(name: string, options: { readonly signal: AbortSignal }): Promise<Uint8Array | undefined>
  close?(): Promise<void>
}

/**
 * What went wrong. `unreachable` and `timeout`: nothing will be answered for now; `untrusted`: nobody vouches for the
 * source's certificate; `refused`: the source does not know this server; `status`: another status than expected;
 * `garbage`: the answer cannot be read.
 */
export type SourceFailureCode = 'unreachable' | 'timeout' | 'untrusted' | 'refused' | 'status' | 'garbage'

/** Failures for which asking for something else would fail, too. */
const GENERAL: ReadonlySet<SourceFailureCode> = new Set(['unreachable', 'timeout', 'untrusted', 'refused'] as const)
/** Failures that last until an operator changes something. */
const LASTING: ReadonlySet<SourceFailureCode> = new Set(['untrusted', 'refused'] as const)

/** The source of the domains gave no answer of use. */
export class SourceFailure extends Error {
  readonly code: SourceFailureCode

  constructor(code: SourceFailureCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** Whether asking for something else would fail, too. */
  get isGeneral(): boolean {
    return GENERAL.has(this.code)
  }

  /** Whether there is no use in asking again before an operator has changed something. */
  get isLasting(): boolean {
    return LASTING.has(this.code)
  }
}
