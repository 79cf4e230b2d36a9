import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDue, spanOf } from '#zms/notification/notice-days.ts'
import type { NoticeKind } from '#zms/store/notices.ts'

/** A Wednesday. */
const NOW = Date.parse('2030-01-02T10:00:00Z')

const subject = (time: string, notified?: string) => ({
  domain: 'sports',
  collection: 'readers',
  member: 'user.joe',
  time: Date.parse(time),
  ...(notified !== undefined && { notifiedTime: Date.parse(notified) }),
})

/** Whether people are told, and whether the data are searched that far, which must not miss anything. */
const told = (kind: NoticeKind, ...given: Parameters<typeof subject>) => {
  const found = subject(...given)
  const { from, until } = spanOf(kind, NOW)
  const due = isDue(kind, found, NOW)
  if (due) assert.ok(found.time >= from && found.time < until, 'what is due is found')
  return due
}

describe('the end of a membership', () => {
  const cases: readonly (readonly [time: string, isTold: boolean])[] = [
    ['2030-01-02T09:59:59Z', false],
    ['2030-01-02T10:00:00Z', false],
    ['2030-01-02T10:00:01Z', true],
    ['2030-01-02T23:59:59Z', true],
    ['2030-01-03T00:00:00Z', true],
    ['2030-01-04T12:00:00Z', false],
    ['2030-01-05T00:00:00Z', true],
    ['2030-01-06T00:00:00Z', false],
    ['2030-01-09T23:59:59Z', true],
    ['2030-01-10T00:00:00Z', false],
    ['2030-01-16T05:00:00Z', true],
    ['2030-01-23T05:00:00Z', true],
    ['2030-01-30T23:59:59Z', true],
    ['2030-01-31T00:00:00Z', false],
    ['2031-01-02T10:00:00Z', false],
  ]
  for (const [time, isTold] of cases) {
    test(`on ${time} is ${isTold ? '' : 'not '}told of`, () => {
      for (const kind of ['roleExpiry', 'groupExpiry', 'roleReview'] as const) assert.equal(told(kind, time), isTold)
    })
  }

  test('is told of once a day', () => {
    assert.equal(told('roleExpiry', '2030-01-03T12:00:00Z', '2030-01-02T00:00:00Z'), false)
    assert.equal(told('roleExpiry', '2030-01-03T12:00:00Z', '2030-01-01T23:59:59Z'), true)
  })
})

describe('a request', () => {
  const cases: readonly (readonly [time: string, isTold: boolean])[] = [
    ['2030-01-02T09:00:00Z', false],
    ['2030-01-01T23:59:59Z', false],
    ['2029-12-26T23:00:00Z', true],
    ['2029-12-26T00:00:00Z', true],
    ['2029-12-27T00:00:00Z', false],
    ['2029-12-19T12:00:00Z', true],
    ['2029-12-18T12:00:00Z', false],
  ]
  for (const [time, isTold] of cases) {
    test(`of ${time} is ${isTold ? '' : 'not '}told of`, () => {
      for (const kind of ['pendingRole', 'pendingGroup'] as const) assert.equal(told(kind, time), isTold)
    })
  }

  test('is told of once a day', () => {
    assert.equal(told('pendingRole', '2029-12-26T09:00:00Z', '2030-01-02T09:00:00Z'), false)
    assert.equal(told('pendingRole', '2029-12-26T09:00:00Z', '2029-12-26T09:00:00Z'), true)
  })
})
