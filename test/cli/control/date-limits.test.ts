import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MemberForm } from '../../../src/cli/control/collection-form.ts'
import { allowedMembers } from '../../../src/cli/control/date-limits.ts'

const now = Date.parse('2026-01-01T00:00:00.500Z')
const FOREVER = '2090-01-01T00:00:00.000Z'
const inDays = (days: number) => new Date(Math.floor(now / 1000) * 1000 + days * 86_400_000).toISOString()

/** The date on which a membership will end that is wished for until `wish`. */
function expiration(
  wish: string,
  settings: { collection?: object; domain?: object; name?: string; known?: string } = {},
): string | undefined {
  const { collection = {}, domain = {}, name = 'user.jane', known } = settings
  const before = known === undefined ? [] : [{ name, expiration: known }]
  const [member] = allowedMembers([{ name, expiration: wish }], before, {
    collection: { ...collection },
    domain: { ...domain },
    now,
  })
  return (member as MemberForm).expiration
}

describe('the date of a membership that a file wishes for', () => {
  test('is that of the file where nothing limits it, or not that much', () => {
    assert.equal(expiration(FOREVER), FOREVER)
    assert.equal(expiration(inDays(10), { domain: { memberExpiryDays: 30 } }), inDays(10))
    assert.equal(expiration(inDays(10), { domain: { memberExpiryDays: 30 }, known: inDays(20) }), inDays(10))
    assert.equal(expiration(FOREVER, { domain: { memberExpiryDays: 0 } }), FOREVER)
  })

  test('is no later than the role or group allows, or else the domain, by the kind of the member', () => {
    const domain = { memberExpiryDays: 10, serviceExpiryDays: 20, groupExpiryDays: 30 }
    assert.equal(expiration(FOREVER, { domain }), inDays(10))
    assert.equal(expiration(FOREVER, { domain, name: 'weather.api' }), inDays(20))
    assert.equal(expiration(FOREVER, { domain, name: 'user.jane.app' }), inDays(20))
    assert.equal(expiration(FOREVER, { domain, name: 'weather:group.team' }), inDays(30))
    assert.equal(expiration(FOREVER, { domain, collection: { memberExpiryDays: 50 } }), inDays(50))
  })

  test('stays while half of the allowed time is left, and is put off then', () => {
    const domain = { memberExpiryDays: 10 }
    for (const [known, expected] of [
      [10, 10],
      [9, 9],
      [6, 6],
      [4, 10],
      [-1, 10],
      // The limit has become a shorter one: ZMS shortens dates itself when it has to.
      [40, 40],
    ] as const) {
      assert.equal(expiration(FOREVER, { domain, known: inDays(known) }), inDays(expected), `${known}`)
    }
  })

  test('of reviews has limits of its own, which a domain does not have', () => {
    const member = { name: 'user.jane', reviewReminder: FOREVER }
    const limited = (collection: Readonly<Record<string, unknown>>, domain = {}) =>
      allowedMembers([member], [], { collection, domain, now })
    assert.deepEqual(limited({ memberReviewDays: 5 }), [{ name: 'user.jane', reviewReminder: inDays(5) }])
    assert.deepEqual(limited({ memberExpiryDays: 5 }, { memberReviewDays: 5 }), [member])
  })

  test('is the one that is there for members wished for by name alone', () => {
    const known = [{ name: 'user.jane', expiration: inDays(3) }]
    const wished = ['user.jane', 'user.joe']
    const limits = { collection: { memberExpiryDays: 90 }, domain: {}, now }
    assert.deepEqual(allowedMembers(wished, known, limits), [known[0], 'user.joe'])
  })
})
