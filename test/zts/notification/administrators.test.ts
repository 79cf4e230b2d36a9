import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { administratorsOf } from '#zts/notification/administrators.ts'
import { domainsOf } from '../../support/zts-domains.ts'

const NOW = Date.parse('2030-01-02T10:00:00Z')
const principals = { userDomain: 'user', homeDomain: 'home', headlessUserDomain: 'user', additionalUserDomains: [] }

const admin = (...members: (string | object)[]) => ({
  name: 'sports:role.admin',
  roleMembers: members.map((member) => (typeof member === 'string' ? { memberName: member } : member)),
})

const domains = domainsOf(
  {
    name: 'sports',
    roles: [
      admin(
        'user.joe',
        'sports.api',
        'user.*',
        'music:group.band',
        'music:group.nothing',
        { memberName: 'user.past', expiration: '2030-01-01T00:00:00.000Z' },
        { memberName: 'user.ahead', expiration: '2031-01-01T00:00:00.000Z' },
        { memberName: 'user.out', systemDisabled: 1 },
      ),
    ],
  },
  {
    name: 'music',
    groups: [
      {
        name: 'music:group.band',
        groupMembers: [
          { memberName: 'user.drums' },
          { memberName: 'user.gone', expiration: '2030-01-01T00:00:00.000Z' },
        ],
      },
    ],
    roles: [{ name: 'music:role.keepers', roleMembers: [{ memberName: 'user.keeper' }] }],
    policies: [
      {
        name: 'music:policy.keep',
        assertions: [
          { role: 'music:role.keepers', resource: 'lent:role.admin', action: 'assume_role', effect: 'ALLOW' },
        ],
      },
    ],
  },
  { name: 'lent', roles: [{ name: 'lent:role.admin', trust: 'music' }] },
  { name: 'empty' },
)

describe('the administrators', () => {
  const cases: readonly (readonly [domain: string, people: string])[] = [
    ['sports', 'user.ahead user.drums user.joe'],
    ['lent', 'user.keeper'],
    ['empty', ''],
    ['nowhere', ''],
  ]
  for (const [domain, people] of cases) {
    test(`of ${domain} are ${people || 'nobody'}`, () => {
      const found = administratorsOf(domains, domain, { principals, now: NOW })
      assert.equal([...found].sort().join(' '), people)
    })
  }
})
