import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { enforceUserAuthority } from '#zms/service/authority-enforcer.ts'
import { Harness } from './harness.ts'
import { commit, group, role } from './objects.ts'

const DAY_MILLIS = 86_400_000
const attributes = new Set<string>()
const dates = new Map<string, number>()
const authority: Authority = {
  id: 'Auth-USERS',
  credentialSource: 'header',
  allowAuthorization: true,
  isAttributeSet: (user, attribute) => {
    if (user === 'user.broken') throw new Error('the directory is away')
    return attributes.has(`${user} ${attribute}`)
  },
  dateAttribute: (user, attribute) => dates.get(`${user} ${attribute}`),
}
const log: string[] = []
const zms = await Harness.open({
  services: [],
  userAuthority: authority,
  parts: { log: (level, message) => void log.push(`${level} ${message}`) },
})
beforeEach(async () => {
  attributes.clear()
  dates.clear()
  log.length = 0
  for (const name of ['sports', 'music']) await zms.createDomain(name)
})

const wholeDays = (days: number) => Math.floor(zms.clock.millis / 1000) * 1000 + days * DAY_MILLIS
const member = async (name: string) => (await zms.domain('sports')).roles.get('r')?.members.get(name)
const enforce = () => enforceUserAuthority(zms.deps)

describe('the enforcement of the user authority', () => {
  test('suspends users who lost an attribute, and no longer those who have it again', async () => {
    attributes.add('user.joe staff')
    await commit(zms, ...role('sports', 'r', ['user.joe', 'user.jane', 'sports.api'], { userAuthorityFilter: 'staff' }))
    await commit(zms, ...group('sports', 'g', ['user.jane'], { userAuthorityFilter: 'staff' }))
    await enforce()
    assert.equal((await member('user.joe'))?.systemDisabled, undefined)
    assert.equal((await member('user.jane'))?.systemDisabled, 1)
    assert.equal((await member('sports.api'))?.systemDisabled, undefined)
    assert.equal((await zms.domain('sports')).groups.get('g')?.members.get('user.jane')?.systemDisabled, 1)
    attributes.delete('user.joe staff')
    attributes.add('user.jane staff')
    await enforce()
    assert.equal((await member('user.joe'))?.systemDisabled, 1)
    assert.equal((await member('user.jane'))?.systemDisabled, undefined)
    const last = zms.audit.at(-1)
    assert.deepEqual(
      [last?.why, last?.whoFullName, last?.domain],
      ['Athenz User Authority Enforcer', 'sys.auth.monitor', 'sports'],
    )
  })

  test('ends memberships with the date of the authority, and never extends them', async () => {
    const inTenDays = wholeDays(10)
    for (const name of ['user.later', 'user.sooner', 'user.never']) dates.set(`${name} until`, inTenDays)
    await commit(
      zms,
      ...role(
        'sports',
        'r',
        [
          { memberName: 'user.later', expiration: wholeDays(20), reviewReminder: wholeDays(5) },
          { memberName: 'user.sooner', expiration: wholeDays(2) },
          'user.never',
          'user.unknown',
          { memberName: 'user.past', expiration: wholeDays(-3) },
          'sports.api',
        ],
        { userAuthorityExpiration: 'until' },
      ),
    )
    await enforce()
    assert.deepEqual(
      [await member('user.later'), await member('user.sooner'), await member('user.never')].map((found) => [
        found?.expiration,
        found?.reviewReminder,
      ]),
      [
        [inTenDays, wholeDays(5)],
        [wholeDays(2), undefined],
        [inTenDays, undefined],
      ],
    )
    assert.ok(((await member('user.unknown'))?.expiration ?? Number.POSITIVE_INFINITY) <= zms.clock.millis + 1000)
    assert.equal((await member('user.past'))?.expiration, wholeDays(-3))
    assert.equal((await member('sports.api'))?.expiration, undefined)
  })

  test('changes nothing the second time', async () => {
    await commit(
      zms,
      ...role('sports', 'r', ['user.joe'], { userAuthorityFilter: 'staff', userAuthorityExpiration: 'until' }),
    )
    await enforce()
    const { modified } = await zms.domain('sports')
    zms.clock.millis += DAY_MILLIS
    await enforce()
    assert.equal((await zms.domain('sports')).modified, modified)
  })

  test('goes on when a domain cannot be judged', async () => {
    await commit(zms, ...role('music', 'r', ['user.broken'], { userAuthorityFilter: 'staff' }))
    await commit(zms, ...role('sports', 'r', ['user.jane'], { userAuthorityFilter: 'staff' }))
    await enforce()
    assert.equal((await member('user.jane'))?.systemDisabled, 1)
    assert.deepEqual(log, [
      'error what the user authority says could not be taken over in domain music: the directory is away',
    ])
  })

  test('does nothing with an authority that knows no attributes', async () => {
    await commit(zms, ...role('sports', 'r', ['user.jane'], { userAuthorityFilter: 'staff' }))
    const userAuthority: Authority = { id: 'Auth-USERS', credentialSource: 'header', allowAuthorization: true }
    await enforceUserAuthority({ ...zms.deps, userAuthority })
    await enforceUserAuthority({ ...zms.deps, userAuthority: undefined })
    assert.equal((await member('user.jane'))?.systemDisabled, undefined)
  })
})
