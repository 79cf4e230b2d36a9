import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type Addressees, Recipients } from '#zms/notification/recipients.ts'
import { principalDomainsOf } from '#zms/service/principal-domains.ts'
import type { GroupBase, RoleBase } from '#zms/store/model.ts'
import { Harness } from '../service/harness.ts'
import { commit, group, policy, role } from '../service/objects.ts'

const zms = await Harness.open({ services: [], properties: { addl_user_check_domains: 'unix' } })
const HOUR_MILLIS = 3_600_000

before(async () => {
  await zms.createDomain('sports', { org: 'ball-games', slackChannel: 'sports-talk' })
  await zms.createDomain('music')
  await zms.createDomain('news')
  for (const domain of ['sys.auth.audit.domain', 'sys.auth.audit.org']) await zms.createDomain(domain)
  await commit(zms, ...role('sys.auth.audit.domain', 'sports', ['user.auditor']))
  await commit(zms, ...role('sys.auth.audit.org', 'ball-games', ['user.inspector', 'user.auditor']))
  const past = zms.clock.millis - HOUR_MILLIS
  await commit(
    zms,
    ...group('music', 'band', ['user.drums', 'user.bass', { memberName: 'user.gone', expiration: past }, 'music.api']),
    ...group('music', 'choir', ['user.alto'], { notifyRoles: 'conductors' }),
    ...role('music', 'conductors', ['user.baton']),
    ...role('music', 'listeners', ['user.ear']),
    ...policy('music', 'listen', [
      { role: 'listeners', resource: 'sports:role.lent', action: 'assume_role', effect: 'ALLOW' },
    ]),
  )
  await commit(
    zms,
    ...role('sports', 'many', [
      'user.a',
      'unix.b',
      { memberName: 'user.late', expiration: past },
      { memberName: 'user.out', systemDisabled: 4 },
      'user.*',
      '*',
      'sports.api',
      'music:ext.joe@example.com',
      'music:group.band',
      { memberName: 'music:group.choir', expiration: past },
      'music:group.nothing',
    ]),
    ...role('sports', 'lent', [], { trust: 'music' }),
  )
  // A domain whose administrators are gone.
  await commit(zms, { kind: 'deleteRoleMember', domain: 'news', role: 'admin', member: 'user.admin' })
  await commit(zms, { kind: 'deleteRoleMember', domain: 'news', role: 'admin', member: 'user.owner' })
})

const recipients = () =>
  new Recipients({
    queries: zms.store,
    principals: principalDomainsOf(zms.deps.config),
    now: zms.clock.millis,
  })

const shown = ({ people, domain }: Addressees) => [
  [...people].sort().join(' '),
  ...(domain ? [domain.name, domain.slackChannel ?? ''] : []),
]

describe('who looks after a role', () => {
  const cases: readonly (readonly [notifyRoles: string | undefined, people: string])[] = [
    [undefined, 'user.admin user.owner'],
    ['', 'user.admin user.owner'],
    ['many', 'unix.b user.a user.bass user.drums'],
    ['sports:role.many', 'unix.b user.a user.bass user.drums'],
    ['music:role.conductors, lent', 'user.baton user.ear'],
    ['music:group.band', 'user.bass user.drums'],
    ['nothing,music:role.nothing,nowhere:role.x', 'user.admin user.owner'],
    ['music:service.x', 'user.admin user.owner'],
  ]
  for (const [notifyRoles, people] of cases) {
    test(`with the roles ${notifyRoles ?? 'of nobody'}: ${people}`, async () => {
      await commit(zms, ...role('sports', 'readers', [], notifyRoles === undefined ? {} : { notifyRoles }))
      const domain = await zms.domain('sports')
      const readers = domain.roles.get('readers')
      assert.ok(readers)
      assert.deepEqual(shown(await recipients().caretakers(domain, readers)), [people, 'sports', 'sports-talk'])
    })
  }
})

describe('who decides about requests', () => {
  const cases: readonly (readonly [string, Partial<RoleBase>, people: string])[] = [
    ['an audit-enabled role', { auditEnabled: true, notifyRoles: 'many' }, 'user.auditor user.inspector'],
    ['a self-serve role', { selfServe: true }, 'user.admin user.owner'],
    ['a review-enabled role that names roles', { reviewEnabled: true, notifyRoles: 'lent' }, 'user.ear'],
  ]
  for (const [what, settings, people] of cases) {
    test(`of ${what}: ${people}`, async () => {
      await commit(zms, ...role('sports', 'readers', [], settings))
      const domain = await zms.domain('sports')
      const readers = domain.roles.get('readers')
      assert.ok(readers)
      assert.deepEqual(shown(await recipients().deciders(domain, readers)), [people, 'sports', 'sports-talk'])
    })
  }

  test('of an audit-enabled group of a domain without organization: the auditors of the domain', async () => {
    const settings: Partial<GroupBase> = { auditEnabled: true }
    await commit(zms, ...group('music', 'audited', [], settings))
    const domain = await zms.domain('music')
    const audited = domain.groups.get('audited')
    assert.ok(audited)
    assert.deepEqual(shown(await recipients().deciders(domain, audited)), ['', 'music', ''])
  })
})

describe('who speaks for a member', () => {
  const cases: readonly (readonly [member: string, ...expected: string[]])[] = [
    ['user.joe', 'user.joe'],
    ['unix.joe', 'unix.joe'],
    ['sports.api', 'user.admin user.owner', 'sports', 'sports-talk'],
    ['music:group.choir', 'user.baton', 'music', ''],
    ['music:group.band', 'user.admin user.owner', 'music', ''],
    ['music:group.nothing', ''],
    ['music:ext.joe@example.com', ''],
    ['news.api', '', 'news', ''],
    ['nowhere.api', ''],
    ['user.*', ''],
    ['*', ''],
    ['joe', ''],
  ]
  for (const [member, ...expected] of cases) {
    test(`${member}: ${expected.join(' ') || 'nobody'}`, async () => {
      assert.deepEqual(shown(await recipients().spokespeople(member)), expected)
    })
  }
})
