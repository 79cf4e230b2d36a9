import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { type PrincipalType, principalTypes } from '#core/names/principal-name.ts'
import {
  type MaximumDays,
  MemberDateRules,
  type MemberDays,
  memberDays,
  wholeSeconds,
} from '#zms/service/member-dates.ts'

const DAY_MILLIS = 86_400_000
const NOW = Date.UTC(2030, 0, 2, 3, 4, 5)
const days = (count: number) => NOW + count * DAY_MILLIS
const UNLIMITED: MaximumDays = { user: 0, service: 0, group: 0 }
const NO_DAYS: MemberDays = { expiry: {}, review: {} }

/** Dates of a member of some kind, with nothing limited unless options say so. */
const datesOf = (
  type: PrincipalType,
  options: {
    requested?: { expiration?: number; reviewReminder?: number }
    days?: MemberDays
    maximum?: Partial<MaximumDays>
    now?: number
  } = {},
) =>
  new MemberDateRules({ ...UNLIMITED, ...options.maximum }, undefined).dates(
    { name: 'any', type },
    options.requested ?? {},
    options.days ?? NO_DAYS,
    options.now ?? NOW,
  )

describe('days in force', () => {
  test('expiry days are those of the role or group, else those of the domain; review days have no fallback', () => {
    const domain = { memberExpiryDays: 1, serviceExpiryDays: 2, groupExpiryDays: 3 }
    assert.deepEqual(memberDays({}, domain), {
      expiry: { user: 1, service: 2, group: 3 },
      review: { user: undefined, service: undefined, group: undefined },
    })
    const own = { memberExpiryDays: 10, serviceExpiryDays: 20, groupExpiryDays: 30 }
    const review = { memberReviewDays: 4, serviceReviewDays: 5, groupReviewDays: 6 }
    assert.deepEqual(memberDays({ ...own, ...review }, domain), {
      expiry: { user: 10, service: 20, group: 30 },
      review: { user: 4, service: 5, group: 6 },
    })
  })

  test('0 and less mean that nothing is set', () => {
    const { expiry, review } = memberDays(
      { memberExpiryDays: 0, serviceExpiryDays: -1, memberReviewDays: 0, groupReviewDays: -1 },
      { memberExpiryDays: 7, serviceExpiryDays: 0 },
    )
    assert.deepEqual([expiry.user, expiry.service, review.user, review.group], [7, undefined, undefined, undefined])
  })
})

describe('which days a kind of member has', () => {
  const limits: MemberDays = {
    expiry: { user: 1, service: 2, group: 3 },
    review: { user: 11, service: 12, group: 13 },
  }
  const kinds: [keyof typeof principalTypes, number, number][] = [
    ['user', 1, 11],
    ['service', 2, 12],
    ['userHeadless', 2, 12],
    ['external', 2, 12],
    ['all', 2, 12],
    ['group', 3, 13],
  ]
  for (const [kind, expiry, review] of kinds) {
    test(`${kind}: those of ${expiry === 1 ? 'users' : expiry === 2 ? 'services' : 'groups'}`, async () => {
      assert.deepEqual(await datesOf(principalTypes[kind], { days: limits }), {
        expiration: days(expiry),
        reviewReminder: days(review),
      })
    })
  }
})

describe('dates', () => {
  const ten: MemberDays = { expiry: { user: 10 }, review: { user: 10 } }
  const both = (date: number) => ({ expiration: date, reviewReminder: date })
  const cases: [string, { requested?: object; days?: MemberDays; maximum?: Partial<MaximumDays> }, object][] = [
    ['nothing asked for and no days: none', {}, {}],
    ['no days: as asked for', { requested: both(days(999)) }, both(days(999))],
    ['days and nothing asked for: the latest', { days: ten }, both(days(10))],
    ['later than the days allow: the latest', { days: ten, requested: both(days(11)) }, both(days(10))],
    ['the latest: kept', { days: ten, requested: both(days(10)) }, both(days(10))],
    ['earlier: kept', { days: ten, requested: both(days(9)) }, both(days(9))],
    ['in the past: kept', { days: ten, requested: both(days(-9)) }, both(days(-9))],
    ['a maximum of the server without days: the maximum', { maximum: { user: 5 } }, both(days(5))],
    ['a maximum below the days: the maximum', { days: ten, maximum: { user: 5 } }, both(days(5))],
    ['a maximum above the days: the days', { days: ten, maximum: { user: 15 } }, both(days(10))],
    ['a maximum for other kinds: none', { maximum: { service: 5, group: 5 } }, {}],
  ]
  for (const [title, options, expected] of cases) {
    test(title, async () => assert.deepEqual(await datesOf(principalTypes.user, options), expected))
  }

  test('expiration and review reminder are limited each by its own days', async () => {
    const limits: MemberDays = { expiry: { user: 10 }, review: {} }
    assert.deepEqual(await datesOf(principalTypes.user, { days: limits, requested: { reviewReminder: days(99) } }), {
      expiration: days(10),
      reviewReminder: days(99),
    })
  })

  test('fractions of seconds are dropped', async () => {
    assert.deepEqual(await datesOf(principalTypes.user, { days: ten, now: NOW + 999 }), both(days(10)))
    assert.deepEqual(await datesOf(principalTypes.user, { requested: both(NOW + 1) }), both(NOW))
    assert.equal(wholeSeconds(-1), -1000)
  })
})

describe('the date of the user authority', () => {
  const authority: Authority = {
    id: 'test',
    credentialSource: 'header',
    allowAuthorization: true,
    dateAttribute: async (user, attribute) => (attribute === 'until' && user === 'user.dated' ? days(5) : undefined),
  }
  const rules = new MemberDateRules(UNLIMITED, authority)
  const user = (name: string) => ({ name, type: principalTypes.user })
  const DATED = user('user.dated')

  test('it limits users where it is the earlier', async () => {
    const expiration = async (requested: number | undefined, expiryDays?: number) => {
      const limits: MemberDays = { expiry: { user: expiryDays }, review: {} }
      const wanted = requested === undefined ? {} : { expiration: requested }
      return (await rules.dates(DATED, wanted, limits, NOW, 'until')).expiration
    }
    assert.equal(await expiration(undefined), days(5))
    assert.equal(await expiration(days(6)), days(5))
    assert.equal(await expiration(days(4)), days(4))
    assert.equal(await expiration(undefined, 3), days(3))
    assert.equal(await expiration(undefined, 7), days(5))
  })

  test('it does not concern review reminders', async () => {
    assert.deepEqual(await rules.dates(DATED, { reviewReminder: days(99) }, NO_DAYS, NOW, 'until'), {
      expiration: days(5),
      reviewReminder: days(99),
    })
  })

  test('it does not concern others than users', async () => {
    for (const type of [principalTypes.service, principalTypes.group, principalTypes.all, principalTypes.external]) {
      assert.deepEqual(await rules.dates({ name: 'sports.api', type }, {}, NO_DAYS, NOW, 'until'), {})
    }
  })

  test('users without it are refused, or members until now', async () => {
    const undated = user('user.undated')
    await assert.rejects(rules.dates(undated, {}, NO_DAYS, NOW, 'until'), {
      status: 400,
      message: 'User does not have required user authority expiry configured',
    })
    await assert.rejects(rules.dates(undated, {}, NO_DAYS, NOW, 'until', 'refuseList'), {
      status: 400,
      message: 'Invalid member: user.undated. No expiry date attribute specified in user authority',
    })
    const end = (expiration: number) => rules.dates(undated, { expiration }, NO_DAYS, NOW, 'until', 'endNow')
    assert.deepEqual(await end(days(1)), { expiration: NOW })
    assert.deepEqual(await end(days(-1)), { expiration: days(-1) }, 'what has ended stays so')
  })

  test('without an authority nobody has one', async () => {
    await assert.rejects(new MemberDateRules(UNLIMITED, undefined).dates(DATED, {}, NO_DAYS, NOW, 'until'), {
      status: 400,
    })
  })
})
