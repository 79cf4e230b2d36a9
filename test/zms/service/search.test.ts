import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { searchAllService } from '#zms/service/search.ts'
import { Harness, refusal } from './harness.ts'
import { commit, group, policy, role, service } from './objects.ts'

const zms = await Harness.open({ services: [searchAllService] })
await zms.createDomain('amber', { account: 'amber-1', tags: new Map([['amber', ['x']]]) })
await zms.createDomain('sub.amber')
await commit(
  zms,
  role('amber', 'amber-readers', ['user.amber', 'other.amber']),
  role('amber', 'amber-writers', [], { tags: new Map([['amber', ['y']]]) }),
  group('amber', 'amber-team'),
  policy('amber', 'amber', []),
  service('amber', 'amber-api'),
)

const none = { list: [], more: false }

describe('search', () => {
  test('finds everything by a text, whoever asks', async () => {
    assert.deepEqual((await zms.get('/sys/search?text=%20Amber%20', { as: 'user.anybody' })).body, {
      domains: { list: ['amber', 'sub.amber'], more: false },
      roles: { list: ['amber:role.amber-readers', 'amber:role.amber-writers'], more: false },
      groups: { list: ['amber:group.amber-team'], more: false },
      services: { list: ['amber.amber-api'], more: false },
      principals: { list: ['user.amber'], more: false },
      tags: none,
      accounts: { list: [{ domainName: 'amber', attribute: 'account', value: 'amber-1' }], more: false },
    })
    assert.deepEqual((await zms.get('/sys/search?text=amber')).body.tags, {
      list: [
        { key: 'amber', value: 'x', domainName: 'amber', kind: 'domain' },
        { key: 'amber', value: 'y', domainName: 'amber', kind: 'role', name: 'amber-writers' },
      ],
      more: false,
    })
  })

  test('says of each kind whether there are more', async () => {
    const { body } = await zms.get('/sys/search?text=amber&limit=1')
    assert.deepEqual(body.roles, { list: ['amber:role.amber-readers'], more: true })
    assert.deepEqual(body.domains, { list: ['amber'], more: true })
    assert.equal(body.groups.more, false)
  })

  for (const limit of [0, 51]) {
    test(`refuses the limit ${limit}`, async () => {
      assert.deepEqual(
        await zms.get(`/sys/search?text=amber&limit=${limit}`),
        refusal(400, `search: limit must be from 1 to 50: ${limit}`),
      )
    })
  }

  for (const [what, query] of [
    ['no text', ''],
    ['an empty text', '?text='],
    ['one letter', '?text=a'],
    ['too long a text', `?text=${'a'.repeat(257)}`],
  ] as const) {
    test(`refuses ${what}`, async () => {
      assert.deepEqual(
        await zms.get(`/sys/search${query}`),
        refusal(400, 'search: text must have from 2 to 256 characters'),
      )
    })
  }
})
