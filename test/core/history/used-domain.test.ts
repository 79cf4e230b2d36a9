import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usedDomain } from '#core/history/used-domain.ts'

const CASES: readonly (readonly [target: string, domain: string | undefined])[] = [
  ['/zts/v1/domain/home.joe/token', 'home.joe'],
  ['/zts/v1/domain/Home.Joe/token?role=readers', 'home.joe'],
  ['/zts/v1/domain/sports/role/readers/token', 'sports'],
  ['/zts/v1/access/domain/sports/role/readers/principal/user.joe', 'sports'],
  ['/zts/v1/access/domain/sports/principal/user.joe', 'sports'],
  ['/zts/v1/domain/sports/signed_policy_data', 'sports'],
  ['/zts/v1/domain/sports/policy/signed', 'sports'],
  ['/zts/v1/oauth2/token?grant_type=client_credentials&scope=sports%3Arole.readers', 'sports'],
  ['/zts/v1/rolecert?roleName=sports:role.readers', 'sports'],
  ['/zms/v1/access/read/sports:scores?principal=user.joe', 'sports'],
  ['/zms/v1/access/read/sports:scores?domain=weather', 'weather'],
  ['/zms/v1/access/read?resource=sports%3Ascores&principal=user.joe', 'sports'],
  ['/zms/v1/access/read?resource=sports:scores&domain=weather', 'weather'],
  // Management of a domain, and what names none.
  ['/zms/v1/domain/sports', undefined],
  ['/zms/v1/domain/sports/policy/readers', undefined],
  ['/zms/v1/domain/sports/meta', undefined],
  ['/zms/v1/access/read?principal=user.joe', undefined],
  ['/zms/v1/access/read', undefined],
  ['/zts/v1/oauth2/token', undefined],
  ['/zts/v1/oauth2/token?scope=openid', undefined],
  ['/zms/v1/role?scope=sports:role.readers', undefined],
  // What clients make up.
  ['/zts/v1/domain//token', undefined],
  ['/zts/v1/domain/a%20b/token', undefined],
  ['/zts/v1/domain/__proto__/token', '__proto__'],
  ['/zms/v1/access/read/:scores', undefined],
  ['/zms/v1/access/read/spo rts:scores', undefined],
  ['*', undefined],
  ['', undefined],
]

for (const [target, domain] of CASES) {
  test(`${target || 'nothing'} is about ${domain ?? 'no domain'}`, () => assert.equal(usedDomain(target), domain))
}
