import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { tokenLifeSeconds } from '#zts/service/token-life.ts'
import { domainsOf } from '../../support/zts-domains.ts'

const LIMITS = { defaultSeconds: 7200, maxSeconds: 86_400 }

function domainWith(roleMinutes: readonly number[], domainMinutes = 0) {
  const roles = roleMinutes.map((tokenExpiryMins, index) => ({ name: `sports:role.r${index}`, tokenExpiryMins }))
  const domain = domainsOf({ name: 'sports', tokenExpiryMins: domainMinutes, roles }).get('sports')
  assert.ok(domain)
  return { domain, roles: [...domain.roles.keys()] }
}

describe('tokenLifeSeconds', () => {
  it('is never beyond what is asked for, nor any limit, and never nothing', () => {
    const seconds = fc.integer({ min: -10, max: 2 ** 31 - 1 })
    const minutes = fc.nat({ max: 3000 })
    fc.assert(
      fc.property(
        seconds,
        seconds,
        fc.array(minutes, { maxLength: 4 }),
        minutes,
        (min, max, roleMinutes, domainMinutes) => {
          const { domain, roles } = domainWith(roleMinutes, domainMinutes)
          const life = tokenLifeSeconds({ minSeconds: min, maxSeconds: max }, LIMITS, domain, roles)
          const limits = roleMinutes.filter((limit) => limit > 0)
          const limitMinutes = limits.length > 0 ? Math.min(...limits) : domainMinutes
          const wanted = max > 0 ? max : Math.max(min, LIMITS.defaultSeconds)
          const expected = Math.min(wanted, LIMITS.maxSeconds, limitMinutes > 0 ? limitMinutes * 60 : Infinity)
          assert.equal(life, expected)
          assert.ok(life > 0)
        },
      ),
    )
  })

  it('does not mind the limits of roles that are not in the token', () => {
    const { domain } = domainWith([1, 0])
    assert.equal(tokenLifeSeconds({}, LIMITS, domain, ['r1']), 7200)
    assert.equal(tokenLifeSeconds({}, LIMITS, domain, ['r0', 'r1']), 60)
  })
})
