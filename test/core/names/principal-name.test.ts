import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  isGroupMemberName,
  isMemberName,
  isUserName,
  type PrincipalDomains,
  principalInQuestion,
  principalType,
  principalTypes,
  resolveUserAlias,
  splitPrincipalName,
} from '#core/names/principal-name.ts'

const defaults: PrincipalDomains = {
  userDomain: 'user',
  headlessUserDomain: 'user',
  homeDomain: 'user',
  additionalUserDomains: [],
}
const several: PrincipalDomains = {
  userDomain: 'user',
  userDomainAlias: 'people',
  headlessUserDomain: 'robots',
  homeDomain: 'home',
  additionalUserDomains: ['partners', 'a.guests'],
}

describe('principalType', () => {
  const CASES: readonly [name: string, type: keyof typeof principalTypes][] = [
    ['*', 'all'],
    ['sports:group.dev', 'group'],
    ['sports:ext.jane@example.com', 'external'],
    ['user.jane', 'user'],
    ['user.jane.web', 'service'],
    ['users.jane', 'service'],
    ['userxjane', 'service'],
    ['user', 'service'],
    ['sports.web', 'service'],
    ['partners.jane', 'user'],
    ['a.guests.jane', 'user'],
    ['a.guests.jane.web', 'service'],
    ['robots.cron', 'userHeadless'],
    ['robots.cron.job', 'service'],
    // A group called like an external member is a group: the first rule counts.
    ['sports:group.x:ext.y', 'group'],
  ]
  for (const [name, type] of CASES) {
    test(`of ${name} is ${type}`, () => {
      assert.equal(principalType(name, several), principalTypes[type])
    })
  }

  test('knows no headless users where their domain is that of the users', () => {
    assert.equal(principalType('user.cron', defaults), principalTypes.user)
    assert.equal(principalType('robots.cron', defaults), principalTypes.service)
  })

  test('has the published codes', () => {
    assert.deepEqual(Object.values(principalTypes), [0, 1, 2, 3, 4, 5, 6])
  })
})

test('a user stands directly in the user domain or an additional one', () => {
  assert.equal(isUserName('user.jane', several), true)
  assert.equal(isUserName('partners.jane', several), true)
  assert.equal(isUserName('partners.jane', defaults), false)
  assert.equal(isUserName('robots.jane', several), false)
  assert.equal(isUserName('user.', several), false)
})

test('principals are split at the last dot', () => {
  assert.deepEqual(splitPrincipalName('sports.api.web'), { domain: 'sports.api', name: 'web' })
  for (const name of ['', 'web', '.web', 'sports.']) assert.equal(splitPrincipalName(name), undefined, name)
})

test('the alias of the user domain is resolved in names with one dot', () => {
  assert.equal(resolveUserAlias('people.jane', several), 'user.jane')
  assert.equal(resolveUserAlias('people.jane.web', several), 'people.jane.web')
  assert.equal(resolveUserAlias('peoples.jane', several), 'peoples.jane')
  assert.equal(resolveUserAlias('people.jane', defaults), 'people.jane')
})

test('groups take no wildcards and no groups as members', () => {
  assert.equal(isMemberName('user.*'), true)
  assert.equal(isMemberName('sports:group.dev'), true)
  for (const name of ['*', 'user.*', 'sports:group.dev']) assert.equal(isGroupMemberName(name), false, name)
  assert.equal(isGroupMemberName('sports:ext.jane@example.com'), true)
})

describe('principalInQuestion', () => {
  const CASES: readonly [name: string, fullName: string | undefined][] = [
    ['user.jane', 'user.jane'],
    ['jane', 'user.jane'],
    ['', 'user.'],
    ['people.jane', 'user.jane'],
    ['people.jane.web', 'people.jane.web'],
    ['peoples.jane', 'peoples.jane'],
    ['sports.web', 'sports.web'],
    ['sports:group.dev', undefined],
  ]
  for (const [name, fullName] of CASES) {
    test(`${name} is ${fullName ?? 'no principal'}`, () => assert.equal(principalInQuestion(name, several), fullName))
  }
})
