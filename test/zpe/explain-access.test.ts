import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { accessExplanationLines } from '#zpe/explain-access.ts'
import { TestCa } from '../core/authority/support.ts'
import { ZpeWorld } from './zpe-world.ts'

async function opened(rules: readonly string[], options = {}) {
  const world = new ZpeWorld()
  await world.putPolicies('sports', { rules, modified: world.clock.millis - 90_000 })
  await world.putPolicies('media', { rules: [] })
  return { world, zpe: await world.open(options) }
}

describe('an explanation', () => {
  test('of a grant names token, role, assertion and the age of the policies', async () => {
    const { world, zpe } = await opened(['ALLOW readers read data.*', 'ALLOW * list *'])
    world.clock.millis += 5_000
    const explanation = await zpe.explain(await world.roleToken({ roles: ['x', 'readers'] }), 'sports:data.a', 'READ')
    assert.equal(explanation.check.status, 'ALLOW')
    assert.equal(explanation.policies?.ageSeconds, 95)
    assert.deepEqual(accessExplanationLines(explanation), [
      'ALLOW: READ on sports:data.a: Access check was explicitly allowed: sports:policy.all has ALLOW read to readers on data.*',
      'role token of user.joe for sports, for another 3600 s',
      'holds role x, which 1 assertions are about',
      'holds role readers, which 2 assertions are about',
      `policies of ${new Date(world.clock.millis - 95_000).toISOString()} (95 s old, read 5 s ago)`,
    ])
  })

  test('of a denial without a match names what comes nearest', async () => {
    const { world, zpe } = await opened([
      'ALLOW writers write data.*',
      'ALLOW writers read data.*',
      'DENY readers read other',
      'ALLOW x y z',
    ])
    const { check, nearestMisses, assertions } = await zpe.explain(await world.roleToken(), 'sports:data.a', 'read')
    assert.equal(check.status, 'DENY_NO_MATCH')
    assert.deepEqual(
      assertions.map(({ misses }) => misses),
      [['action', 'role'], ['role'], ['resource'], ['action', 'resource', 'role']],
    )
    assert.deepEqual(
      nearestMisses.map(({ assertion, misses }) => [assertion.action, misses]),
      [
        ['read', ['role']],
        ['write', ['action', 'role']],
      ],
    )
  })

  test('of an invalid token says what is wrong with it, and nothing of its signature', async () => {
    const { world, zpe } = await opened([])
    const token = (await world.roleToken()).replace('r=readers', 'r=writers')
    const explanation = await zpe.explain(token, 'sports:a', 'read')
    assert.equal(explanation.check.status, 'DENY_ROLETOKEN_INVALID')
    assert.equal(explanation.credential, undefined)
    assert.match(explanation.reason, /the signature does not match \(key zts\.0 of sys\.auth\.zts\)$/)
    assert.ok(
      !accessExplanationLines(explanation)
        .join()
        .includes(token.split(';s=')[1] ?? '?'),
    )
  })

  const CASES: readonly (readonly [status: string, resource: string, domain: string, reason: RegExp])[] = [
    ['DENY_DOMAIN_MISMATCH', 'media:a', 'sports', /media:a is not of sports$/],
    ['DENY_DOMAIN_NOT_FOUND', 'weather:a', 'weather', /no policies of the domain: weather$/],
    ['DENY_DOMAIN_EMPTY', 'media:a', 'media', /have no assertions$/],
  ]
  for (const [status, resource, domain, reason] of CASES) {
    test(`says what ${status} means`, async () => {
      const { world, zpe } = await opened(['ALLOW readers read data.*'])
      const explanation = await zpe.explain(await world.roleToken({ domain }), resource, 'read')
      assert.equal(explanation.check.status, status)
      assert.match(explanation.reason, reason)
    })
  }

  test('of overdue policies says since when', async () => {
    const { world, zpe } = await opened(['ALLOW readers read *'], { denyAfterExpirySeconds: 0 })
    const expires = world.clock.millis + 7 * 86_400_000
    world.clock.millis = expires + 60_000
    const explanation = await zpe.explain(await world.roleToken(), 'sports:a', 'read')
    assert.equal(explanation.check.status, 'DENY_DOMAIN_EXPIRED')
    assert.match(explanation.reason, new RegExp(`they counted until ${new Date(expires).toISOString()}$`))
    assert.equal(explanation.policies?.overdueSeconds, 60)
  })

  test('of a certificate names its role', async () => {
    const { zpe } = await opened(['ALLOW readers read *'])
    const subject = [{ type: 'CN', value: 'sports:role.readers' }] as const
    const { certificate } = await (await TestCa.create()).issue({ subject })
    const { credential, check } = await zpe.explain(certificate, 'sports:a', 'read')
    assert.deepEqual(
      [check.status, credential?.kind, credential?.remainingSeconds],
      ['ALLOW', 'role-certificate', undefined],
    )
  })

  test('spells invisible characters out', async () => {
    const { world, zpe } = await opened(['ALLOW readers read *'])
    const [line] = accessExplanationLines(await zpe.explain(await world.roleToken(), 'sports:a\n\u202eb', 'read'))
    assert.match(line ?? '', /sports:a\\u\{a\}\\u\{202e\}b/)
  })
})
