import assert from 'node:assert/strict'
import { test } from 'node:test'
import { siaProviderOf } from '#zts/service/instance-records.ts'

const named = (agent: string | undefined) => siaProviderOf({ header: () => agent })

test('agents name their provider in front of the first blank', () => {
  for (const [agent, provider] of [
    ['SIA-AWS 1.0', 'AWS'],
    ['SIA-GitHub-Actions', 'GitHub-Actions'],
    ['SIA-k8s/1.2+rc(3) linux', 'k8s/1.2+rc(3)'],
    [`SIA-${'a'.repeat(256)}`, 'a'.repeat(256)],
  ] as const) {
    assert.equal(named(agent), provider)
  }
})

test('whatever else a client calls itself names no provider', () => {
  for (const agent of [undefined, '', 'curl/8', 'SIA-', 'SIA- aws', 'sia-aws 1', ' SIA-aws', 'SIA-\u00e9 1']) {
    assert.equal(named(agent), undefined, agent)
  }
  // The column of the records is no wider.
  assert.equal(named(`SIA-${'a'.repeat(257)}`), undefined)
})
