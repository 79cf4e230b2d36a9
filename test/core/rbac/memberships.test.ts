import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stateOf } from '#core/rbac/holding.ts'
import { isMember, type MembershipQuestion, rolesOf } from '#core/rbac/memberships.ts'
import { domainOf, FUTURE, lookupOf, NOW, nothingLoaded, PAST, type TestDomain, type TestMember } from './fixtures.ts'

const question = (more: Partial<MembershipQuestion> = {}): MembershipQuestion => ({
  principal: 'user.ana',
  now: NOW,
  ...more,
})

const member = (domain: TestDomain, more?: Partial<MembershipQuestion>, others: readonly TestDomain[] = []) =>
  isMember(domainOf(domain), 'readers', question(more), lookupOf(...others.map(domainOf)))

const GROUPS = {
  team: ['user.ben', 'user.ana'],
  lapsed: [{ memberName: 'user.ana', expiration: PAST }],
  suspended: [{ memberName: 'user.ana', systemDisabled: 1 }],
  everybody: ['*'],
  nested: ['sports:group.team'],
}
const expired = (memberName: string) => ({ memberName, expiration: PAST })
const disabled = (memberName: string) => ({ memberName, systemDisabled: 4 })

const MEMBERS: readonly (readonly [behaviour: string, members: readonly TestMember[], via: string])[] = [
  ['a member by name is one', ['user.ben', 'user.ana'], 'direct'],
  ['a name in another letter case is the same', ['USER.Ana'], 'direct'],
  ['nobody is a member of an empty role', [], 'none'],
  ['a name must be the whole name', ['user.an', 'user.anabel', 'xuser.ana'], 'none'],
  ['an expiration in the future counts', [{ memberName: 'user.ana', expiration: FUTURE }], 'direct'],
  ['an expiration at this very moment counts', [{ memberName: 'user.ana', expiration: NOW }], 'direct'],
  ['an expired entry does not count', [expired('user.ana')], 'none'],
  ['an expiration that is not a number has passed', [{ memberName: 'user.ana', expiration: Number.NaN }], 'none'],
  ['a disabled entry does not count', [disabled('user.ana')], 'none'],
  ['an entry with all bits cleared counts', [{ memberName: 'user.ana', systemDisabled: 0 }], 'direct'],
  ['everybody is a member through *', ['*'], 'wildcard'],
  ['a prefix with * matches what begins so', ['user.*'], 'wildcard'],
  ['a prefix with * matches the prefix itself', ['user.ana*'], 'wildcard'],
  ['a prefix with * does not match the rest', ['user.b*', 'sports.*'], 'none'],
  ['only a final * is a wildcard', ['user.*a', '*.ana'], 'none'],
  ['a wildcard counts beside an expired entry', [expired('user.ana'), '*'], 'wildcard'],
  ['a name counts beside a disabled wildcard', [disabled('*'), 'user.ana'], 'direct'],
  ['an expired wildcard does not count', [expired('*')], 'none'],
  ['the second wildcard counts beside an expired one', [expired('*'), 'user.*'], 'wildcard'],
  ['a member of a group is one', ['sports:group.team'], 'group'],
  ['a group in any letter case', ['Sports:Group.Team'], 'group'],
  ['a group counts beside an expired entry', [expired('user.ana'), 'sports:group.team'], 'group'],
  ['an expired group does not count', [expired('sports:group.team')], 'none'],
  ['a disabled group counts', [disabled('sports:group.team')], 'group'],
  ['an expired member of the group does not count', ['sports:group.lapsed'], 'none'],
  ['a disabled member of the group does not count', ['sports:group.suspended'], 'none'],
  ['the next group counts', ['sports:group.lapsed', 'sports:group.team'], 'group'],
  ['groups in groups do not count', ['sports:group.nested'], 'none'],
  ['a group that is not there has no members', ['sports:group.gone', 'gone:group.team'], 'none'],
]

describe('membership', () => {
  for (const [behaviour, members, via] of MEMBERS) {
    test(behaviour, () => {
      const answer = member({ roles: { readers: members }, groups: GROUPS })
      assert.equal(answer.outcome === 'member' ? answer.holding.via : 'none', via)
    })
  }

  test('names the entries through which it holds', () => {
    const entry = { memberName: 'sports:group.everybody', expiration: FUTURE }
    const answer = member({ roles: { readers: [entry] }, groups: GROUPS })
    assert.deepEqual(answer, {
      outcome: 'member',
      holding: {
        via: 'group',
        entry,
        group: 'sports:group.everybody',
        within: { via: 'wildcard', entry: { memberName: '*' } },
      },
    })
  })

  test('a group or wildcard is no principal', () => {
    const roles = { readers: ['sports:group.team', 'user.a*'] }
    for (const principal of ['sports:group.team', 'user.b*']) {
      assert.equal(member({ roles, groups: GROUPS }, { principal }).outcome, 'not-member')
    }
  })

  test('finds groups of other domains, disabled ones too, and asks for those not loaded', () => {
    const roles = { readers: ['weather:group.team', 'news:group.team'] }
    const weather = { name: 'weather', enabled: false, groups: { team: ['user.ana'] } }
    assert.equal(member({ roles }, {}, [weather]).outcome, 'member')
    const answer = isMember(domainOf({ roles }), 'readers', question(), nothingLoaded)
    assert.deepEqual(answer, { outcome: 'needs', domains: ['weather', 'news'] })
  })

  test('of a role that is not there is none', () => {
    assert.equal(isMember(domainOf({}), '__proto__', question(), nothingLoaded).outcome, 'not-member')
  })

  test('tells the state of an entry, disabled before expired', () => {
    assert.equal(stateOf({ memberName: 'x', expiration: PAST, systemDisabled: 2 }, NOW), 'disabled')
    assert.equal(stateOf({ memberName: 'x', expiration: PAST }, NOW), 'expired')
    assert.equal(stateOf({ memberName: 'x' }, NOW), 'active')
  })
})

const weatherWith = (...rules: string[]): TestDomain => ({
  name: 'weather',
  roles: { staff: ['user.ana'], guests: ['user.ben'], viaGroup: ['weather:group.team'], again: 'news' },
  groups: { team: ['user.ana'] },
  rules,
})

describe('a delegated role', () => {
  const sports = { roles: { readers: 'weather' } }
  const outcome = (rule: string, more?: Partial<MembershipQuestion>) =>
    member(sports, more, [weatherWith(rule)]).outcome

  test('names the domain, role, assertion and member through which it is held', () => {
    const trusted = domainOf(weatherWith('ALLOW staff assume_role sports:role.readers'))
    const answer = isMember(domainOf(sports), 'readers', question(), lookupOf(trusted))
    const policy = trusted.policies.assertions[0]?.policy
    assert.deepEqual(answer, {
      outcome: 'member',
      holding: {
        via: 'trust',
        domain: 'weather',
        role: 'staff',
        policy,
        assertion: policy?.assertions[0],
        within: { via: 'direct', entry: { memberName: 'user.ana' } },
      },
    })
  })

  const RULES: readonly (readonly [behaviour: string, rule: string, access: boolean, token: boolean])[] = [
    ['is held by members of the role that may assume it', 'ALLOW staff assume_role sports:role.readers', true, true],
    ['is held through groups', 'ALLOW viaGroup assume_role sports:role.readers', true, true],
    ['is not held by others', 'ALLOW guests assume_role sports:role.readers', false, false],
    [
      'is not held through a role that is itself delegated',
      'ALLOW again assume_role sports:role.readers',
      false,
      false,
    ],
    ['may be selected by a glob', 'ALLOW staff assume_role *:role.read*', true, true],
    ['compares the action in any letter case', 'ALLOW staff ASSUME_ROLE sports:role.readers', true, true],
    ['compares the resource with letter case', 'ALLOW staff assume_role sports:role.Readers', false, false],
    ['does not know action globs', 'ALLOW staff assume_* sports:role.readers', false, false],
    ['does not know the action *', 'ALLOW staff * sports:role.readers', false, false],
    ['must be the resource', 'ALLOW staff assume_role sports:role.writers', false, false],
    ['may be assumed by role globs, but not for a token', 'ALLOW st* assume_role sports:role.readers', true, false],
    ['ignores the effect, but not for a token', 'DENY staff assume_role sports:role.readers', true, false],
  ]
  for (const [behaviour, rule, access, token] of RULES) {
    test(behaviour, () => {
      assert.equal(outcome(rule) === 'member', access)
      assert.equal(outcome(rule, { rules: 'token' }) === 'member', token)
    })
  }

  test('counts only for the trust domain of the question, in any letter case', () => {
    const rule = 'ALLOW staff assume_role sports:role.readers'
    assert.equal(outcome(rule, { trustDomain: 'Weather' }), 'member')
    assert.equal(outcome(rule, { trustDomain: 'news' }), 'not-member')
    assert.equal(outcome(rule, { trustDomain: '' }), 'not-member')
    const answer = isMember(domainOf(sports), 'readers', question({ trustDomain: 'news' }), nothingLoaded)
    assert.equal(answer.outcome, 'not-member')
  })

  test('is not asked about while it has members of its own', () => {
    const domain = domainOf({ roles: { readers: ['user.ben'] } })
    const roles = new Map([['readers', { trust: 'weather', members: domain.roles.get('readers')?.members as never }]])
    const answer = isMember({ ...domain, roles }, 'readers', question(), nothingLoaded)
    assert.equal(answer.outcome, 'not-member')
  })

  test('may be delegated to the domain itself', () => {
    const rules = ['ALLOW staff assume_role sports:role.readers']
    const domain = domainOf({ roles: { readers: 'sports', staff: ['user.ana'] }, rules })
    assert.equal(isMember(domain, 'readers', question(), nothingLoaded).outcome, 'member')
  })

  test('does not count for a token through a suspended group entry', () => {
    const domain = { roles: { readers: [disabled('sports:group.team')] }, groups: GROUPS }
    assert.equal(member(domain).outcome, 'member')
    assert.equal(member(domain, { rules: 'token' }).outcome, 'not-member')
  })
})

const held = (answer: ReturnType<typeof rolesOf>) =>
  answer.outcome === 'roles' ? answer.roles.map(({ role, holding }) => `${role} ${holding.via}`) : answer.domains

describe('the roles of a principal', () => {
  const domain = domainOf({
    roles: {
      a: ['user.ana'],
      b: ['user.ben'],
      c: ['*'],
      d: ['sports:group.team'],
      e: 'weather',
      f: [expired('user.ana')],
    },
    groups: GROUPS,
  })
  const weather = domainOf({
    name: 'weather',
    roles: { staff: ['user.*'] },
    rules: ['ALLOW staff assume_role *:role.?'],
  })

  test('are those it holds in any way', () => {
    assert.deepEqual(held(rolesOf(domain, question(), lookupOf(weather))), [
      'a direct',
      'c wildcard',
      'd group',
      'e trust',
    ])
  })

  test('are looked for among the given ones only', () => {
    const answer = rolesOf(domain, question(), nothingLoaded, ['d', 'b', 'a', 'gone'])
    assert.deepEqual(held(answer), ['d group', 'a direct'])
  })

  test('are not told while a domain is missing', () => {
    assert.deepEqual(rolesOf(domain, question(), nothingLoaded), { outcome: 'needs', domains: ['weather'] })
  })
})
