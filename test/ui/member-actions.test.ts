import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type MembersPart, type MembersQuery, roleCalls } from '#ui/collection-calls.ts'
import { forEachMember, memberReader } from '#ui/member-actions.ts'
import { FormProblem } from '#ui/page.ts'
import type { Zms } from '#ui/zms-calls.ts'
import type { MemberSummary } from '#zms/api/collection-search.ts'

const names = Array.from({ length: 50 }, (_, at) => `user.m${at}`)

describe('what is done for each of several members', () => {
  test('is done for the first alone, then for a few at a time; the results are in order', async () => {
    const underWay = new Set<string>()
    const most: number[] = []
    const results = await forEachMember(names, async (name) => {
      underWay.add(name)
      most.push(underWay.size)
      // The later ones end first.
      for (let turns = name.length * 3 - Number(name.at(-1)); turns > 0; turns--) await turn()
      underWay.delete(name)
      return name.toUpperCase()
    })
    assert.deepEqual(
      results,
      names.map((name) => name.toUpperCase()),
    )
    assert.deepEqual([most[0], most[1], Math.max(...most)], [1, 1, 8])
  })

  test('ends with the first that is refused, when it is the first of all', async () => {
    const begun: string[] = []
    const refused = new FormProblem('not this one', 'member')
    const refuse = async (name: string) => {
      begun.push(name)
      throw refused
    }
    await assert.rejects(forEachMember(names, refuse), refused)
    assert.deepEqual(begun, names.slice(0, 1))
  })

  test('begins with no further ones when a later one is refused, and tells which are done', async () => {
    const begun: string[] = []
    const refusal = forEachMember(names, async (name) => {
      begun.push(name)
      await turn()
      if (name === 'user.m2') throw new FormProblem('is gone')
    })
    await assert.rejects(refusal, {
      name: 'FormProblem',
      field: 'member',
      message:
        /^\d+ of 50 are done: user\.m0, user\.m1, .*\. Then, for user\.m2: is gone\. The others are as they were\.$/,
    })
    assert.ok(begun.length < 20, `${begun.length} were begun`)
  })

  test('gives what nobody foresaw as it is', async () => {
    const broken = new TypeError('a bug')
    const act = async (name: string) => {
      if (name === 'user.m1') throw broken
    }
    await assert.rejects(forEachMember(names, act), broken)
  })

  test('nobody is nothing to do', async () => {
    assert.deepEqual(await forEachMember([], () => Promise.reject(new Error('called'))), [])
  })
})

describe('members that a form changes are read', () => {
  const SMALL = 500
  const place = { domainName: 'sports', name: 'players' }

  /** A role of so many members, and the calls that are made about it. */
  function role(count: number) {
    const calls: MembersQuery[] = []
    const members = async (_zms: unknown, _place: unknown, query: MembersQuery) => {
      calls.push(query)
      const all = Array.from({ length: count }, (_, at) => ({ memberName: `user.m${at}` }) as MemberSummary)
      const fit = all.filter(({ memberName }) => query.memberName === undefined || memberName === query.memberName)
      const list = fit.slice(0, query.limit)
      const part: Pick<MembersPart, 'list' | 'next' | 'total'> = { list, total: fit.length }
      return { ...part, ...(list.length < fit.length && { next: 'more' }), summary: {} } as MembersPart
    }
    return { calls, scope: { zms: {} as Zms, calls: { ...roleCalls, members }, place } }
  }

  test('together where the role is no greater than a part of its list', async () => {
    const { calls, scope } = role(SMALL)
    const read = await memberReader(scope, names)
    const known = await Promise.all([...names, 'user.M7', 'user.absent'].map(read))
    assert.deepEqual(
      known.map(({ member }) => member?.memberName),
      [...names, 'user.m7', undefined],
    )
    assert.deepEqual(calls, [{ limit: SMALL }])
  })

  for (const [what, count, asked] of [
    ['of a greater role', SMALL + 1, names],
    ['that are only one', SMALL, names.slice(0, 1)],
  ] as const) {
    test(`each by itself ${what}`, async () => {
      const { calls, scope } = role(count)
      const read = await memberReader(scope, asked)
      calls.length = 0
      assert.equal((await read('user.m3')).member?.memberName, 'user.m3')
      assert.deepEqual(calls, [{ memberName: 'user.m3', limit: 1 }])
    })
  }
})
