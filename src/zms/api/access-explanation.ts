import { maybe, shown } from '#core/http/scalar-types.ts'
import { bool, int64, list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { AssertionEffect } from './assertion.ts'

/** Who asked, as the server saw it. */
const Identity = struct({
  principal: shown.text,
  /** Id of the authority that vouches for it. */
  authority: maybe.text,
  /** What it showed: `certificate`, `role-certificate`, `token` or `role-token`. */
  credential: shown.text,
  /** Roles that the credential names; they count instead of memberships. */
  roles: optional(list(shown.text)),
  moreRoles: maybe.int32,
  /** Who holds these roles. */
  rolePrincipal: maybe.text,
  /** Service that passed the token on. */
  authorizedService: maybe.text,
})

/** An entry of a role or group that matches the principal but does not count. */
const Lapse = struct({
  /** `pending`, `expired` or `disabled`. */
  state: shown.text,
  member: shown.text,
  /** Where the entry is: a role, or a group that is a member of it. */
  role: shown.text,
  group: maybe.text,
  expiration: maybe.time,
  /** `authority-filter`, `authority` or `operator`. */
  disabledBy: optional(list(shown.text)),
  /** Of a pending request: who made it and when. */
  requestedBy: maybe.text,
  requested: maybe.time,
})

/** A role of the domain that the principal holds, or would hold were it not for entries that do not count. */
const RoleHeld = struct({
  role: shown.text,
  held: bool(),
  /** `direct`, `wildcard`, `group`, `trust` or `credential`. */
  via: maybe.text,
  /** The entry that brings it, and the group it belongs to. */
  member: maybe.text,
  group: maybe.text,
  expiration: maybe.time,
  /** Of a delegated role: the role of the trusted domain that assumes it. */
  trustRole: maybe.text,
  lapses: optional(list(Lapse)),
})

/** An assertion and how it fared. */
const AssertionTried = struct({
  policy: shown.text,
  version: maybe.text,
  /** Whether the version is the active one. */
  active: bool(),
  id: optional(int64()),
  effect: AssertionEffect,
  role: shown.text,
  action: shown.text,
  resource: shown.text,
  /** What of it does not fit: `version`, `action`, `resource`, `role`; when empty it applies. */
  misses: list(shown.text),
  /** `held`, `lapsed`, `not-held`, or `unknown` when the domain has no such role. */
  standing: shown.text,
  /** The role through which it applies or would apply. */
  through: maybe.text,
  /** It has conditions, which this server does not look at: those who enforce the decision may. */
  conditions: maybe.bool,
})

/**
 * One change. Its kind says which members it has: `add-member`, `remove-member`, `renew-member`, `enable-member`,
 * `approve-member`, `create-role`, `add-assertion`, `remove-assertion`, `activate-version`, `name-role` or
 * `avoid-refusal`. Without a role, `create-role` means any new one and `add-assertion` that one.
 */
const Change = struct({
  kind: shown.text,
  role: maybe.text,
  group: maybe.text,
  member: maybe.text,
  policy: maybe.text,
  version: maybe.text,
  assertion: optional(int64()),
  refusal: maybe.text,
})

/** Changes that together make the question pass. */
const Remedy = struct({ text: shown.text, changes: list(Change) })

/**
 * How an access decision came about. Ours: the original has nothing like it. Lists are cut; `more…` counts what was left
 * out.
 */
export const AccessExplanation = struct({
  /** The question and its answer in one line. */
  summary: shown.text,
  caller: Identity,
  /** The principal the question is about. */
  principal: shown.text,
  action: shown.text,
  resource: shown.text,
  trustDomain: maybe.text,
  /** The domain whose policies answer, and the stamp of its last change; absent for a home domain nobody has made yet. */
  domain: shown.text,
  modified: maybe.time,
  /** `allow`, `deny` or `no-match`. */
  outcome: shown.text,
  /** Why it was denied before any assertion was looked at. */
  refusal: maybe.text,
  decidedBy: optional(AssertionTried),
  roles: list(RoleHeld),
  moreRoles: maybe.int32,
  assertions: list(AssertionTried),
  moreAssertions: maybe.int32,
  /** ALLOW assertions that lack least, the most useful first. */
  nearestMisses: list(AssertionTried),
  /** What would make it pass, the smallest change first. */
  remedies: list(Remedy),
})
export type AccessExplanation = ValueOf<typeof AccessExplanation>
