import { conflict } from '#core/error/service-error.ts'
import type { ResourceOwnership } from '../store/model.ts'

/**
 * Ownership of objects by the tool that manages them (header `Athenz-Resource-Owner`). Each component of an object has
 * its own owner: a write by another owner, or by nobody, is refused with 409.
 */

/**
 * Kinds of objects with ownership, with their components in the order in which writes of whole objects are checked, and
 * with the words for each of them in messages.
 */
const COMPONENT_WORDS = {
  domain: { object: 'resource owner', meta: 'meta owner' },
  role: { object: 'resource owner', members: 'members owner', meta: 'meta owner' },
  group: { object: 'resource owner', members: 'members owner', meta: 'meta owner' },
  policy: { object: 'resource owner', assertions: 'assertions owner' },
  service: { object: 'resource owner', publickeys: 'public-keys owner', hosts: 'hosts owner' },
} as const

/** Kinds of objects with ownership. */
export type OwnedKind = keyof typeof COMPONENT_WORDS

/** Switches of the ownership rules. */
export interface OwnershipSettings {
  /** Off: owners are neither checked nor stored. */
  enforce: () => boolean
  /** A header of this value (any case) skips checks and changes. */
  ignoreValue: string
  /** A header that ends so takes an object over from its owner. */
  forceSuffix: string
}

/** The owner a request names; undefined when the rules do not apply to it. */
interface RequestOwner {
  owner: string | undefined
  forced: boolean
}

/** Checks of writes against the stored owners; each returns the ownership to store, or undefined to leave it as it is. */
export class OwnershipRules {
  readonly #settings: OwnershipSettings

  constructor(settings: OwnershipSettings) {
    this.#settings = settings
  }

  /**
   * A write of a whole object. `components` are those the request carries, which alone are owned where nothing was; what
   * has owners is checked with all its components, since the write replaces them too. Throws 409 when a stored owner
   * differs from the one of the request.
   */
  wholeWrite(
    kind: OwnedKind,
    fullName: string,
    stored: ResourceOwnership | undefined,
    components: readonly string[],
    header: string | undefined,
  ): ResourceOwnership | undefined {
    const request = this.#read(header)
    if (!request) return undefined
    const { owner } = request
    if (!stored || stored.size === 0) {
      return owner === undefined ? undefined : new Map(components.map((component) => [component, owner]))
    }
    const words = Object.entries(COMPONENT_WORDS[kind])
    let changed = false
    for (const [component, word] of words) {
      const current = stored.get(component)
      if (current !== undefined && stays(current, request)) continue
      if (current !== undefined && !request.forced) {
        throw conflict(`Invalid ${word} for ${kind}: ${fullName}, ${current} vs. ${owner ?? null}`)
      }
      changed = true
    }
    if (!changed || owner === undefined) return undefined
    return new Map([...stored, ...words.map(([component]) => [component, owner] as const)])
  }

  /**
   * A write of one component (`meta`, `members`, `assertions`, `publickeys`, `hosts`). `word` is how messages name it,
   * e.g. `member` in "Invalid resource member owner for role"; the original uses this one for assertions and keys too, and
   * none for the settings of domains.
   */
  componentWrite(
    kind: OwnedKind,
    fullName: string,
    stored: ResourceOwnership | undefined,
    component: string,
    word: 'member' | 'meta' | undefined,
    header: string | undefined,
  ): ResourceOwnership | undefined {
    const request = this.#read(header)
    if (!request) return undefined
    const current = stored?.get(component)
    if (current === undefined) {
      return request.owner === undefined ? undefined : new Map([...(stored ?? []), [component, request.owner]])
    }
    if (request.owner === undefined) {
      throw conflict(`${kind.charAt(0).toUpperCase()}${kind.slice(1)} has a resource owner: ${current}`)
    }
    if (stays(current, request)) return undefined
    if (!request.forced) {
      const part = word === undefined ? 'owner' : `${word} owner`
      throw conflict(`Invalid resource ${part} for ${kind}: ${fullName}, ${current} vs. ${request.owner}`)
    }
    return new Map([...(stored ?? []), [component, request.owner]])
  }

  /** The deletion of an object (`object`) or of a part of it, which takes the owner's name: nothing is taken over by it. */
  deletion(stored: ResourceOwnership | undefined, component: string, header: string | undefined): void {
    const request = this.#read(header)
    const current = stored?.get(component)
    if (!request || current === undefined || sameOwner(current, request.owner)) return
    throw conflict(`Invalid resource owner for object: ${current} vs. ${request.owner ?? null}`)
  }

  #read(header: string | undefined): RequestOwner | undefined {
    if (!this.#settings.enforce()) return undefined
    if (header === undefined || header === '') return { owner: undefined, forced: false }
    if (header.toLowerCase() === this.#settings.ignoreValue.toLowerCase()) return undefined
    const { forceSuffix } = this.#settings
    return forceSuffix !== '' && header.endsWith(forceSuffix)
      ? { owner: header.slice(0, -forceSuffix.length), forced: true }
      : { owner: header, forced: false }
  }
}

/**
 * The owners to store with a role or group: anybody may ask for membership in a self-serve one, so its members have no
 * owner.
 */
export function ownersToStore(
  owners: ResourceOwnership | undefined,
  { selfServe }: { selfServe?: boolean | undefined },
): ResourceOwnership | undefined {
  if (!owners || !selfServe) return owners
  const kept = new Map([...owners].filter(([component]) => component !== 'members'))
  return kept.size > 0 ? kept : undefined
}

/** Whether the stored owner is the one of the request; one that takes over counts by its letters. */
const stays = (stored: string, { owner, forced }: RequestOwner) =>
  forced ? stored === owner : sameOwner(stored, owner)

const sameOwner = (stored: string, given: string | undefined) => stored.toLowerCase() === given?.toLowerCase()
