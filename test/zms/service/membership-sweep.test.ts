import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { RequestContext } from '#core/http/endpoint.ts'
import { type SweptMembership, sweepMemberships, sweptMember } from '#zms/service/membership-sweep.ts'
import { Writes } from '#zms/service/writes.ts'
import type { Store } from '#zms/store/store.ts'
import { Harness, principalOf } from './harness.ts'
import { commit, group, role } from './objects.ts'

const zms = await Harness.open({ services: [] })
beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
})

const context: RequestContext = {
  requestId: 'test',
  api: 'sweep',
  method: 'PUT',
  principal: principalOf('user.admin'),
  remoteAddress: '192.0.2.1',
  header: () => undefined,
}
const subject = { context, entity: 'user.alice', auditRef: undefined }
const places = (found: readonly SweptMembership[]) =>
  found.map(({ kind, domain, collection, member }) => `${kind.kind} ${domain} ${collection} ${member}`)

/** Writes to the store; `before` runs ahead of every transaction. */
const writesAfter = (before: () => Promise<void>) =>
  new Writes({
    store: {
      transact: async (domains, decide) => {
        await before()
        return zms.store.transact(domains, decide)
      },
    } as Store,
    audit: { record: () => {} },
    serverName: 'zms.example.com',
    auditedKinds: new Set(),
    now: zms.deps.now,
  })

describe('a sweep', () => {
  test('finds the active memberships of all principals given, everywhere', async () => {
    await commit(
      zms,
      ...role('sports', 'r', ['user.alice', 'user.bob', { memberName: 'user.*' }]),
      ...role('media', 'r', [{ memberName: 'user.alice', expiration: 1000, systemDisabled: 4 }]),
      ...group('media', 'g', ['user.carol']),
      {
        kind: 'putPendingGroupMember',
        domain: 'media',
        group: 'g',
        value: { memberName: 'user.alice', requestTime: 0, pendingState: 'ADD' },
      },
    )
    let found: string[] = []
    await sweepMemberships(
      zms.deps,
      { subject, principals: ['user.alice', 'user.carol'] },
      async (transaction, all) => {
        found = places(all)
        const members = await Promise.all(all.map((membership) => sweptMember(transaction, membership)))
        assert.deepEqual(
          members.map((member) => member?.systemDisabled),
          [4, undefined, undefined],
        )
      },
    )
    assert.deepEqual(found, ['role media r user.alice', 'role sports r user.alice', 'group media g user.carol'])
  })

  test('holds further domains, looked up at every try', async () => {
    const sweep = { subject, principals: ['user.nobody'], alsoChanges: async () => ['media'] }
    await sweepMemberships(zms.deps, sweep, (transaction) =>
      transaction.apply({ kind: 'touchDomain', domain: 'media' }),
    )
    await assert.rejects(
      sweepMemberships(zms.deps, sweep, (transaction) => transaction.apply({ kind: 'touchDomain', domain: 'sports' })),
      /does not hold the domain/,
    )
  })

  test('begins anew when a membership turns up in another domain', async () => {
    await commit(zms, ...role('sports', 'r', ['user.alice']))
    let tries = 0
    const writes = writesAfter(async () => {
      tries += 1
      if (tries === 1) await commit(zms, ...role('media', 'r', ['user.alice']))
    })
    const found: string[][] = []
    await sweepMemberships({ store: zms.store, writes }, { subject, principals: ['user.alice'] }, (_, all) => {
      found.push(places(all))
    })
    assert.equal(tries, 2)
    assert.deepEqual(found, [['role media r user.alice', 'role sports r user.alice']])
  })

  test('gives up when that never ends', async () => {
    let tries = 0
    const writes = writesAfter(async () => {
      tries += 1
      const name = `media.d${tries}`
      await zms.createDomain(name)
      await commit(zms, ...role(name, 'r', ['user.dora']))
    })
    await assert.rejects(
      sweepMemberships({ store: zms.store, writes }, { subject, principals: ['user.dora'] }, () => {
        assert.fail('must not work on a part')
      }),
      { code: 'conflict', message: 'Concurrent update conflict, please retry your operation later.' },
    )
    assert.equal(tries, 10)
  })
})
