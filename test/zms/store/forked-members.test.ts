import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type MemberEntry, Members } from '#core/rbac/members.ts'
import { ForkedMembers } from '#zms/store/forked-members.ts'

interface Entry extends MemberEntry {
  mark: number
}

const names = fc.constantFrom('user.a', 'user.b', 'User.B', 'user.c', 'user.*', '*', 'a:group.x', 'a:group.y', 'b.api')
const entries = fc.record({ memberName: names, mark: fc.nat(9) })
const steps = fc.array(fc.oneof(entries, names), { maxLength: 30 })

const contentOf = (members: Members<Entry>) => ({
  size: members.size,
  values: [...members],
  wildcards: members.wildcards.map(({ prefix, entry }) => `${prefix} ${entry.mark}`).toSorted(),
  groups: members.groups.map(({ domain, group, entry }) => `${domain} ${group} ${entry.mark}`).toSorted(),
})

function applyTo(members: Members<Entry>, changes: readonly (Entry | string)[]): boolean[] {
  return changes.map((change) => {
    if (typeof change === 'string') return members.delete(change)
    return members.set(change).has(change.memberName)
  })
}

describe('forked members', () => {
  test('behave like members that took the same changes', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 15 }), steps, (first, changes) => {
        const plain = new Members(first)
        const forked = new ForkedMembers(new Members(first))
        assert.deepEqual(applyTo(forked, changes), applyTo(plain, changes))
        assert.deepEqual(contentOf(forked), contentOf(plain))
        for (const { memberName } of first) assert.deepEqual(forked.get(memberName), plain.get(memberName))
      }),
      { numRuns: 500 },
    )
  })

  test('leave those they come from as they were', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 15 }), steps, (first, changes) => {
        const base = new Members(first)
        const before = contentOf(base)
        applyTo(new ForkedMembers(base), changes)
        assert.deepEqual(contentOf(base), before)
      }),
      { numRuns: 200 },
    )
  })

  test('fork again', () => {
    const base = new Members<Entry>([
      { memberName: 'user.a', mark: 1 },
      { memberName: 'user.b', mark: 2 },
    ])
    const first = new ForkedMembers(base)
    first.delete('user.a')
    const second = new ForkedMembers(first)
    second.set({ memberName: 'user.a', mark: 3 }).set({ memberName: 'user.b', mark: 4 })
    assert.deepEqual(
      [...second].map(({ mark }) => mark),
      [4, 3],
    )
    assert.deepEqual(
      [...first].map(({ mark }) => mark),
      [2],
    )
  })
})
