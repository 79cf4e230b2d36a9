import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Domain } from '#zms/store/model.ts'
import type { Transaction } from '#zms/store/store.ts'
import { plain } from '../../../support/plain.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, emptyDomain, fullDomain, roleWith } from './samples.ts'
import { unstamped } from './unstamped.ts'

const numberIn = (domain: Domain | undefined, entity = 'counter') => Number(domain?.entities.get(entity)?.value ?? 0)
const putNumber = (domain: string, value: number, entity = 'counter') =>
  ({ kind: 'putEntity', domain, value: { name: entity, value: String(value) } }) as const

/** Reads a counter, and writes one more. */
const increment = (domain: string) => async (transaction: Transaction) => {
  transaction.apply(putNumber(domain, numberIn(await transaction.domain(domain)) + 1))
}

/** Takes one from a counter and adds it to another. */
const move = (from: string, to: string) => async (transaction: Transaction) => {
  const [source, target] = [await transaction.domain(from), await transaction.domain(to)]
  transaction.apply(putNumber(from, numberIn(source) - 1), putNumber(to, numberIn(target) + 1))
}

export function transactionTests(open: OpenStore): void {
  const fixture = new Fixture(open)

  test('gives what was decided', async () => {
    const domain = await fixture.create(emptyDomain)
    assert.equal(await fixture.store.transact([domain], () => 'value'), 'value')
    assert.equal(await fixture.store.transact([domain], async () => Promise.resolve(7)), 7)
    const name = await fixture.store.transact([domain], async (transaction) => {
      transaction.apply({ kind: 'touchDomain', domain })
      return (await transaction.domain(domain))?.name
    })
    assert.equal(name, domain)
  })

  test('changes nothing when nothing was decided', async () => {
    const domain = await fixture.create(fullDomain)
    const before = plain(await fixture.read(domain))
    await fixture.store.transact([domain], async (transaction) => void (await transaction.domain(domain)))
    assert.deepEqual(plain(await fixture.read(domain)), before)
  })

  test('rolls back everything when the decision fails', async () => {
    const [one, two] = [await fixture.create(fullDomain), await fixture.create(emptyDomain)]
    const before = [plain(await fixture.read(one)), plain(await fixture.read(two))]
    const failing = fixture.store.transact([one, two, 'never'], async (transaction) => {
      transaction.apply(
        { kind: 'createDomain', domain: 'never', value: emptyDomain('never') },
        { kind: 'deleteDomain', domain: one },
        putNumber(two, 1),
        { kind: 'putPrincipal', principal: 'rolled.back', suspended: 1 },
      )
      await transaction.domain(two)
      throw new RangeError('decided otherwise')
    })
    await assert.rejects(failing, { name: 'RangeError', message: 'decided otherwise' })
    assert.deepEqual([plain(await fixture.read(one)), plain(await fixture.read(two))], before)
    assert.equal(await fixture.store.domain('never'), undefined)
    assert.equal(await fixture.store.principal('rolled.back'), undefined)
  })

  test('goes on after a transaction that failed', async () => {
    const domain = await fixture.create(emptyDomain)
    await assert.rejects(
      fixture.store.transact([domain], () => Promise.reject(new Error('no'))),
      /no/,
    )
    await fixture.commit([domain], putNumber(domain, 5))
    assert.equal(numberIn(await fixture.read(domain)), 5)
  })

  test('refuses changes of a domain that was not named', async () => {
    const [one, two] = [await fixture.create(emptyDomain), await fixture.create(emptyDomain)]
    const before = plain(await fixture.read(one))
    const failing = fixture.store.transact([one], (transaction) => {
      transaction.apply(putNumber(one, 1))
      transaction.apply(putNumber(two, 1))
    })
    await assert.rejects(failing, /does not hold the domain/)
    assert.deepEqual(plain(await fixture.read(one)), before)
    assert.equal(numberIn(await fixture.read(two)), 0)
  })

  test('shows its own changes to the decision and to nobody else', async () => {
    const domain = await fixture.create(fullDomain)
    const before = unstamped(await fixture.read(domain))
    await fixture.store.transact([domain], async (transaction) => {
      transaction.apply(
        { kind: 'putRoleMember', domain, role: 'readers', value: { memberName: 'user.new' } },
        { kind: 'deletePolicy', domain, policy: 'read' },
        { kind: 'putGroup', domain, value: { name: 'new', modified: 0, created: 0 } },
        { kind: 'deletePublicKey', domain, service: 'api', keyId: '0' },
      )
      const view = await transaction.domain(domain)
      assert.ok(view)
      assert.ok(view.roles.get('readers')?.members.has('user.new'))
      assert.deepEqual([...view.policies.keys()], ['admin'])
      assert.ok(view.groups.has('new'))
      assert.deepEqual([...(view.services.get('api')?.publicKeys.keys() ?? [])], ['v1'])
      assert.equal(view.modified, transaction.now)
      assert.deepEqual(unstamped(await fixture.store.domain(domain)), before)
      transaction.apply({ kind: 'deleteRole', domain, role: 'readers' })
      assert.deepEqual([...((await transaction.domain(domain))?.roles.keys() ?? [])], ['admin'])
    })
    const after = await fixture.read(domain)
    assert.deepEqual([...after.roles.keys()], ['admin'])
    assert.deepEqual([...after.policies.keys()], ['admin'])
  })

  test('shows a domain that it creates or deletes', async () => {
    const [old, fresh] = [await fixture.create(emptyDomain), fixture.name()]
    await fixture.store.transact([old, fresh], async (transaction) => {
      assert.equal(await transaction.domain(fresh), undefined)
      transaction.apply({ kind: 'createDomain', domain: fresh, value: emptyDomain(fresh) })
      assert.equal((await transaction.domain(fresh))?.name, fresh)
      transaction.apply({ kind: 'deleteDomain', domain: old })
      assert.equal(await transaction.domain(old), undefined)
    })
    assert.ok(await fixture.store.domain(fresh))
    assert.equal(await fixture.store.domain(old), undefined)
  })

  test('reads domains that it does not change', async () => {
    const [one, two] = [await fixture.create(emptyDomain), await fixture.create(fullDomain)]
    await fixture.store.transact([one], async (transaction) => {
      assert.equal((await transaction.domain(two))?.roles.size, 2)
      assert.equal(await transaction.domain('nowhere'), undefined)
      assert.ok((await transaction.queries.domainNames({ prefix: two })).includes(two))
    })
  })

  test('loses no update of concurrent writers', async () => {
    const domain = await fixture.create(emptyDomain)
    const writers = Array.from({ length: 8 }, async () => {
      for (let count = 0; count < 10; count++) await fixture.store.transact([domain], increment(domain))
    })
    await Promise.all(writers)
    assert.equal(numberIn(await fixture.read(domain)), 80)
  })

  test('loses no update when the decision takes its time', async () => {
    const domain = await fixture.create(emptyDomain)
    const slow = async (transaction: Transaction) => {
      const value = numberIn(await transaction.domain(domain))
      await new Promise((resolve) => setImmediate(resolve))
      await transaction.queries.domainNames({ limit: 1 })
      transaction.apply(putNumber(domain, value + 1))
    }
    await Promise.all(Array.from({ length: 12 }, () => fixture.store.transact([domain], slow)))
    assert.equal(numberIn(await fixture.read(domain)), 12)
  })

  test('moves amounts between domains in either direction at the same time without loss or deadlock', async () => {
    const names = await Promise.all([1, 2, 3].map(() => fixture.create(emptyDomain)))
    for (const name of names) await fixture.commit([name], putNumber(name, 100))
    const moves = Array.from({ length: 30 }, (_, index) => {
      const [from, to] = [names[index % 3] as string, names[(index + 1 + (index % 2)) % 3] as string]
      return fixture.store.transact([from, to], move(from, to))
    })
    await Promise.all(moves)
    const amounts = await Promise.all(names.map(async (name) => numberIn(await fixture.read(name))))
    assert.equal(
      amounts.reduce((sum, amount) => sum + amount, 0),
      300,
    )
  })

  test('shows the changes of a transaction in several domains together', async () => {
    const [one, two] = [await fixture.create(emptyDomain), await fixture.create(emptyDomain)]
    const writer = (async () => {
      for (let value = 1; value <= 30; value++) {
        await fixture.commit([one, two], putNumber(one, value), putNumber(two, value))
      }
    })()
    const state = { writing: true }
    const done = writer.finally(() => {
      state.writing = false
    })
    let latest = 0
    while (state.writing) {
      const found = await fixture.store.domains([one, two])
      const values = [numberIn(found.get(one)), numberIn(found.get(two))]
      assert.equal(values[0], values[1])
      assert.ok((values[0] as number) >= latest)
      latest = values[0] as number
      await new Promise((resolve) => setImmediate(resolve))
    }
    await done
  })

  test('is seen by every read that begins after it', async () => {
    const domain = await fixture.create((own) => domainWith(own, { roles: [roleWith('readers')] }))
    for (let index = 0; index < 20; index++) {
      const memberName = `fresh.user${index}`
      await fixture.commit([domain], { kind: 'putRoleMember', domain, role: 'readers', value: { memberName } })
      assert.ok((await fixture.read(domain)).roles.get('readers')?.members.has(memberName))
      assert.equal((await fixture.store.rolesOfMember(memberName)).length, 1)
      assert.equal(await fixture.store.principal(memberName), 0)
    }
  })

  test('stamps a domain later with every transaction', async () => {
    const domain = await fixture.create(emptyDomain)
    const stamps = [(await fixture.read(domain)).modified]
    for (let index = 0; index < 30; index++) {
      await fixture.commit([domain], { kind: 'touchDomain', domain })
      stamps.push((await fixture.read(domain)).modified)
    }
    assert.deepEqual(
      stamps,
      [...new Set(stamps)].sort((a, b) => a - b),
    )
  })

  test('stamps objects with its time, and their domains not before', async () => {
    const [one, two] = [await fixture.create(fullDomain), await fixture.create(fullDomain)]
    const now = await fixture.store.transact([one, two], (transaction) => {
      for (const domain of [one, two]) {
        transaction.apply({ kind: 'putRoleMember', domain, role: 'admin', value: { memberName: 'user.new' } })
      }
      return transaction.now
    })
    const domains = [await fixture.read(one), await fixture.read(two)]
    assert.deepEqual(
      domains.map(({ roles }) => roles.get('admin')?.modified),
      [now, now],
    )
    for (const { modified } of domains) assert.ok(modified >= now)
  })

  test('has a time later than all stamps of its domains', async () => {
    const domain = await fixture.create(emptyDomain)
    for (let index = 0; index < 10; index++) {
      const { modified } = await fixture.read(domain)
      const now = await fixture.store.transact([domain], (transaction) => {
        transaction.apply({ kind: 'touchDomain', domain })
        return transaction.now
      })
      assert.ok(now > modified)
    }
  })

  test('shows a decision the stamps that were read before it, unless somebody else has changed something since', async () => {
    const domain = await fixture.create(fullDomain)
    await fixture.commit([domain], { kind: 'putRoleMember', domain, role: 'admin', value: { memberName: 'user.new' } })
    const stampsOf = (each: Domain | undefined) => [
      each?.modified,
      ...[each?.roles, each?.groups, each?.services].flatMap((objects) =>
        [...(objects?.values() ?? [])].map(({ name, modified }) => [name, modified]),
      ),
    ]
    const decided = () =>
      fixture.store.transact([domain], async (transaction) => stampsOf(await transaction.domain(domain)))
    const read = stampsOf(await fixture.read(domain))
    assert.deepEqual(await decided(), read)
    await fixture.commit([domain], { kind: 'touchDomain', domain })
    assert.notDeepEqual(await decided(), read)
  })

  test('says that the data can be reached', async () => {
    assert.equal(await fixture.store.check(), true)
  })
}
