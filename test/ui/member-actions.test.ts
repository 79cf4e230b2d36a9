import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { forEachMember } from '#ui/member-actions.ts'
import { FormProblem } from '#ui/page.ts'

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
