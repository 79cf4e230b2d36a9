import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SearchFindings } from '#zms/store/search.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, groupWith, plainService, policyWith, roleWith } from './samples.ts'

export function searchTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  const search = (text: string, limit = 100) => fixture.store.search({ text, userDomain: 'user', limit })
  /** What was found, without the kinds of which there is nothing. */
  const found = async (text: string, limit?: number): Promise<Partial<SearchFindings>> =>
    Object.fromEntries(Object.entries(await search(text, limit)).filter(([, list]) => list.length > 0))

  test('finds domains by a part of their name, those first that begin with it', async () => {
    const [a, b, c] = await Promise.all(
      ['b.quartz', 'quartz.z', 'a_quartz'].map((stem) => fixture.create((own) => domainWith(own, {}), stem)),
    )
    assert.deepEqual(await found('QUARTZ'), { domains: [b, c, a] })
    assert.deepEqual(await found('quartz', 2), { domains: [b, c] })
    assert.deepEqual(await found('a_q'), { domains: [c] })
    assert.deepEqual(await found('a%q'), {})
  })

  test('finds roles, groups and services by the beginning of their names, in all domains or one', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(() =>
        fixture.create((own) =>
          domainWith(own, {
            roles: [roleWith('onyx.b'), roleWith('onyx.a'), roleWith('not-onyx')],
            groups: [groupWith('onyx-team')],
            services: [plainService('onyx')],
          }),
        ),
      ),
    )
    const roles = [
      { domain: one, name: 'onyx.a' },
      { domain: two, name: 'onyx.a' },
      { domain: one, name: 'onyx.b' },
      { domain: two, name: 'onyx.b' },
    ]
    const [groups, services] = [
      [
        { domain: one, name: 'onyx-team' },
        { domain: two, name: 'onyx-team' },
      ],
      [
        { domain: one, name: 'onyx' },
        { domain: two, name: 'onyx' },
      ],
    ]
    assert.deepEqual(await found('Onyx'), { roles, groups, services })
    assert.deepEqual(await found('onyx', 1), {
      roles: roles.slice(0, 1),
      groups: groups.slice(0, 1),
      services: services.slice(0, 1),
    })
    const { domains: _, ...inOne } = await found(`${one}:on`)
    assert.deepEqual(inOne, { roles: [roles[0], roles[2]], groups: [groups[0]] })
    assert.deepEqual((await search(`${one}:role.onyx.`)).groups, [])
    assert.deepEqual((await search(`${one}:role.onyx.`)).roles, [roles[0], roles[2]])
    assert.deepEqual((await search(`${one}:group.onyx`)).groups, [groups[0]])
    assert.deepEqual((await search(`${one}:group.onyx`)).roles, [])
    assert.deepEqual((await search(`${two}.ony`)).services, [services[1]])
  })

  test('finds principals by the beginning of their names, groups and wildcards aside', async () => {
    const members = [
      'user.opal',
      'user.opal-two',
      'opal.api',
      'x:group.opal',
      'user.opa*',
      'user.xopal',
      'home.opal.api',
    ]
    await fixture.create((own) =>
      domainWith(own, {
        roles: [
          roleWith(
            'r',
            members.map((memberName) => ({ memberName })),
          ),
        ],
      }),
    )
    assert.deepEqual((await search('opal')).principals, ['opal.api', 'user.opal', 'user.opal-two'])
    assert.deepEqual((await search('user.OPAL-')).principals, ['user.opal-two'])
    assert.deepEqual((await search('opal', 1)).principals, ['opal.api'])
  })

  test('finds tags by the beginning of their keys, or by key and the beginning of the value', async () => {
    const tags = new Map([['Topaz_key', ['Blue', 'red']]])
    const domain = await fixture.create((own) =>
      domainWith(own, {
        settings: { tags },
        roles: [{ ...roleWith('r'), tags: new Map([['Topaz', ['blue']]]) }],
        groups: [{ ...groupWith('g'), tags }],
        services: [{ ...plainService('s'), tags }],
        policies: [
          { ...policyWith('p'), tags },
          { ...policyWith('old'), active: false, tags },
        ],
      }),
    )
    const of = (value: string) =>
      [
        ['domain', ''],
        ['group', 'g'],
        ['policy', 'p'],
        ['service', 's'],
      ].map(([kind, name]) => ({ key: 'Topaz_key', value, domain, kind, name }))
    const role = { key: 'Topaz', value: 'blue', domain, kind: 'role', name: 'r' }
    assert.deepEqual(await found('Topaz'), { tags: [role, ...of('Blue'), ...of('red')] })
    assert.deepEqual(await found('Topaz', 2), { tags: [role, of('Blue')[0]] })
    assert.deepEqual(await found('Topaz_key=BL'), { tags: of('Blue') })
    assert.deepEqual(await found('Topaz=bl'), { tags: [role] })
    assert.deepEqual(await found('topaz'), {})
    assert.deepEqual(await found('Topaz%'), {})
  })

  test('finds domains by their accounts', async () => {
    const with_ = (settings: object, stem: string) => fixture.create((own) => domainWith(own, { settings }), stem)
    const one = await with_({ account: '7771,7772', businessService: 'Ruby.One' }, 'acc-one')
    const two = await with_(
      { azureSubscription: 'ruby-sub', gcpProject: 'ruby-project', productId: 'ruby-product', account: '17772' },
      'acc-two',
    )
    assert.deepEqual(await found('777'), { accounts: [{ domain: one, attribute: 'account', value: '7771,7772' }] })
    assert.deepEqual((await search('7772')).accounts, [{ domain: one, attribute: 'account', value: '7771,7772' }])
    assert.deepEqual(await found('RUBY'), {
      accounts: [
        { domain: one, attribute: 'businessService', value: 'Ruby.One' },
        { domain: two, attribute: 'azureSubscription', value: 'ruby-sub' },
        { domain: two, attribute: 'gcpProject', value: 'ruby-project' },
        { domain: two, attribute: 'productId', value: 'ruby-product' },
      ],
    })
    assert.equal((await search('ruby', 2)).accounts.length, 2)
  })

  test('finds nothing by what nothing has', async () => {
    assert.deepEqual(await found('no such thing'), {})
    assert.deepEqual(await found("'; --"), {})
    assert.deepEqual(await found('\u{1f600}'), {})
  })
}
