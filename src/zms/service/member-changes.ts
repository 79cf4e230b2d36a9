import type { DomainChange } from '../store/change.ts'
import type { Domain, Group, MemberAudit, PendingState, Role, RoleMember } from '../store/model.ts'
import type { CollectionKind } from './collection.ts'
import { type MemberDates, wholeSeconds } from './member-dates.ts'

/** Who changes members, why and when; recorded with every membership and in the history. */
export interface MemberActor {
  readonly principal: string
  readonly auditRef: string | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

/** The changes that make up single changes of members, each with its entry in the history. */
export class MemberChanges {
  readonly #kind: CollectionKind
  readonly #domain: string
  readonly #collection: string
  readonly #actor: MemberActor

  constructor(kind: CollectionKind, domain: string, collection: string, actor: MemberActor) {
    this.#kind = kind
    this.#domain = domain
    this.#collection = collection
    this.#actor = actor
  }

  /**
   * A membership that counts from now on. `requestPrincipal` undefined leaves it open who asked for it; members of groups
   * carry who wrote them last, whoever asked.
   */
  put(
    member: string,
    dates: MemberDates,
    action: 'ADD' | 'UPDATE' | 'APPROVE',
    requestPrincipal: string | undefined,
    existing?: RoleMember,
  ): DomainChange[] {
    const { principal, auditRef } = this.#actor
    const requester = this.#kind.kind === 'group' ? principal : requestPrincipal
    const value: RoleMember = {
      memberName: member,
      ...dates,
      ...(auditRef && { auditRef }),
      ...(requester && { requestPrincipal: requester }),
      ...(existing?.systemDisabled && { systemDisabled: existing.systemDisabled }),
    }
    return [this.#kind.putMember(this.#domain, this.#collection, value), this.#audit(member, action)]
  }

  /** A membership with other suspension bits; the actor is noted as who asked for it. */
  suspend(existing: RoleMember, systemDisabled: number): DomainChange[] {
    const { principal, auditRef } = this.#actor
    const { systemDisabled: _, ...member } = existing
    const value: RoleMember = {
      ...member,
      requestPrincipal: principal,
      ...(auditRef && { auditRef }),
      ...(systemDisabled !== 0 && { systemDisabled }),
    }
    const action = systemDisabled === 0 ? 'ENABLE' : 'DISABLE'
    return [this.#kind.putMember(this.#domain, this.#collection, value), this.#audit(member.memberName, action)]
  }

  /** The end of a membership. */
  remove(member: string): DomainChange[] {
    return [this.#kind.deleteMember(this.#domain, this.#collection, member), this.#audit(member, 'DELETE')]
  }

  /** A request that awaits a decision. */
  request(member: string, dates: MemberDates, pendingState: PendingState): DomainChange[] {
    const { principal, auditRef, now } = this.#actor
    const value = {
      memberName: member,
      ...dates,
      ...(auditRef && { auditRef }),
      requestPrincipal: principal,
      requestTime: now,
      lastNotifiedTime: now,
      pendingState,
    }
    return [this.#kind.putPending(this.#domain, this.#collection, value), this.#audit(member, 'REQUEST')]
  }

  /** The end of a request, and, unless it was approved, its place in the history. */
  settle(member: string, outcome: 'approved' | 'rejected'): DomainChange[] {
    const change = this.#kind.deletePending(this.#domain, this.#collection, member)
    return outcome === 'approved' ? [change] : [change, this.#audit(member, 'REJECT')]
  }

  #audit(member: string, action: MemberAudit['action']): DomainChange {
    const { principal, auditRef, now } = this.#actor
    return this.#kind.addAudit(this.#domain, this.#collection, {
      admin: principal,
      member,
      created: wholeSeconds(now),
      action,
      ...(auditRef && { auditRef }),
    })
  }
}

/** A role or group found in its domain. */
export interface FoundCollection {
  readonly domain: Domain
  readonly collection: Role | Group
}
