import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DailyRun } from '#zms/notification/daily-run.ts'
import type { Domain } from '#zms/store/model.ts'
import { Harness } from '../service/harness.ts'
import { commit, group, role } from '../service/objects.ts'
import { KeepingSender, outboxTo } from './fixture.ts'

const DAY_MILLIS = 86_400_000
const EXPIRATIONS = 'zms.DisableExpirationNotifications'

/** A server with a domain, and what it sends. */
async function open({ settings = {}, digest = false, by }: Given = {}) {
  const zms = await Harness.open({ services: [] })
  await zms.createDomain('sports', settings)
  const sender = new KeepingSender(by)
  const outbox = outboxTo(sender, zms.deps, digest)
  const { config } = zms.deps
  const deps = { ...zms.deps, config: { ...config, notification: { ...config.notification, digest } } }
  const inDays = (days: number) => zms.clock.millis + days * DAY_MILLIS
  return { zms, sender, deps, outbox, inDays, daily: new DailyRun(deps, outbox) }
}
interface Given {
  readonly settings?: Partial<Domain>
  readonly digest?: boolean
  readonly by?: 'principal' | 'domain'
}

const ADMINS = 'user.admin user.owner'

describe('the daily run', () => {
  test('tells members and administrators of what ends and what is to be reviewed', async () => {
    const { zms, sender, daily, inDays } = await open()
    await commit(
      zms,
      ...role('sports', 'readers', [
        { memberName: 'user.joe', expiration: inDays(7) },
        { memberName: 'user.jane', expiration: inDays(8) },
        { memberName: 'user.both', expiration: inDays(1), reviewReminder: inDays(3) },
        { memberName: 'user.review', reviewReminder: inDays(21) },
        { memberName: 'user.past', expiration: inDays(-1) },
        'user.ever',
      ]),
      ...group('sports', 'team', [{ memberName: 'user.joe', expiration: inDays(28) }]),
    )
    await daily.run()
    assert.deepEqual(sender.types, [
      'ROLE_MEMBER_EXPIRY',
      'ROLE_MEMBER_EXPIRY',
      'ROLE_MEMBER_EXPIRY',
      'ROLE_MEMBER_REVIEW',
      'ROLE_MEMBER_REVIEW',
      'GROUP_MEMBER_EXPIRY',
      'GROUP_MEMBER_EXPIRY',
    ])
    assert.deepEqual(sender.take(), [
      `${ADMINS}: groupExpiryAdmin sports:team user.joe`,
      `${ADMINS}: roleExpiryAdmin sports:readers user.both, sports:readers user.joe`,
      `${ADMINS}: roleReviewAdmin sports:readers user.review`,
      'user.both: roleExpiry sports:readers user.both',
      'user.joe: groupExpiry sports:team user.joe',
      'user.joe: roleExpiry sports:readers user.joe',
      'user.review: roleReview sports:readers user.review',
    ])
  })

  test('tells of each once a day, and again on the next day that is due', async () => {
    const { zms, sender, deps, outbox, daily, inDays } = await open()
    await commit(zms, ...role('sports', 'readers', [{ memberName: 'user.joe', expiration: inDays(3) }]))
    await daily.run()
    assert.equal(sender.take().length, 2)
    await daily.run()
    await new DailyRun(deps, outbox).run()
    assert.deepEqual(sender.take(), [], 'neither again nor after a restart')
    const told: number[] = []
    for (let day = 1; day <= 4; day++) {
      zms.clock.millis += DAY_MILLIS
      await daily.run()
      told.push(sender.take().length)
    }
    assert.deepEqual(told, [0, 2, 0, 0])
  })

  test('does not change when a domain was modified', async () => {
    const { zms, daily, inDays } = await open()
    await commit(zms, ...role('sports', 'readers', [{ memberName: 'user.joe', expiration: inDays(3) }]))
    const { modified } = await zms.domain('sports')
    await daily.run()
    assert.equal((await zms.domain('sports')).modified, modified)
  })

  test('puts all that somebody is told into one digest', async () => {
    const { zms, sender, daily, inDays } = await open({ digest: true })
    await commit(
      zms,
      ...role('sports', 'readers', [{ memberName: 'user.admin', expiration: inDays(7) }]),
      ...group('sports', 'team', [{ memberName: 'user.joe', expiration: inDays(28) }]),
    )
    await daily.run()
    const readers = 'sports:readers user.admin'
    assert.deepEqual(sender.take(), [
      `user.admin: roleExpiry ${readers}; roleExpiryAdmin ${readers}; groupExpiryAdmin sports:team user.joe`,
      'user.joe: groupExpiry sports:team user.joe',
      `user.owner: roleExpiryAdmin ${readers}; groupExpiryAdmin sports:team user.joe`,
    ])
  })

  test('tells domains in their own place', async () => {
    const { zms, sender, daily, inDays } = await open({ by: 'domain' })
    await commit(
      zms,
      ...role('sports', 'readers', [
        { memberName: 'user.joe', expiration: inDays(7) },
        { memberName: 'sports.api', expiration: inDays(7) },
      ]),
    )
    await daily.run()
    assert.deepEqual(sender.take(), [
      `[sports] ${ADMINS}: roleExpiry sports:readers sports.api`,
      `[sports] ${ADMINS}: roleExpiryAdmin sports:readers sports.api, sports:readers user.joe`,
      'user.joe: roleExpiry sports:readers user.joe',
    ])
  })

  test('tells the administrators though nobody speaks for the member', async () => {
    const { zms, sender, daily, inDays } = await open()
    await commit(zms, ...role('sports', 'readers', [{ memberName: 'nowhere.api', expiration: inDays(0.5) }]))
    await daily.run()
    assert.deepEqual(sender.take(), [`${ADMINS}: roleExpiryAdmin sports:readers nowhere.api`])
  })

  test('keeps quiet where tags say so', async () => {
    const { zms, sender, daily, inDays } = await open({ settings: { tags: new Map([[EXPIRATIONS, ['2']]]) } })
    const members = [{ memberName: 'user.joe', expiration: inDays(14) }]
    await commit(
      zms,
      ...role('sports', 'some', members),
      ...role('sports', 'none', members, { tags: new Map([[EXPIRATIONS, ['1']]]) }),
      ...role('sports', 'near', members, { tags: new Map([[EXPIRATIONS, ['4']]]) }),
    )
    await daily.run()
    assert.deepEqual(sender.take(), ['user.joe: roleExpiry sports:some user.joe'])
  })

  test('adds the note of the role, or that of self-serve roles', async () => {
    const { zms, sender, daily, inDays } = await open()
    const members = [{ memberName: 'user.joe', expiration: inDays(7) }]
    await commit(
      zms,
      ...role('sports', 'noted', members, { notifyDetails: 'ask Jane', selfServe: true }),
      ...role('sports', 'open', members, { selfServe: true }),
      ...role('sports', 'plain', members),
    )
    await daily.run()
    const [first] = sender.sent
    assert.deepEqual(
      first?.sections[0]?.items.map(({ role: name, notifyDetails }) => [name, notifyDetails]),
      [
        ['noted', 'ask Jane'],
        ['open', 'self-serve role'],
        ['plain', undefined],
      ],
    )
  })

  test('reminds of requests every week, and rejects them in the end', async () => {
    const { zms, sender, daily } = await open()
    const requestTime = zms.clock.millis
    const request = { requestTime, lastNotifiedTime: requestTime, requestPrincipal: 'user.jane', auditRef: 'please' }
    await commit(
      zms,
      ...role('sports', 'readers', [], { reviewEnabled: true }),
      ...group('sports', 'team', [], { selfServe: true }),
      {
        kind: 'putPendingRoleMember',
        domain: 'sports',
        role: 'readers',
        value: { memberName: 'user.joe', pendingState: 'ADD', ...request },
      },
      {
        kind: 'putPendingGroupMember',
        domain: 'sports',
        group: 'team',
        value: { memberName: 'user.joe', pendingState: 'DELETE', ...request },
      },
    )
    const told = new Map<number, string[]>()
    for (let day = 0; day <= 31; day++) {
      await daily.run()
      const sent = sender.take()
      if (sent.length > 0) told.set(day, sent)
      zms.clock.millis += DAY_MILLIS
    }
    assert.deepEqual([...told.keys()], [7, 14, 21, 28])
    assert.deepEqual(told.get(7), [
      `${ADMINS}: groupReminder sports:team user.joe`,
      `${ADMINS}: roleReminder sports:readers user.joe`,
    ])
    const { roles, groups } = await zms.domain('sports')
    assert.deepEqual([roles.get('readers')?.pending.size, groups.get('team')?.pending.size], [0, 0])
    const [history] = await zms.store.roleAudit('sports', 'readers')
    assert.deepEqual(
      { ...history, created: undefined },
      {
        admin: 'sys.auth.monitor',
        member: 'user.joe',
        action: 'REJECT',
        auditRef: 'Expired - auto reject',
        created: undefined,
      },
    )
    assert.deepEqual(
      zms.audit.map(({ method, domain, entity, why, whoFullName }) => [method, domain, entity, why, whoFullName]),
      [
        ['REJECT', 'sports', 'readers', 'Expired - auto reject', 'sys.auth.monitor'],
        ['REJECT', 'sports', 'team', 'Expired - auto reject', 'sys.auth.monitor'],
      ],
    )
  })

  test('goes on when a sender fails, and sends later what it has claimed', async () => {
    const { zms, sender, daily, inDays } = await open()
    await commit(zms, ...role('sports', 'readers', [{ memberName: 'user.joe', expiration: inDays(7) }]))
    sender.broken = true
    await daily.run()
    sender.broken = false
    await daily.run()
    assert.equal(sender.take().length, 2)
    await daily.run()
    assert.deepEqual(sender.take(), [])
  })

  test('is done again when the data could not be read', async () => {
    const { zms, sender, deps, outbox, inDays } = await open()
    await commit(zms, ...role('sports', 'readers', [{ memberName: 'user.joe', expiration: inDays(7) }]))
    let failures = 1
    const store = Object.create(zms.store, {
      claimNotices: {
        value: (...args: Parameters<typeof zms.store.claimNotices>) =>
          failures-- > 0 ? Promise.reject(new Error('away')) : zms.store.claimNotices(...args),
      },
      noticeSubjects: { value: zms.store.noticeSubjects.bind(zms.store) },
      domain: { value: zms.store.domain.bind(zms.store) },
    }) as typeof zms.store
    const daily = new DailyRun({ ...deps, store }, outbox)
    await assert.rejects(daily.run(), /away/)
    assert.deepEqual(sender.take(), [])
    await daily.run()
    assert.equal(sender.take().length, 2)
  })
})
