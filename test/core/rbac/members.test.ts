import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { type MemberEntry, Members } from '#core/rbac/members.ts'

const named = (...names: string[]): MemberEntry[] => names.map((memberName) => ({ memberName }))
const namesOf = (members: Members): string[] => [...members].map((entry) => entry.memberName)
const many = (count: number): MemberEntry[] => named(...Array.from({ length: count }, (_, i) => `user.u${i}`))
const sorted = (list: MemberEntry[]) => list.sort((a, b) => (a.memberName < b.memberName ? -1 : 1))

describe('members', () => {
  for (const size of [0, 3, 8, 9, 100]) {
    test(`finds each of ${size} by name in any letter case, in order`, () => {
      const entries = many(size)
      const members = new Members(entries)
      assert.equal(members.size, size)
      assert.deepEqual([...members], entries)
      assert.deepEqual([...members.values()], entries)
      for (const entry of entries) {
        assert.equal(members.get(entry.memberName.toUpperCase()), entry)
        assert.equal(members.getFolded(entry.memberName), entry)
        assert.ok(members.has(entry.memberName))
      }
      assert.equal(members.get('user.nobody'), undefined)
      assert.ok(!members.has('user.nobody'))
    })
  }

  test('setting a name again replaces the entry in its place', () => {
    for (const count of [2, 20]) {
      const members = new Members([...named('user.a', 'User.B', 'user.c'), ...many(count)])
      const entry = { memberName: 'USER.B', expiration: 1 }
      members.set(entry)
      assert.equal(members.size, count + 3)
      assert.deepEqual(namesOf(members).slice(0, 3), ['user.a', 'USER.B', 'user.c'])
      assert.equal(members.get('user.b'), entry)
    }
  })

  test('names are told apart whatever they have in common, after every change', () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', '1', '.'), { minLength: 1, maxLength: 5 })
      .map((each) => each.join(''))
    const step = fc.record({ name, put: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), name, (steps, other) => {
        const members = new Members()
        const expected = new Map<string, MemberEntry>()
        for (const { name: memberName, put } of steps) {
          const entry = { memberName }
          if (put) members.set(entry)
          else members.delete(memberName)
          if (put) expected.set(memberName, entry)
          else expected.delete(memberName)
        }
        assert.deepEqual([...members], [...expected.values()])
        for (const [each, entry] of expected) assert.equal(members.getFolded(each), entry)
        assert.equal(members.getFolded(other), expected.get(other))
      }),
      { numRuns: 1000 },
    )
  })

  test('names of objects are no members', () => {
    for (const members of [new Members(), new Members(many(20))]) {
      assert.equal(members.get('__proto__'), undefined)
      assert.equal(members.get('constructor'), undefined)
      assert.equal(members.set({ memberName: '__proto__' }).get('__PROTO__')?.memberName, '__proto__')
    }
  })

  test('deletes by name in any letter case', () => {
    const members = new Members(named('user.a', 'user.b', 'user.*', 'sports:group.g'))
    assert.ok(members.delete('USER.A'))
    assert.ok(!members.delete('user.a'))
    assert.ok(members.delete('User.*'))
    assert.ok(members.delete('sports:GROUP.g'))
    assert.deepEqual(namesOf(members), ['user.b'])
    assert.deepEqual(members.wildcards, [])
    assert.deepEqual(members.groups, [])
  })

  test('keeps wildcards and groups apart', () => {
    const [star, prefix, group, external, plain] = named(
      '*',
      'User.A*',
      'Sports.api:group.Team.Core',
      'sports:ext.a:group.b',
      'user.a',
    ) as [MemberEntry, MemberEntry, MemberEntry, MemberEntry, MemberEntry]
    const members = new Members([star, prefix, group, external, plain])
    assert.deepEqual(members.wildcards, [
      { entry: star, prefix: '' },
      { entry: prefix, prefix: 'user.a' },
    ])
    assert.deepEqual(members.groups, [{ entry: group, domain: 'sports.api', group: 'team.core' }])
  })

  test('a replaced wildcard or group is seen with its new entry only', () => {
    const members = new Members(named('user.*', 'sports:group.g'))
    const wildcard = { memberName: 'USER.*', systemDisabled: 4 }
    const group = { memberName: 'sports:group.G', expiration: 7 }
    members.set(wildcard).set(group)
    assert.deepEqual(members.wildcards, [{ entry: wildcard, prefix: 'user.' }])
    assert.deepEqual(members.groups, [{ entry: group, domain: 'sports', group: 'g' }])
  })

  test('agrees with a plain map after any sequence of changes', () => {
    const name = fc.constantFrom(
      'user.a',
      'User.A',
      'user.b',
      'user.c',
      'user.*',
      'USER.*',
      '*',
      'd:group.g',
      'D:group.G',
      'd:group.h',
      ...many(10).map((entry) => entry.memberName),
    )
    const change = fc.record({ name, remove: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const members = new Members()
        const model = new Map<string, MemberEntry>()
        for (const { name: memberName, remove } of changes) {
          const key = memberName.toLowerCase()
          if (remove) assert.equal(members.delete(memberName), model.delete(key))
          else {
            const entry = { memberName }
            members.set(entry)
            model.set(key, entry)
          }
        }
        assert.deepEqual([...members], [...model.values()])
        const pick = (text: string) => [...model].filter(([key]) => key.includes(text)).map(([, entry]) => entry)
        assert.deepEqual(sorted(members.wildcards.map((each) => each.entry)), sorted(pick('*')))
        assert.deepEqual(sorted(members.groups.map((each) => each.entry)), sorted(pick(':group.')))
      }),
    )
  })
})
