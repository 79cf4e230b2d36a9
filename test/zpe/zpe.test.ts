import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseRoleToken } from '#core/token/role-token.ts'
import type { AccessCheck } from '#zpe/domain-policies.ts'
import { Zpe } from '#zpe/zpe.ts'
import { newSigner, TestCa } from '../core/authority/support.ts'
import { NOW_SECONDS, ZpeWorld } from './zpe-world.ts'

const RULES = [
  'ALLOW readers read data.*',
  'ALLOW writers * data.*',
  'DENY guests * *',
  'ALLOW guests read *',
  'ALLOW admin* drop *',
]

async function opened(rules: readonly string[] = RULES, options = {}) {
  const world = new ZpeWorld()
  await world.putPolicies('sports', { rules })
  await world.putPolicies('media', { rules: ['ALLOW readers read *'] })
  return { world, zpe: await world.open(options) }
}

const told = ({ status, matchedRole }: AccessCheck) => (matchedRole === undefined ? status : `${status} ${matchedRole}`)

describe('a role token', () => {
  test('is decided by the roles in it', async () => {
    const { world, zpe } = await opened()
    const ask = async (roles: string[], action: string, resource: string) =>
      told(await zpe.allowAccess(await world.roleToken({ roles }), resource, action))
    assert.equal(await ask(['readers'], 'read', 'sports:data.today'), 'ALLOW readers')
    assert.equal(await ask(['readers'], 'READ', 'Sports:Data.Today'), 'ALLOW readers')
    assert.equal(await ask(['readers'], 'read', 'data.today'), 'ALLOW readers')
    assert.equal(await ask(['readers'], 'write', 'sports:data.today'), 'DENY_NO_MATCH')
    assert.equal(await ask(['readers', 'writers'], 'write', 'sports:data.today'), 'ALLOW writers')
    assert.equal(await ask(['readers', 'guests'], 'read', 'sports:data.today'), 'DENY guests')
    assert.equal(await ask(['nobody', 'administrators'], 'drop', 'sports:all'), 'ALLOW admin*')
    assert.equal(await ask(['Readers'], 'read', 'sports:data.today'), 'DENY_NO_MATCH')
  })

  test('names the assertion and the policies that decided', async () => {
    const { world, zpe } = await opened()
    const check = await zpe.allowAccess(await world.roleToken(), 'sports:data.x', 'read')
    const { policy, role, action, resource, effect } = check.assertion ?? {}
    assert.deepEqual(
      [policy, role, action, resource, effect],
      ['sports:policy.all', 'readers', 'read', 'data.*', 'ALLOW'],
    )
    assert.equal(check.policies?.domain, 'sports')
    assert.equal(check.policies?.modifiedMillis, world.clock.millis)
    assert.equal(check.granted, true)
  })

  test('of another domain than the resource is refused', async () => {
    const { world, zpe } = await opened()
    const token = await world.roleToken()
    assert.equal(told(await zpe.allowAccess(token, 'media:data.x', 'read')), 'DENY_DOMAIN_MISMATCH')
    assert.equal(told(await zpe.allowAccess(token, 'sports.sub:data.x', 'read')), 'DENY_DOMAIN_MISMATCH')
    assert.equal(told(await zpe.allowAccess(token, ':data.x', 'read')), 'DENY_DOMAIN_MISMATCH')
  })

  test('may be asked about resources with a colon where there is one domain only', async () => {
    const world = new ZpeWorld()
    await world.putPolicies('sports', { rules: ['ALLOW readers read data:*', 'ALLOW readers list sports:a:b'] })
    const zpe = await world.open()
    const token = await world.roleToken()
    assert.equal(told(await zpe.allowAccess(token, 'other:data', 'read')), 'DENY_NO_MATCH')
    assert.equal(told(await zpe.allowAccess(token, 'a:b', 'list')), 'ALLOW readers')
    assert.equal(told(await zpe.allowAccess(token, 'sports:a:b', 'list')), 'ALLOW readers')
  })

  test('of a domain without policies is refused', async () => {
    const { world, zpe } = await opened()
    const token = await world.roleToken({ domain: 'weather' })
    assert.equal(told(await zpe.allowAccess(token, 'weather:rain', 'read')), 'DENY_DOMAIN_NOT_FOUND')
  })

  test('of a domain whose policies are empty is refused', async () => {
    const { world, zpe } = await opened([])
    assert.equal(told(await zpe.allowAccess(await world.roleToken(), 'sports:x', 'read')), 'DENY_DOMAIN_EMPTY')
  })

  test('needs an action and a resource', async () => {
    const { world, zpe } = await opened()
    const token = await world.roleToken()
    for (const [resource, action] of [
      ['', 'read'],
      ['sports:x', ''],
      [undefined as unknown as string, 'read'],
    ] as const) {
      assert.equal(told(await zpe.allowAccess(token, resource, action)), 'DENY_INVALID_PARAMETERS')
    }
  })

  const REFUSED: readonly (readonly [what: string, status: string, claims: object, late?: number])[] = [
    ['that has expired', 'DENY_ROLETOKEN_EXPIRED', { expiryTimeSeconds: NOW_SECONDS - 1 }],
    ['that never expires', 'DENY_ROLETOKEN_INVALID', { expiryTimeSeconds: 0 }],
    ['of the future', 'DENY_ROLETOKEN_INVALID', { issueTimeSeconds: NOW_SECONDS + 301 }],
    ['that lives for too long', 'DENY_ROLETOKEN_INVALID', { expiryTimeSeconds: NOW_SECONDS + 30 * 86_400 + 301 }],
  ]
  for (const [what, status, claims] of REFUSED) {
    test(`${what} is refused`, async () => {
      const { world, zpe } = await opened()
      assert.equal(told(await zpe.allowAccess(await world.roleToken(claims), 'sports:data.x', 'read')), status)
    })
  }

  test('is good until its very second of expiry, and within the offset of clocks', async () => {
    const { world, zpe } = await opened()
    const ask = async (claims: object) =>
      told(await zpe.allowAccess(await world.roleToken(claims), 'sports:data.x', 'read'))
    assert.equal(await ask({ expiryTimeSeconds: NOW_SECONDS }), 'ALLOW readers')
    assert.equal(await ask({ issueTimeSeconds: NOW_SECONDS + 300 }), 'ALLOW readers')
  })

  test('that is known still expires', async () => {
    const { world, zpe } = await opened()
    const token = await world.roleToken()
    const ask = () => zpe.allowAccess(token, 'sports:data.x', 'read')
    assert.ok((await ask()).granted)
    assert.ok(!(ask() instanceof Promise), 'a known token is answered at once')
    world.clock.millis += 3_601_000
    assert.equal(told(await ask()), 'DENY_ROLETOKEN_EXPIRED')
  })

  test('that somebody else signed, or changed, is refused', async () => {
    const { world, zpe } = await opened()
    const good = await world.roleToken()
    const texts = [
      await world.roleToken({}, newSigner('zts.0')),
      await world.roleToken({}, newSigner('unknown')),
      await world.roleToken({}, newSigner('../../zts.0')),
      good.replace('r=readers', 'r=writers'),
      `${good};x=1`,
      good.slice(0, -4),
      good.replace(/;s=.*/, ''),
      good.replace('v=Z1', 'v=Z2'),
      'v=Z1;',
    ]
    for (const text of texts) {
      assert.equal(told(await zpe.allowAccess(text, 'sports:data.x', 'read')), 'DENY_ROLETOKEN_INVALID', text)
    }
    const expired = await world.roleToken({ expiryTimeSeconds: NOW_SECONDS - 1 }, newSigner('zts.0'))
    assert.equal(told(await zpe.allowAccess(expired, 'sports:data.x', 'read')), 'DENY_ROLETOKEN_EXPIRED')
  })

  test('is refused when there is none', async () => {
    const { zpe } = await opened()
    for (const nothing of ['', undefined, null]) {
      const check = await zpe.allowAccess(nothing as string, 'sports:data.x', 'read')
      assert.equal(told(check), 'DENY_ROLETOKEN_INVALID')
    }
  })
})

describe('several credentials', () => {
  test('are asked one after the other until one denies', async () => {
    const { world, zpe } = await opened()
    const token = async (...roles: string[]) => world.roleToken({ roles })
    const [reader, writer, guest, nobody] = [
      await token('readers'),
      await token('writers'),
      await token('guests'),
      await token('nobody'),
    ]
    const ask = async (tokens: string[], action = 'write') =>
      told(await zpe.allowAccess(tokens, 'sports:data.x', action))
    assert.equal(await ask([]), 'DENY_NO_MATCH')
    assert.equal(await ask([reader, writer]), 'ALLOW writers')
    assert.equal(await ask([writer, nobody, 'x']), 'ALLOW writers')
    assert.equal(await ask([writer, guest]), 'DENY guests')
    assert.equal(await ask([nobody, 'x']), 'DENY_ROLETOKEN_INVALID')
    assert.equal(await ask(['x', nobody]), 'DENY_NO_MATCH')
  })
})

describe('policies alone', () => {
  test('are asked with roles', async () => {
    const { zpe } = await opened()
    assert.equal(told(zpe.allowAction('READ', 'sports', 'sports:data.x', ['x', 'readers'])), 'ALLOW readers')
    assert.equal(told(zpe.allowAction('read', 'sports', 'sports:data.x', [])), 'DENY_ROLETOKEN_INVALID')
    assert.equal(told(zpe.allowAction('read', '', 'sports:data.x', ['readers'])), 'DENY_ROLETOKEN_INVALID')
    assert.equal(told(zpe.allowAction('', 'sports', 'sports:data.x', ['readers'])), 'DENY_INVALID_PARAMETERS')
    assert.equal(told(zpe.allowAction('read', 'sports', 'media:data.x', ['readers'])), 'DENY_DOMAIN_MISMATCH')
    assert.equal(told(zpe.allowAction('read', 'weather', 'x', ['readers'])), 'DENY_DOMAIN_NOT_FOUND')
  })
})

describe('a validated token', () => {
  test('is given, and decides without its signature', async () => {
    const { world, zpe } = await opened()
    const token = await zpe.validateRoleToken(await world.roleToken())
    assert.ok(token)
    assert.deepEqual([token.domain, token.roles, token.principal], ['sports', ['readers'], 'user.joe'])
    assert.equal(told(await zpe.allowAccess(token, 'sports:data.x', 'read')), 'ALLOW readers')
    world.clock.millis += 3_601_000
    assert.equal(told(await zpe.allowAccess(token, 'sports:data.x', 'read')), 'DENY_ROLETOKEN_EXPIRED')
  })

  test('is not given when it does not hold, or is of another kind', async () => {
    const { world, zpe } = await opened()
    assert.equal(await zpe.validateRoleToken(await world.roleToken({}, newSigner('zts.0'))), undefined)
    assert.equal(await zpe.validateRoleToken(await world.accessToken()), undefined)
    assert.equal(await zpe.validateAccessToken(await world.roleToken()), undefined)
    assert.equal(await zpe.validateRoleToken(''), undefined)
    const text = await world.roleToken()
    assert.ok(await zpe.validateRoleToken(text))
    world.clock.millis += 3_601_000
    assert.equal(await zpe.validateRoleToken(text), undefined)
    const parsed = parseRoleToken(text)
    assert.ok(parsed.ok)
  })
})

describe('a role certificate', () => {
  const subject = (...names: string[]) => names.map((value) => ({ type: 'CN', value }) as const)

  test('is decided by the role that it names', async () => {
    const { zpe } = await opened()
    const ca = await TestCa.create()
    const ask = async (...names: string[]) => {
      const { certificate } = await ca.issue({ subject: subject(...names) })
      return told(await zpe.allowAccess(certificate, 'sports:data.x', 'read'))
    }
    assert.equal(await ask('sports:role.readers'), 'ALLOW readers')
    assert.equal(await ask('sports:role.guests'), 'DENY guests')
    assert.equal(await ask('media:role.readers'), 'DENY_DOMAIN_MISMATCH')
    assert.equal(await ask('sports.api'), 'DENY_CERT_MISSING_ROLE_NAME')
    assert.equal(await ask('sports:role.'), 'DENY_CERT_MISSING_ROLE_NAME')
    assert.equal(await ask(':role.readers'), 'DENY_CERT_MISSING_DOMAIN')
    assert.equal(await ask('sports:role.readers', 'sports:role.writers'), 'DENY_CERT_MISSING_SUBJECT')
    assert.equal(await ask(), 'DENY_CERT_MISSING_SUBJECT')
  })

  test('must be of an issuer that is accepted', async () => {
    const issuer = [
      { type: 'C', value: 'US' },
      { type: 'O', value: 'Athenz' },
      { type: 'CN', value: 'Sports CA' },
    ] as const
    const { certificate } = await (await TestCa.create(issuer)).issue({ subject: subject('sports:role.readers') })
    const ask = async (...certificateIssuers: string[]) => {
      const { zpe } = await opened(RULES, { certificateIssuers })
      return told(await zpe.allowAccess(certificate, 'sports:data.x', 'read'))
    }
    assert.equal(await ask('CN=Other,O=Athenz,C=US', 'CN=Sports CA, O=Athenz, C=US'), 'ALLOW readers')
    assert.equal(await ask('O=Athenz,C=US,CN=Sports CA'), 'ALLOW readers')
    assert.equal(await ask('CN=SportsCA,O=Athenz,C=US'), 'ALLOW readers')
    assert.equal(await ask('o=athenz,c=us,cn=sports CA'), 'ALLOW readers')
    assert.equal(await ask('CN=Sports CA,O=Athenz'), 'DENY_CERT_MISMATCH_ISSUER')
    await assert.rejects(Zpe.open({ certificateIssuers: ['sports'] }), /"sports" is not a distinguished name/)
  })
})

describe('what is counted', () => {
  test('are checks by status, files, and known tokens', async () => {
    const { world, zpe } = await opened()
    const token = await world.roleToken()
    await zpe.allowAccess(token, 'sports:data.x', 'read')
    await zpe.allowAccess(token, 'sports:data.x', 'write')
    await zpe.allowAccess(await world.accessToken(), 'sports:data.x', 'read')
    await zpe.allowAccess('x', 'sports:data.x', 'write')
    const { checks, files, cachedTokens } = zpe.counts
    assert.deepEqual([checks.ALLOW, checks.DENY_NO_MATCH, checks.DENY_ROLETOKEN_INVALID, checks.DENY], [2, 1, 1, 0])
    assert.deepEqual([files, cachedTokens], [{ loaded: 2, failed: 0 }, 2])
  })

  test('tokens are kept up to a limit', async () => {
    const { world, zpe } = await opened(RULES, { maxCachedTokens: 2 })
    for (let salt = 0; salt < 4; salt++) {
      const token = await world.roleToken({ salt: String(salt) })
      assert.ok((await zpe.allowAccess(token, 'sports:data.x', 'read')).granted)
    }
    assert.equal(zpe.counts.cachedTokens, 2)
  })
})
