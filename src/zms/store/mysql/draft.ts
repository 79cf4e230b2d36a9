import type { MutableDomain, MutableGroup, MutablePolicy, MutableRole, MutableService } from '../change.ts'
import { emptyDomain } from '../empty-domain.ts'
import type { Assertion, DomainBase, Tags } from '../model.ts'
import type { UnknownRows } from './columns.ts'

/** A domain while its rows are put together; the maps find an object by the key of its row. */
export class DomainDraft {
  readonly domain: MutableDomain
  readonly roles = new Map<number, MutableRole>()
  readonly groups = new Map<number, MutableGroup>()
  readonly policies = new Map<number, MutablePolicy>()
  readonly assertions = new Map<number, MutableAssertion>()
  readonly services = new Map<number, MutableService>()
  readonly #texts = new Map<string, string>()

  constructor(base: DomainBase) {
    this.domain = emptyDomain(base)
  }

  /** The same string object for equal texts: a requester's name otherwise takes memory once per member. */
  shared(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    this.#texts.set(text, text)
    return text
  }
}

/** A condition that is being read. */
export type MutableCondition = Map<string, { operator: string; value: string }>

/** An assertion that is being read. */
export interface MutableAssertion extends Assertion {
  conditions?: Map<number, MutableCondition>
}

/** One query of the script that loads a domain, and what to do with its rows. */
export interface LoadStep {
  /** A query with one place, for the key of the domain's row. */
  readonly sql: string
  read(rows: UnknownRows, draft: DomainDraft): void
}

interface TagRow {
  readonly id: number
  readonly key: string
  readonly value: string
}

/** Rows of tags (`id`, `key`, `value`) put into their owners. */
export function readTags(rows: UnknownRows, ownerOf: (id: number) => { tags?: Tags } | undefined): void {
  for (const { id, key, value } of rows as readonly TagRow[]) {
    const owner = ownerOf(id)
    if (!owner) continue
    const tags = (owner.tags ?? new Map()) as Map<string, string[]>
    const values = tags.get(key)
    if (values) values.push(value)
    else tags.set(key, [value])
    owner.tags = tags
  }
}
