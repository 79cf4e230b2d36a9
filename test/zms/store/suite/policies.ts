import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Assertion, Policy } from '#zms/store/model.ts'
import { plain } from '../../../support/plain.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { allPolicySettings, assertionOn, domainWith, emptyDomain, policyWith } from './samples.ts'
import { unstamped } from './unstamped.ts'

export function policyTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const create = () =>
    fixture.create((own) =>
      domainWith(own, { policies: [policyWith('read', [assertionOn(`${own}:a`), assertionOn(`${own}:b`)])] }),
    )
  const read = async (domain: string, policy = 'read', version = '0'): Promise<Policy> => {
    const found = (await fixture.read(domain)).policies.get(policy)?.get(version)
    assert.ok(found)
    return found
  }
  test('keeps the settings of a policy version', async () => {
    const domain = await create()
    await fixture.commit([domain], { kind: 'putPolicy', domain, value: allPolicySettings('write') })
    const { assertions, ...settings } = await read(domain, 'write')
    assert.equal(assertions.size, 0)
    assert.deepEqual(unstamped(settings), unstamped(allPolicySettings('write')))
  })

  test('keeps assertions and the creation time when settings are replaced', async () => {
    const domain = await create()
    const before = await read(domain)
    const { created, modified } = before
    const assertions = plain(before.assertions)
    await fixture.commit([domain], { kind: 'putPolicy', domain, value: allPolicySettings('read') })
    const after = await read(domain)
    assert.deepEqual(plain(after.assertions), assertions)
    assert.equal(after.created, created)
    assert.ok(after.modified > modified && after.modified <= (await fixture.read(domain)).modified)
    await fixture.commit([domain], {
      kind: 'putPolicy',
      domain,
      value: { ...policyWith('read'), assertions: undefined } as never,
    })
    const { tags, description, resourceOwnership } = await read(domain)
    assert.deepEqual([tags, description, resourceOwnership], [undefined, undefined, undefined])
  })

  test('has one active version: the one that was made active last', async () => {
    const domain = await create()
    const put = (version: string, active: boolean) =>
      fixture.commit([domain], {
        kind: 'putPolicy',
        domain,
        value: { name: 'read', version, active, modified: 0, created: 0 },
      })
    const active = async () =>
      [...((await fixture.read(domain)).policies.get('read')?.values() ?? [])]
        .filter((policy) => policy.active)
        .map(({ version }) => version)
    await put('1', false)
    assert.deepEqual(await active(), ['0'])
    await put('1', true)
    assert.deepEqual(await active(), ['1'])
    await put('0', true)
    assert.deepEqual(await active(), ['0'])
    assert.equal((await read(domain)).assertions.size, 2)
  })

  test('deletes one version, or all of them', async () => {
    const domain = await create()
    const put = (name: string, version: string) =>
      fixture.commit([domain], {
        kind: 'putPolicy',
        domain,
        value: { name, version, active: false, modified: 0, created: 0 },
      })
    await put('read', '1')
    await put('read', '2')
    await put('write', '0')
    await fixture.commit([domain], { kind: 'deletePolicy', domain, policy: 'read', version: '1' })
    assert.deepEqual([...((await fixture.read(domain)).policies.get('read')?.keys() ?? [])].sort(), ['0', '2'])
    await fixture.commit([domain], { kind: 'deletePolicy', domain, policy: 'read' })
    assert.deepEqual([...(await fixture.read(domain)).policies.keys()], ['write'])
    await fixture.commit([domain], { kind: 'deletePolicy', domain, policy: 'write', version: '0' })
    assert.deepEqual([...(await fixture.read(domain)).policies.keys()], [])
  })

  test('adds assertions at the end, with ids of their own over all domains', async () => {
    const [one, two] = [await create(), await create()]
    const ids = new Set<number>()
    for (const domain of [one, two, one]) {
      const value = assertionOn(`${domain}:more`, 'writers', 'write')
      await fixture.commit([domain], { kind: 'putAssertion', domain, policy: 'read', version: '0', value })
    }
    for (const domain of [one, two]) for (const id of (await read(domain)).assertions.keys()) ids.add(id)
    assert.equal(ids.size, 7)
    assert.ok([...ids].every((id) => Number.isSafeInteger(id) && id > 0))
    const { assertions } = await read(one)
    const resources = [...assertions.values()].map(({ resource }) => resource)
    assert.deepEqual(resources, [`${one}:a`, `${one}:b`, `${one}:more`, `${one}:more`])
  })

  test('keeps all of an assertion, letter case included', async () => {
    const domain = await create()
    const value: Assertion = {
      role: 'writers',
      resource: `${domain}:Table.*`,
      action: 'Write',
      effect: 'DENY',
      conditions: new Map([
        [
          7,
          new Map([
            ['instances', { operator: 'EQUALS', value: 'Host-1' }],
            ['enforcementstate', { operator: 'EQUALS', value: 'enforce' }],
          ]),
        ],
        [9, new Map([['instances', { operator: 'EQUALS', value: '*' }]])],
      ]),
    }
    await fixture.commit([domain], { kind: 'putAssertion', domain, policy: 'read', version: '0', value })
    const policy = await read(domain)
    const id = idOf(policy, value.resource)
    assert.deepEqual(plain(policy.assertions.get(id)), plain({ ...value, id }))
  })

  test('replaces an assertion of the same id and keeps its conditions', async () => {
    const domain = await create()
    const id = idOf(await read(domain), `${domain}:a`)
    const conditions = new Map([[1, new Map([['instances', { operator: 'EQUALS', value: 'x' }]])]])
    await fixture.commit([domain], {
      kind: 'putConditions',
      domain,
      policy: 'read',
      version: '0',
      id,
      value: conditions,
    })
    const value = { ...assertionOn(`${domain}:changed`, 'others'), id }
    await fixture.commit([domain], { kind: 'putAssertion', domain, policy: 'read', version: '0', value })
    const policy = await read(domain)
    assert.equal(policy.assertions.size, 2)
    assert.deepEqual(plain(policy.assertions.get(id)), plain({ ...value, conditions }))
  })

  test('replaces all conditions of an assertion, and removes them', async () => {
    const domain = await create()
    const policy = await read(domain)
    const [id, other] = [idOf(policy, `${domain}:a`), idOf(policy, `${domain}:b`)]
    const put = (value: Map<number, Map<string, { operator: string; value: string }>>) =>
      fixture.commit([domain], { kind: 'putConditions', domain, policy: 'read', version: '0', id, value })
    const conditionsOf = async (assertion: number) => plain((await read(domain)).assertions.get(assertion)?.conditions)
    const first = new Map([
      [1, new Map([['instances', { operator: 'EQUALS', value: 'a' }]])],
      [2, new Map([['instances', { operator: 'EQUALS', value: 'b' }]])],
    ])
    await put(first)
    assert.deepEqual(await conditionsOf(id), plain(first))
    const second = new Map([[3, new Map([['state', { operator: 'EQUALS', value: 'c' }]])]])
    await put(second)
    assert.deepEqual(await conditionsOf(id), plain(second))
    assert.equal(await conditionsOf(other), undefined)
    await put(new Map())
    assert.equal(await conditionsOf(id), undefined)
  })

  test('deletes an assertion; its id is not given again', async () => {
    const domain = await create()
    const id = idOf(await read(domain), `${domain}:b`)
    await fixture.commit([domain], { kind: 'deleteAssertion', domain, policy: 'read', version: '0', id })
    assert.deepEqual(
      [...(await read(domain)).assertions.values()].map(({ resource }) => resource),
      [`${domain}:a`],
    )
    const value = assertionOn(`${domain}:b`)
    await fixture.commit([domain], { kind: 'putAssertion', domain, policy: 'read', version: '0', value })
    assert.ok(idOf(await read(domain), `${domain}:b`) > id)
  })

  test('ignores assertions and versions that are not there', async () => {
    const domain = await create()
    const before = unstamped(await fixture.read(domain))
    const place = { domain, policy: 'nothing', version: '0' }
    await fixture.commit([domain], { kind: 'putAssertion', ...place, value: assertionOn(`${domain}:x`) })
    await fixture.commit([domain], { kind: 'deleteAssertion', ...place, id: 999_999_999 })
    await fixture.commit([domain], { kind: 'putConditions', ...place, id: 999_999_999, value: new Map() })
    await fixture.commit([domain], { kind: 'deletePolicy', domain, policy: 'nothing' })
    await fixture.commit([domain], { kind: 'deletePolicy', domain, policy: 'read', version: 'nothing' })
    assert.deepEqual(unstamped(await fixture.read(domain)), before)
  })

  test('sees assertions of the same transaction under a stand-in, by which later changes may name them', async () => {
    const domain = fixture.name()
    const value = domainWith(domain, { policies: [policyWith('read', [assertionOn(`${domain}:new`)])] })
    const conditions = new Map([[1, new Map([['instances', { operator: 'EQUALS', value: 'x' }]])]])
    const place = { domain, policy: 'read', version: '0' }
    await fixture.store.transact([domain], async (transaction) => {
      transaction.apply({ kind: 'createDomain', domain, value })
      for (const resource of ['kept', 'removed']) {
        transaction.apply({ kind: 'putAssertion', ...place, value: assertionOn(`${domain}:${resource}`) })
      }
      const view = (await transaction.domain(domain))?.policies.get('read')?.get('0')
      assert.ok(view)
      assert.equal(view.assertions.size, 3)
      transaction.apply(
        { kind: 'putConditions', ...place, id: idOfView(view, `${domain}:new`), value: conditions },
        { kind: 'putConditions', ...place, id: idOfView(view, `${domain}:kept`), value: conditions },
        { kind: 'deleteAssertion', ...place, id: idOfView(view, `${domain}:removed`) },
      )
    })
    const policy = await read(domain)
    assert.deepEqual(
      [...policy.assertions.values()].map(({ resource, conditions: own }) => [resource, plain(own)]),
      [
        [`${domain}:new`, plain(conditions)],
        [`${domain}:kept`, plain(conditions)],
      ],
    )
  })

  test('moves the revision of the policies with their changes and with no other', async () => {
    const domain = await fixture.create(emptyDomain)
    const revision = async () => (await fixture.read(domain)).policiesRevision
    const changing = async (change: () => Promise<void>) => {
      const before = [await fixture.read(domain), await revision()]
      await change()
      const after = [await fixture.read(domain), await revision()]
      return before[0] !== after[0] || before[1] !== after[1]
    }
    const place = { domain, policy: 'read', version: '0' }
    assert.ok(await changing(() => fixture.commit([domain], { kind: 'putPolicy', domain, value: policyWith('read') })))
    const add = { kind: 'putAssertion', ...place, value: assertionOn(`${domain}:x`) } as const
    assert.ok(await changing(() => fixture.commit([domain], add)))
    const id = idOf(await read(domain), `${domain}:x`)
    assert.ok(await changing(() => fixture.commit([domain], { kind: 'deleteAssertion', ...place, id })))
  })
}

const idOfView = (policy: Policy, resource: string): number =>
  [...policy.assertions].find(([, assertion]) => assertion.resource === resource)?.[0] ?? Number.NaN

const idOf = (policy: Policy, resource: string): number => {
  const found = [...policy.assertions].find(([, assertion]) => assertion.resource === resource)
  assert.ok(found)
  assert.equal(found[1].id, found[0])
  return found[0]
}
