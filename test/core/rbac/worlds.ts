import * as fc from 'fast-check'
import type { AccessQuestion } from '#core/rbac/evaluate.ts'
import { FUTURE, NOW, PAST } from './fixtures.ts'
import type { NaiveDomain } from './naive-model.ts'

const DOMAINS = ['a', 'b', 'a.sub'] as const
const ROLES = ['r', 'rr', 'admin', 'r.role.x']
const PRINCIPALS = ['user.x', 'user.xy', 'a.api', 'b.api', 'a']

const name = fc.constantFrom(...DOMAINS)
const memberName = fc.oneof(
  fc.constantFrom(...PRINCIPALS, 'USER.X', '*', 'user.*', 'user.x*', 'a.*'),
  fc.tuple(name, fc.constantFrom('g', 'h')).map(([domain, group]) => `${domain}:group.${group}`),
)
const member = fc.record({
  memberName,
  expiration: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(PAST, NOW, FUTURE)),
})
const groupMember = fc.record({
  memberName: fc.constantFrom(...PRINCIPALS),
  expiration: fc.constantFrom(undefined, PAST, FUTURE),
  systemDisabled: fc.constantFrom(undefined, undefined, 0, 4),
})
const members = fc.uniqueArray(
  fc.oneof(
    member,
    member.map((each) => ({ ...each, systemDisabled: 4 })),
  ),
  { maxLength: 4, selector: (each) => each.memberName.toLowerCase() },
)
const pending = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  fc.array(fc.record({ memberName, pendingState: fc.constantFrom(undefined, 'ADD' as const, 'DELETE' as const) }), {
    maxLength: 2,
  }),
)
const role = fc.oneof(
  { weight: 3, arbitrary: fc.record({ members, pending }) },
  fc.record({ trust: name, members: fc.constant([]) }),
  // Servers refuse to write it, but data may have it.
  fc.record({ trust: name, members }),
)
const roleName = fc.constantFrom(...ROLES)
const rolePattern = fc.oneof(
  { weight: 2, arbitrary: roleName },
  fc.constantFrom('*', 'r*', '*x', 'r?', '?dmin', 'gone'),
)

const assertionOf = (domain: string) => {
  const given = rolePattern.map((pattern) => `${domain}:role.${pattern}`)
  const effect = fc.constantFrom<(undefined | 'ALLOW' | 'DENY')[]>(undefined, 'ALLOW', 'ALLOW', 'DENY')
  const plain = fc.record({
    role: given,
    action: fc.constantFrom('read', 'READ', 'r*', '*', '?ead', 'write'),
    resource: fc.constantFrom(
      ...['thing', 'Thing', 'th*', '*', '*ng', 'other', 'x'].map((part) => `${domain}:${part}`),
      '*',
    ),
    effect,
  })
  const delegation = fc.record({
    role: given,
    action: fc.constantFrom('assume_role', 'ASSUME_ROLE', 'assume_rol?'),
    resource: fc
      .tuple(fc.constantFrom(...DOMAINS, '*'), fc.constantFrom(...ROLES, '*', 'r*', 'RR', 'R', 'Admin'))
      .map(([other, local]) => `${other}:role.${local}`),
    effect,
  })
  return fc.oneof(plain, delegation)
}

/** Assertions that nobody is asked about: with them the engine looks up the others by its index. */
const paddingOf = (domain: string) =>
  Array.from({ length: 64 }, (_, index) => ({
    role: `${domain}:role.r`,
    action: 'pad',
    resource: `${domain}:pad${index}`,
  }))

const domainOf = (domain: string): fc.Arbitrary<NaiveDomain> =>
  fc.record({
    name: fc.constant(domain),
    roles: fc.dictionary(roleName, role, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
    groups: fc.record({
      g: fc.uniqueArray(groupMember, { maxLength: 3, selector: (each) => each.memberName }),
      h: fc.constant([{ memberName: 'user.x' }]),
    }),
    policies: fc
      .tuple(
        fc.oneof(
          { weight: 6, arbitrary: fc.array(fc.array(assertionOf(domain), { maxLength: 12 }), { maxLength: 3 }) },
          // So many of one resource that they are looked up by action.
          fc
            .array(assertionOf(domain), { minLength: 8, maxLength: 14 })
            .map((assertions) => [assertions.map((each) => ({ ...each, resource: `${domain}:thing` }))]),
        ),
        fc.constantFrom([], [paddingOf(domain)]),
      )
      .map(([policies, padding]) => [...policies, ...padding]),
    inactive: fc.array(fc.array(assertionOf(domain), { maxLength: 4 }), { maxLength: 2 }),
    pendingInGroups: fc.record({
      g: fc.array(fc.record({ memberName: fc.constantFrom(...PRINCIPALS) }), { maxLength: 1 }),
    }),
  })

/** Three domains that know each other: few names, so that what belongs together often meets. */
export const world = fc.tuple(...DOMAINS.map(domainOf))
const credentialRole = fc.oneof(
  roleName,
  fc.tuple(name, roleName).map(([domain, local]) => `${domain}:role.${local}`),
)
/** Questions to the first of them, mostly. */
export const question: fc.Arbitrary<AccessQuestion> = fc.record({
  principal: fc.record({
    fullName: fc.constantFrom(...PRINCIPALS, 'User.X', 'user.z'),
    roles: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, fc.array(credentialRole, { maxLength: 3 })),
    mtlsRestricted: fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, fc.boolean()),
  }),
  action: fc.constantFrom('read', 'Read', 'read', 'reads', 'write', 'assume_role'),
  resource: fc.constantFrom('a:thing', 'A:THING', 'a:other', 'b:role.rr', 'a.sub:role.admin'),
  trustDomain: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, fc.constantFrom('a', 'B', 'a.sub')),
  now: fc.constant(NOW),
})
