import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DatabaseHosts } from '#core/database/database-hosts.ts'

describe('the servers of a database', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((host) => ({ host, port: 3306 })) as [Host, Host, Host]
  type Host = { readonly host: string; readonly port: number }
  const start = () => {
    const clock = { now: 0 }
    return { clock, hosts: new DatabaseHosts([a, b, c], () => clock.now) }
  }

  test('are tried in the order in which they are named', () => {
    assert.deepEqual(start().hosts.inOrder(), [a, b, c])
  })

  test('are tried last for ten seconds after they failed, the longest ago first', () => {
    const { hosts, clock } = start()
    clock.now = 1
    hosts.failed(b)
    clock.now = 2
    hosts.failed(a)
    assert.deepEqual(hosts.inOrder(), [c, b, a])
    clock.now = 10_001
    assert.deepEqual(hosts.inOrder(), [b, c, a])
    clock.now = 10_002
    assert.deepEqual(hosts.inOrder(), [a, b, c])
  })

  test('are tried in their place again as soon as one of them answers', () => {
    const { hosts } = start()
    hosts.failed(a)
    hosts.answered(a)
    assert.deepEqual(hosts.inOrder(), [a, b, c])
  })

  test('tell whether one failed since a connection was made', () => {
    const { hosts, clock } = start()
    clock.now = 5
    hosts.failed(a)
    assert.equal(hosts.hasFailedSince(a, 4), true)
    assert.equal(hosts.hasFailedSince(a, 5), false)
    assert.equal(hosts.hasFailedSince(b, 0), false)
    hosts.answered(a)
    assert.equal(hosts.hasFailedSince(a, 4), false)
  })
})
