import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isSwitchedOff, type NoticeSort } from '#zms/notification/switched-off.ts'
import type { Tags } from '#zms/store/model.ts'

const NOW = Date.parse('2030-01-02T10:00:00Z')
const DAY_MILLIS = 86_400_000
const EXPIRATIONS = 'zms.DisableExpirationNotifications'
const REMINDERS = 'zms.DisableReminderNotifications'

const tags = (key: string | undefined, value = ''): { tags?: Tags } =>
  key === undefined ? {} : { tags: new Map([[key, [value]]]) }

/** For whom notices of something seven and fourteen days ahead are switched off. */
const off = (sort: NoticeSort, domain: { tags?: Tags }, collection: { tags?: Tags }) =>
  ([7, 14] as const).flatMap((days) =>
    (['member', 'admin'] as const)
      .filter((audience) =>
        isSwitchedOff(sort, audience, { domain, collection }, { time: NOW + days * DAY_MILLIS, now: NOW }),
      )
      .map((audience) => `${audience} ${days}`),
  )

describe('a tag switches off', () => {
  const cases: readonly [NoticeSort, key: string, value: string, readonly string[]][] = [
    ['roleExpiration', EXPIRATIONS, '0', []],
    ['roleExpiration', EXPIRATIONS, '1', ['member 7', 'member 14']],
    ['roleExpiration', EXPIRATIONS, '2', ['admin 7', 'admin 14']],
    ['roleExpiration', EXPIRATIONS, '3', ['member 7', 'admin 7', 'member 14', 'admin 14']],
    ['roleExpiration', EXPIRATIONS, '4', ['member 14', 'admin 14']],
    ['roleExpiration', EXPIRATIONS, '5', ['member 7', 'member 14', 'admin 14']],
    ['roleExpiration', REMINDERS, '3', []],
    ['groupExpiration', EXPIRATIONS, '1', ['member 7', 'member 14']],
    ['groupExpiration', REMINDERS, '2', ['admin 7', 'admin 14']],
    ['reminder', REMINDERS, '2', ['admin 7', 'admin 14']],
    ['reminder', EXPIRATIONS, '3', []],
    ['roleExpiration', EXPIRATIONS, '-1', []],
    ['roleExpiration', EXPIRATIONS, 'true', []],
    ['roleExpiration', EXPIRATIONS, '', []],
    ['roleExpiration', EXPIRATIONS, '99999999999999999999', []],
  ]
  for (const [sort, key, value, expected] of cases) {
    test(`${key}=${value} for ${sort}: ${expected.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(off(sort, tags(key, value), {}), expected)
      assert.deepEqual(off(sort, {}, tags(key, value)), expected)
    })
  }

  test('what the role or its domain says', () => {
    assert.deepEqual(off('roleExpiration', tags(EXPIRATIONS, '1'), tags(EXPIRATIONS, '2')).length, 4)
  })

  test('nothing that has no date because of distance', () => {
    const collection = tags(REMINDERS, '4')
    assert.ok(!isSwitchedOff('reminder', 'admin', { domain: {}, collection }, { time: undefined, now: NOW }))
  })
})
