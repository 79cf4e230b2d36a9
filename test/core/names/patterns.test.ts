import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isName, isResourceOwnerName, NAME_MAX_LENGTH, type NameType, patterns } from '#core/names/patterns.ts'

const CASES: readonly [type: NameType, good: readonly string[], bad: readonly string[]][] = [
  ['SimpleName', ['a', '_x', '0-', 'A_b-9'], ['', '-a', 'a.b', 'a b', 'é', 'a\n', 'a:b']],
  ['CompoundName', ['a', 'a.b', 'a.b-c._d'], ['', '.', 'a.', '.a', 'a..b', 'a.-b', 'a:b', 'a.b\n']],
  ['ResourceName', ['a', 'a.b', 'a.b:c.d', 'sports:role.readers'], ['', ':', 'a:', ':b', 'a:b:c', 'a:b/c', 'a:*']],
  ['ResourceNames', ['a', 'a,b:c', 'a,b,c'], ['', ',', 'a,', ',a', 'a,,b', 'a, b']],
  [
    'ExternalMemberName',
    ['a:ext.x', 'a.b:ext.jane@example.com x'],
    ['a:ext.', ':ext.x', 'a:ext.x\ny', 'a:extx', 'a:ext.\u2028'],
  ],
  ['GroupName', ['a:group.b', 'a.b:group.c.d'], ['a:group.', 'a:role.b', 'a:group.b:c', 'group.b']],
  ['GroupMemberName', ['user.jane', 'a:ext.x'], ['*', 'user.*', 'a:group.b', '']],
  ['PrincipalName', ['user.jane', 'a:b', 'a:ext.x y'], ['*', 'user.*', 'a:b c', '']],
  [
    'MemberName',
    ['*', 'user.*', 'user.jane', 'user.ja*', 'a:group.b', 'a:ext.x'],
    ['', '**', '*.a', 'a*b', 'a:role.b', 'a:group.*', 'user.**'],
  ],
  ['TagKey', ['a', 'a:b.c', '_-:0'], ['', 'a:', 'a b', 'a/b', '.a']],
  ['TagCompoundValue', ['a', 'a.b', '/x:%,-', ',.:'], ['', '%a', '-a', 'a..b', 'a b', 'a.']],
  ['AssertionConditionKey', ['ab', 'ab.cd', 'a-_1'], ['a', '1a', 'ab.c', 'ab.', 'a*']],
  ['AssertionConditionValue', ['a', '*', 'a.*,b-_', 'host1,host2'], ['', ',', 'a,', '.a', '-a', 'a b']],
  ['YBase64', ['a.b_c-'], ['', 'a+', 'a=']],
  ['SignedToken', ['', 'v=U1;d=user;n=a'], ['a b', 'a/b', 'é']],
]

describe('a string type', () => {
  for (const [type, good, bad] of CASES) {
    test(`${type} accepts only its own form`, () => {
      for (const text of good) assert.equal(isName(type, text), true, JSON.stringify(text))
      for (const text of bad) assert.equal(isName(type, text), false, JSON.stringify(text))
    })
  }

  test('refuses more text than any name may have', () => {
    assert.equal(isName('SimpleName', 'a'.repeat(NAME_MAX_LENGTH)), true)
    assert.equal(isName('SimpleName', 'a'.repeat(NAME_MAX_LENGTH + 1)), false)
  })
})

test('a resource owner has at most 32 characters', () => {
  assert.equal(isResourceOwnerName('team:tool-1'), true)
  assert.equal(isResourceOwnerName('a'.repeat(32)), true)
  assert.equal(isResourceOwnerName('a'.repeat(33)), false)
  for (const text of ['', 'a b', ':a', '-a']) assert.equal(isResourceOwnerName(text), false, text)
})

/** Time to refuse `unit` repeated up to a length, with a character at the end that no name has. */
const matchMillis = (type: NameType, unit: string, length: number): number => {
  const text = `${unit.repeat(Math.ceil(length / unit.length)).slice(0, length - 1)}\u0000`
  const start = performance.now()
  patterns[type].test(text)
  return performance.now() - start
}

describe('matching takes linear time', () => {
  /** Texts that are nearly names: every prefix fits, the end does not, and every separator invites another try. */
  const near = ['a', 'a.', 'a,', 'a:', 'a-', 'a.b:c,', '*', 'a:ext.', 'a:group.', '%', 'aa.']

  for (const type of Object.keys(patterns) as NameType[]) {
    test(type, () => {
      for (const unit of near) {
        matchMillis(type, unit, 1_000)
        // Quadratic time would be seconds: 2.1e9 steps at this length.
        assert.ok(matchMillis(type, unit, NAME_MAX_LENGTH) < 1_000, `${JSON.stringify(unit)} repeated`)
      }
    })
  }
})
