import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Consolidation, consolidate } from '#core/notification/consolidate.ts'
import type { Notice } from '#core/notification/notice.ts'
import { expiry, NOW } from './notices.ts'

const HOW: Consolidation = { by: 'principal', recipientsMax: 50, digest: false, now: NOW }

/** Who gets what, in short. */
const told = (notices: readonly Notice[], how: Partial<Consolidation> = {}) =>
  consolidate(notices, { ...HOW, ...how }).map(({ recipients, domain, sections }) => [
    ...(domain ? [domain.name] : []),
    recipients.join(' '),
    sections.map(({ topic, items }) => `${topic}: ${items.map(({ role }) => role).join(' ')}`).join('; '),
  ])

describe('notices', () => {
  test('become one notification for each person and topic', () => {
    const notices = [
      expiry('b', ['user.joe', 'user.jane']),
      expiry('a', ['user.joe']),
      expiry('b', ['user.joe'], { topic: 'roleExpiryAdmin' }),
    ]
    assert.deepEqual(told(notices), [
      ['user.joe', 'roleExpiry: a b'],
      ['user.joe', 'roleExpiryAdmin: b'],
      ['user.jane', 'roleExpiry: b'],
    ])
  })

  test('are shared by those who are told the same, some at a time', () => {
    const people = ['user.c', 'user.a', 'user.b']
    assert.deepEqual(told([expiry('r', people), expiry('s', people)]), [['user.a user.b user.c', 'roleExpiry: r s']])
    assert.deepEqual(told([expiry('r', people)], { recipientsMax: 2 }), [
      ['user.a user.b', 'roleExpiry: r'],
      ['user.c', 'roleExpiry: r'],
    ])
  })

  test('make one digest for each person', () => {
    const notices = [expiry('b', ['user.joe'], { topic: 'roleExpiryAdmin' }), expiry('b', ['user.joe', 'user.jane'])]
    assert.deepEqual(told(notices, { digest: true }), [
      ['user.joe', 'roleExpiry: b; roleExpiryAdmin: b'],
      ['user.jane', 'roleExpiry: b'],
    ])
  })

  test('go to domains where that is asked for, and to persons who speak for none', () => {
    const notices = [
      expiry('a', ['user.x', 'user.y'], { domain: 'sports' }),
      expiry('b', ['user.x'], { domain: 'sports' }),
      expiry('a', ['user.x'], { domain: 'music' }),
      expiry('c', ['user.joe']),
    ]
    assert.deepEqual(told(notices, { by: 'domain', recipientsMax: 1 }), [
      ['sports', 'user.x user.y', 'roleExpiry: a b'],
      ['music', 'user.x', 'roleExpiry: a'],
      ['user.joe', 'roleExpiry: c'],
    ])
  })

  test('that concern nobody are left out', () => {
    assert.deepEqual(told([expiry('a', [])]), [])
  })

  test('tell first what happens first', () => {
    const notices = [
      expiry('late', ['user.joe'], { days: 28 }),
      expiry('z', ['user.joe'], { days: 1 }),
      expiry('a', ['user.joe'], { days: 1 }),
    ]
    assert.deepEqual(told(notices), [['user.joe', 'roleExpiry: a z late']])
  })

  test('have an id of their own', () => {
    const ids = consolidate([expiry('a', ['user.x']), expiry('b', ['user.y'])], HOW).map(({ id }) => id)
    assert.equal(new Set(ids).size, 2)
  })
})
