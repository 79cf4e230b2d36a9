import type { PendingRoleMember } from '../store/model.ts'
import type { CollectionKind } from './collection.ts'

/** What became of a request for membership, or for the end of one. */
export interface MemberDecision {
  readonly kind: CollectionKind
  readonly domainName: string
  /** Local name of the role or group. */
  readonly name: string
  /** The request as it was. */
  readonly pending: PendingRoleMember
  readonly approved: boolean
  /** Full name of who decided. */
  readonly decidedBy: string
  readonly auditRef: string | undefined
}

/** Tells others of decisions once they are committed. */
export class MemberDecisions {
  readonly #listeners: ((decision: MemberDecision) => void)[] = []

  /** Calls `listener` after every decision; it returns at once. */
  onDecision(listener: (decision: MemberDecision) => void): void {
    this.#listeners.push(listener)
  }

  tell(decision: MemberDecision): void {
    for (const listener of this.#listeners) listener(decision)
  }
}
