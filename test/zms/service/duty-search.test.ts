import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dutySearchService } from '#zms/service/duty-search.ts'
import { Harness, refusal } from './harness.ts'
import { commit, group, role } from './objects.ts'

const DAY = 86_400_000
const zms = await Harness.open({ services: [dutySearchService] })
const now = zms.clock.millis
const JOE = { as: 'user.joe' }
const iso = (millis: number) => new Date(millis).toISOString()
const lastReviewedDate = now - 100 * DAY

for (const name of ['beryl', 'coral', 'quartz']) await zms.createDomain(name)
await zms.createDomain('amber', { org: 'jewels' })
const requested = (memberName: string, hoursAgo: number) => ({
  memberName,
  requestPrincipal: 'user.asks',
  requestTime: now - hoursAgo * 3_600_000,
  pendingState: 'ADD' as const,
})
await commit(
  zms,
  ...['amber', 'beryl', 'coral'].map((domain) => role(domain, 'admin', ['user.joe'])),
  role('quartz', 'admin', [{ memberName: 'user.joe', expiration: now - 1 }]),
  role('amber', 'late', [{ memberName: 'user.joe', expiration: now - DAY }], {
    memberReviewDays: 30,
    lastReviewedDate,
  }),
  role('beryl', 'later', [{ memberName: 'user.joe', expiration: now + 40 * DAY }], {
    memberReviewDays: 60,
    lastReviewedDate,
  }),
  group('coral', 'team', [{ memberName: 'user.joe', expiration: now + 5 * DAY }], {
    memberExpiryDays: 10,
    lastReviewedDate,
  }),
  role('quartz', 'others', [], { memberReviewDays: 1, lastReviewedDate }),
  role('quartz', 'on-call', [{ memberName: 'user.renews', expiration: now + DAY }], {
    selfRenew: true,
    selfRenewMins: 90,
    auditEnabled: true,
  }),
  role('sys.auth.audit.domain', 'amber', ['user.auditor', { memberName: 'user.former-auditor', expiration: now - 1 }]),
  role('sys.auth.audit.org', 'jewels', ['user.org-auditor']),
  role('amber', 'open', [], { reviewEnabled: true }),
  role('amber', 'audited', [], { auditEnabled: true }),
  [
    { kind: 'putPendingRoleMember', domain: 'amber', role: 'open', value: requested('user.b', 1) },
    { kind: 'putPendingRoleMember', domain: 'amber', role: 'open', value: requested('user.a', 5) },
    { kind: 'putPendingRoleMember', domain: 'amber', role: 'audited', value: requested('user.c', 9) },
    { kind: 'putPendingRoleMember', domain: 'quartz', role: 'others', value: requested('user.d', 9) },
    { kind: 'putPendingGroupMember', domain: 'coral', group: 'team', value: requested('user.e', 3) },
  ],
)

/** All parts of a list, read one after the other. */
async function parts(path: string, limit: number): Promise<{ total: number; list: unknown[] }[]> {
  const found: { total: number; list: unknown[] }[] = []
  let skip = ''
  do {
    const { status, body } = await zms.get(`${path}?limit=${limit}${skip}`, JOE)
    assert.equal(status, 200)
    found.push({ total: body.total, list: body.list })
    skip = body.next === undefined ? '' : `&skip=${encodeURIComponent(body.next)}`
  } while (skip !== '')
  return found
}

describe('domains that somebody administers', () => {
  test('come a part at a time', async () => {
    assert.deepEqual(await parts('/sys/duty/domain', 2), [
      { total: 3, list: ['amber', 'beryl'] },
      { total: 3, list: ['coral'] },
    ])
  })

  test('are filtered by a contained text', async () => {
    assert.deepEqual((await zms.get('/sys/duty/domain?filter=ER', JOE)).body, { list: ['amber', 'beryl'], total: 2 })
    assert.deepEqual((await zms.get('/sys/duty/domain?filter=quartz', JOE)).body, { list: [], total: 0 })
  })

  test('may be asked about others, too', async () => {
    const { body } = await zms.get('/sys/duty/domain?principal=user.joe', { as: 'user.anybody' })
    assert.equal(body.total, 3)
  })
})

describe('requests that somebody may decide', () => {
  const request = (kind: string, domainName: string, name: string, memberName: string, hoursAgo: number) => ({
    kind,
    domainName,
    name,
    memberName,
    pendingState: 'ADD',
    requestPrincipal: 'user.asks',
    requestTime: iso(now - hoursAgo * 3_600_000),
  })

  test('are those of roles and groups, the oldest first, a part at a time', async () => {
    const [a, e, b] = [
      request('role', 'amber', 'open', 'user.a', 5),
      request('group', 'coral', 'team', 'user.e', 3),
      request('role', 'amber', 'open', 'user.b', 1),
    ]
    assert.deepEqual(await parts('/sys/duty/request', 2), [
      { total: 3, list: [a, e] },
      { total: 3, list: [b] },
    ])
    const { body } = await zms.get('/sys/duty/request?filter=user.b', JOE)
    assert.deepEqual(body, { list: [b], total: 1 })
  })

  test('are those of audited roles for auditors of the domain or its organization', async () => {
    const audited = { ...request('role', 'amber', 'audited', 'user.c', 9), auditEnabled: true }
    for (const as of ['user.auditor', 'user.org-auditor']) {
      assert.deepEqual((await zms.get('/sys/duty/request', { as })).body, { list: [audited], total: 1 })
    }
    assert.equal((await zms.get('/sys/duty/request', { as: 'user.former-auditor' })).body.total, 0)
  })

  test('are none for who administers nothing', async () => {
    assert.deepEqual((await zms.get('/sys/duty/request', { as: 'user.anybody' })).body, { list: [], total: 0 })
  })
})

describe('reviews of somebody', () => {
  const review = (kind: string, domainName: string, name: string, days: number) => ({
    kind,
    domainName,
    name,
    reviewDue: iso(lastReviewedDate + days * 0.68 * DAY),
    lastReviewedDate: iso(lastReviewedDate),
  })

  test('are due for the longest time first', async () => {
    assert.deepEqual(await parts('/sys/duty/review', 2), [
      { total: 3, list: [review('group', 'coral', 'team', 10), review('role', 'amber', 'late', 30)] },
      { total: 3, list: [review('role', 'beryl', 'later', 60)] },
    ])
  })

  test('are told to others with a right only', async () => {
    assert.deepEqual(
      await zms.get('/sys/duty/review?principal=user.joe', { as: 'user.anybody' }),
      refusal(403, 'principal is not authorized to request role and group review list'),
    )
    assert.equal((await zms.get('/sys/duty/review?principal=user.joe', { as: 'user.admin' })).body.total, 3)
  })
})

describe('memberships of somebody that end', () => {
  const membership = (kind: string, domainName: string, name: string, expiration: number) => ({
    kind,
    domainName,
    name,
    expiration: iso(expiration),
  })
  const admin = membership('role', 'quartz', 'admin', now - 1)
  const late = membership('role', 'amber', 'late', now - DAY)
  const team = membership('group', 'coral', 'team', now + 5 * DAY)
  const later = membership('role', 'beryl', 'later', now + 40 * DAY)

  test('are those that have ended, or end within 30 days, by date', async () => {
    assert.deepEqual(await parts('/sys/duty/membership', 2), [
      { total: 3, list: [late, admin] },
      { total: 3, list: [team] },
    ])
  })

  test('say for how many minutes the member may renew them, and that a reason is needed', async () => {
    const { body } = await zms.get('/sys/duty/membership', { as: 'user.renews' })
    const onCall = membership('role', 'quartz', 'on-call', now + DAY)
    assert.deepEqual(body, { list: [{ ...onCall, selfRenewMins: 90, auditEnabled: true }], total: 1 })
  })

  test('may be asked for with another number of days', async () => {
    const list = async (days: number) => (await zms.get(`/sys/duty/membership?days=${days}`, JOE)).body.list
    assert.deepEqual(await list(0), [late, admin])
    assert.deepEqual(await list(41), [late, admin, team, later])
    for (const days of [-1, 3661]) {
      assert.deepEqual(
        await zms.get(`/sys/duty/membership?days=${days}`, JOE),
        refusal(400, `searchEndingMemberships: days must be from 0 to 3660: ${days}`),
      )
    }
  })
})

describe('all that somebody has to do', () => {
  test('is the first part of each list, as the searches give it', async () => {
    const first = async (list: string) => (await zms.get(`/sys/duty/${list}?limit=2`, JOE)).body
    const { status, body } = await zms.get('/sys/duty?limit=2', JOE)
    assert.equal(status, 200)
    assert.deepEqual(body, {
      requests: await first('request'),
      reviews: await first('review'),
      memberships: await first('membership'),
    })
    assert.equal((await zms.get('/sys/duty?days=41', JOE)).body.memberships.total, 4)
  })

  test('is nothing for whom nobody knows', async () => {
    const nothing = { list: [], total: 0 }
    const { body } = await zms.get('/sys/duty', { as: 'user.unseen' })
    assert.deepEqual(body, { requests: nothing, reviews: nothing, memberships: nothing })
  })

  test('is not asked for in parts or for days that are none', async () => {
    for (const [query, reason] of [
      ['limit=0', 'limit must be from 1 to 500: 0'],
      ['limit=501', 'limit must be from 1 to 500: 501'],
      ['days=-1', 'days must be from 0 to 3660: -1'],
    ]) {
      assert.deepEqual(await zms.get(`/sys/duty?${query}`, JOE), refusal(400, `getDuties: ${reason}`))
    }
  })
})

for (const [path, api] of [
  ['domain', 'searchAdministeredDomains'],
  ['request', 'searchPendingRequests'],
  ['review', 'searchDueReviews'],
  ['membership', 'searchEndingMemberships'],
] as const) {
  describe(`/sys/duty/${path}`, () => {
    for (const limit of [0, 501]) {
      test(`refuses the limit ${limit}`, async () => {
        assert.deepEqual(
          await zms.get(`/sys/duty/${path}?limit=${limit}`, JOE),
          refusal(400, `${api}: limit must be from 1 to 500: ${limit}`),
        )
      })
    }

    test('knows nothing of a principal that was never seen', async () => {
      assert.deepEqual(
        await zms.get(`/sys/duty/${path}?principal=user.unseen`, { as: 'user.admin' }),
        refusal(404, 'unknown principal - user.unseen'),
      )
      assert.deepEqual((await zms.get(`/sys/duty/${path}`, { as: 'user.unseen' })).body, { list: [], total: 0 })
    })
  })
}
