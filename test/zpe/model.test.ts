import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { DomainPolicies, type PolicyAssertion } from '#zpe/domain-policies.ts'
import { Zpe } from '#zpe/zpe.ts'
import { NOW_MILLIS } from './zpe-world.ts'

/**
 * The algorithm of the original's engine, written down step by step with full scans: what the indexed engine is compared
 * with, status and matched role. One thing is added: a pattern of resources that matches the domain, too, as `*:data`
 * does, matches as it does for the servers.
 */
type Assertion = Omit<PolicyAssertion, 'policy'>

interface Tables {
  /** Assertions that name a role, by that role. */
  readonly exact: Readonly<Record<'ALLOW' | 'DENY', ReadonlyMap<string, readonly Assertion[]>>>
  /** Those whose role is a pattern, in the order of the file. */
  readonly wildcard: Readonly<Record<'ALLOW' | 'DENY', readonly Assertion[]>>
}

const isPattern = (text: string) => text.includes('*') || text.includes('?')

/** Kinds of matches: all, equality, prefix, and a glob in which `*` and `?` are no line ends. */
function matches(pattern: string, text: string): boolean {
  if (pattern === '*') return true
  if (!isPattern(pattern)) return pattern === text
  const isPrefix = pattern.indexOf('*') === pattern.length - 1 && !pattern.includes('?')
  if (isPrefix) return text.startsWith(pattern.slice(0, -1))
  const source = Array.from(pattern)
    .map((c) => (c === '*' ? '.*' : c === '?' ? '.' : c.replace(/[\\^$.+()[\]{}|]/, '\\$&')))
    .join('')
  return new RegExp(`^(?:${source})$`, 'u').test(text)
}

function tablesOf(domain: string, given: readonly Assertion[]): Tables {
  const assertions = given.map(({ role, action, resource, effect }) => {
    const lower = resource.toLowerCase()
    const isLocal = lower.startsWith(`${domain}:`)
    return {
      role: role.startsWith(`${domain}:role.`) ? role.slice(`${domain}:role.`.length) : role,
      action: action.toLowerCase(),
      resource: isLocal ? lower.slice(domain.length + 1) : lower,
      full: !isLocal && isPattern(lower),
      effect,
    }
  })
  const table = (effect: string) =>
    Map.groupBy(
      assertions.filter((each) => each.effect === effect && !isPattern(each.role)),
      ({ role }) => role,
    )
  const list = (effect: string) => assertions.filter((each) => each.effect === effect && isPattern(each.role))
  return {
    exact: { ALLOW: table('ALLOW'), DENY: table('DENY') },
    wildcard: { ALLOW: list('ALLOW'), DENY: list('DENY') },
  }
}

/** Beginnings of the pattern match the domain, and what remains of it the resource; a star may be in both. */
function matchesResource({ resource, full }: Assertion & { full?: boolean }, domain: string, local: string): boolean {
  if (matches(resource, local)) return true
  if (full !== true) return false
  for (let at = 0; at <= resource.length; at++) {
    const rests = [resource.slice(at), ...(resource[at - 1] === '*' ? [resource.slice(at - 1)] : [])]
    if (matches(resource.slice(0, at), `${domain}:`) && rests.some((rest) => matches(rest, local))) return true
  }
  return false
}

function byRole(
  table: ReadonlyMap<string, readonly Assertion[]>,
  roles: readonly string[],
  domain: string,
  action: string,
  resource: string,
): string | undefined {
  for (const role of roles) {
    for (const each of table.get(role) ?? []) {
      if (matches(each.action, action) && matchesResource(each, domain, resource)) return role
    }
  }
  return undefined
}

function byWildcardRole(
  assertions: readonly Assertion[],
  roles: readonly string[],
  domain: string,
  action: string,
  resource: string,
): string | undefined {
  for (const role of roles) {
    for (const each of assertions) {
      if (matches(each.role, role) && matches(each.action, action) && matchesResource(each, domain, resource))
        return each.role
    }
  }
  return undefined
}

function naive(
  domains: ReadonlyMap<string, readonly Assertion[]>,
  roles: readonly string[],
  domain: string,
  givenResource: string,
  givenAction: string,
): string {
  if (roles.length === 0 || domain === '') return 'DENY_ROLETOKEN_INVALID'
  if (givenAction === '' || givenResource === '') return 'DENY_INVALID_PARAMETERS'
  const action = givenAction.toLowerCase()
  let resource = givenResource.toLowerCase()
  const colon = resource.indexOf(':')
  if (colon !== -1) {
    if (resource.slice(0, colon) === domain) resource = resource.slice(colon + 1)
    else if (domains.size !== 1) return 'DENY_DOMAIN_MISMATCH'
  }
  const assertions = domains.get(domain)
  if (assertions === undefined) return 'DENY_DOMAIN_NOT_FOUND'
  const { exact, wildcard } = tablesOf(domain, assertions)
  for (const effect of ['DENY', 'ALLOW'] as const) {
    const role =
      byRole(exact[effect], roles, domain, action, resource) ??
      byWildcardRole(wildcard[effect], roles, domain, action, resource)
    if (role !== undefined) return `${effect} ${role}`
  }
  return assertions.length === 0 ? 'DENY_DOMAIN_EMPTY' : 'DENY_NO_MATCH'
}

const policiesOf = (domain: string, assertions: readonly Assertion[]) => {
  const times = { modifiedMillis: NOW_MILLIS, expiresMillis: NOW_MILLIS, loadedMillis: NOW_MILLIS }
  const version = { domain, ...times, form: 'signed' as const, keyId: '0', file: '' }
  return new DomainPolicies(
    version,
    assertions.map((each) => ({ ...each, policy: 'p' })),
  )
}

const roleName = fc.oneof(
  fc.constantFrom('r', 'rr', 'admin', 'R', 'a.b'),
  fc.nat(25).map((n) => `r${n}`),
)
const part = fc.constantFrom('thing', 'Thing', 'th*', '*', '*ng', 't?ing', 'th.*', 'a:b', 'a*b', 'x\ny', '?', '[a]', '')
const resourceOf = (domain: string) =>
  fc.oneof(
    part.map((text) => `${domain}:${text}`),
    part,
    fc.constantFrom('other:thing', '*:thing', '?:*', '*a:th*', 'a*', '*:*'),
  )
const assertionOf = (domain: string): fc.Arbitrary<Assertion> =>
  fc.record({
    role: fc
      .oneof({ weight: 4, arbitrary: roleName }, fc.constantFrom('*', 'r*', 'r?', '?dmin', '*n'))
      .chain((name) => fc.constantFrom(`${domain}:role.${name}`, `${domain}:role.${name}`, name, `other:role.${name}`)),
    action: fc.constantFrom('read', 'READ', 'write', 'r*', '*', '?ead', ''),
    resource: resourceOf(domain),
    effect: fc.constantFrom<('ALLOW' | 'DENY')[]>('ALLOW', 'ALLOW', 'ALLOW', 'DENY'),
  })
const DOMAINS = ['a', 'a.sub'] as const

describe('the engine decides as the original’s algorithm does', () => {
  for (const [what, roles] of [
    ['with a few roles', fc.array(roleName, { maxLength: 4 })],
    ['with many roles', fc.array(roleName, { minLength: 17, maxLength: 30 })],
  ] as const) {
    for (const [count, maxLength] of [
      ['few', 6],
      ['many', 60],
    ] as const) {
      test(`${what} and ${count} assertions`, async () => {
        const lists = fc.tuple(...DOMAINS.map((domain) => fc.array(assertionOf(domain), { maxLength, size: 'max' })))
        const question = fc.record({
          roles,
          domain: fc.constantFrom('a', 'a', 'a.sub', 'missing', ''),
          action: fc.constantFrom('read', 'Read', 'write', 'list', ''),
          resource: fc.oneof(
            fc.constantFrom(
              'thing',
              'THING',
              'a:thing',
              'A:thing',
              'a.sub:thing',
              'other:thing',
              'thongs',
              'a:a:b',
              'x\ny',
            ),
            fc.constantFrom('a:', ':thing', '', 'a', 'th.ing', 't\uD83D\uDE00ing', '[a]'),
          ),
        })
        const domains = new Map<string, DomainPolicies>()
        await using zpe = await Zpe.open({
          policySource: {
            get: (domain) => domains.get(domain),
            get size() {
              return domains.size
            },
            versions: () => [],
            start: async () => {},
            close: async () => {},
          },
        })
        fc.assert(
          fc.property(
            lists,
            fc.integer({ min: 0, max: 2 }),
            fc.array(question, { minLength: 5 }),
            (all, loaded, asked) => {
              const known = new Map(
                DOMAINS.slice(0, loaded).map((domain, index) => [domain as string, all[index] ?? []]),
              )
              domains.clear()
              for (const [domain, assertions] of known) domains.set(domain, policiesOf(domain, assertions))
              for (const { roles: held, domain, action, resource } of asked) {
                const { status, matchedRole } = zpe.allowAction(action, domain, resource, held)
                const got = matchedRole === undefined ? status : `${status} ${matchedRole}`
                assert.equal(got, naive(known, held, domain, resource, action))
              }
            },
          ),
          { numRuns: 1000 },
        )
      })
    }
  }
})
