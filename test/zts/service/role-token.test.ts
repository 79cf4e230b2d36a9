import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import type { RoleToken } from '#core/token/role-token.ts'
import { validateRoleToken } from '#core/token/validate-role-token.ts'
import { type Answer, type CallOptions, refusal, START_MILLIS } from './harness.ts'
import { TokenServer, type TokenServerOptions } from './token-parts.ts'

const NOW = START_MILLIS / 1000

const member = (...names: string[]) => names.map((memberName) => ({ memberName }))
const role = (name: string, members: object[], more: object = {}) => ({
  name: `sports:role.${name}`,
  roleMembers: members,
  ...more,
})

const SPORTS = {
  name: 'sports',
  tokenExpiryMins: 60,
  roles: [
    role('reader', member('sports.api', 'user.alice', 'user.proxy')),
    role('super-reader', member('sports.api')),
    role('writer', member('sports.api', 'user.proxy')),
    role('short', member('user.short'), { tokenExpiryMins: 30 }),
    role('medium', member('user.short'), { tokenExpiryMins: 90 }),
    role('plain', member('user.short')),
    role('hers', member('user.alice')),
  ],
}
const MEDIA = { name: 'media', roles: [{ name: 'media:role.reader', roleMembers: member('sports.api') }] }

const open = (options: TokenServerOptions = {}) => TokenServer.open({ domains: [SPORTS, MEDIA], ...options })

const ask = ({ harness }: TokenServer, target: string, options: CallOptions = { as: 'sports.api' }): Promise<Answer> =>
  harness.get(`/domain/${target}`, options)

/** The token of an answer, which must hold. */
async function granted(server: TokenServer, target: string, options?: CallOptions): Promise<RoleToken> {
  const { status, body } = await ask(server, target, options)
  assert.equal(status, 200, JSON.stringify(body))
  const outcome = await validateRoleToken(body.token, {
    nowSeconds: server.harness.clock.millis / 1000,
    allowedOffsetSeconds: 0,
    maxExpirySeconds: 2_592_000,
    publicKey: (domain, service, keyId) => server.parts.keyStore.publicKey(domain, service, keyId),
  })
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.failure.reason)
  assert.equal(outcome.token.expiryTimeSeconds, body.expiryTime)
  return outcome.token
}

/** What the authority for role tokens says of every bearer. */
const PRINCIPAL = {
  authority: { id: 'Auth-ROLE', credentialSource: 'header', allowAuthorization: true },
  issueTimeSeconds: 0,
} as const

describe('getRoleToken', () => {
  it('names all roles of the caller, complete', async () => {
    const { salt, signature, signedText, ...token } = await granted(await open(), 'sports/token')
    assert.match(salt ?? '', /^[0-9a-f]{1,16}$/)
    assert.match(signature, /^[A-Za-z0-9._-]+$/)
    assert.deepEqual(
      signedText.split(';').map((field) => field.split('=')[0]),
      ['v', 'd', 'r', 'c', 'p', 'h', 'a', 't', 'e', 'k', 'i'],
    )
    assert.deepEqual(token, {
      version: 'Z1',
      domain: 'sports',
      roles: ['reader', 'super-reader', 'writer'],
      completeRoleSet: true,
      principal: 'sports.api',
      host: 'zts.example.com',
      proxyUser: undefined,
      issueTimeSeconds: NOW,
      expiryTimeSeconds: NOW + 3600,
      keyId: 'ec0',
      ip: '192.0.2.1',
    })
  })

  it('is signed with the RSA key where that is preferred', async () => {
    const keys = {
      rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
      ec: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
    }
    const server = await open({ keys, properties: { key_algo_proprietary_objects: 'RSA' } })
    assert.equal((await granted(server, 'sports/token')).keyId, '0')
    assert.equal((await granted(await open({ keys }), 'sports/token')).keyId, 'ec0')
  })

  for (const [filter, roles] of [
    ['writer', ['writer']],
    ['WRITER', ['writer']],
    ['reader', ['reader', 'super-reader']],
    ['reader,writer', ['reader', 'super-reader', 'writer']],
    ['writer,nosuch', ['writer']],
  ] as const) {
    it(`names the roles that end with ${filter}, not complete`, async () => {
      const token = await granted(await open(), `sports/token?role=${filter}`)
      assert.deepEqual(token.roles, roles)
      assert.equal(token.completeRoleSet, false)
    })
  }

  it('takes a filter without text as none', async () => {
    assert.equal((await granted(await open(), 'sports/token?role=')).completeRoleSet, true)
  })

  it('does not call roles complete where that is switched off', async () => {
    const server = await open({ properties: { role_complete_flag: 'false' } })
    assert.equal((await granted(server, 'sports/token')).completeRoleSet, false)
  })

  it('takes names in any letter case', async () => {
    assert.equal((await granted(await open(), 'SPORTS/token')).domain, 'sports')
  })

  describe('life', () => {
    for (const [query, seconds] of [
      ['', 3600],
      ['&maxExpiryTime=600', 600],
      ['&maxExpiryTime=1', 1],
      ['&maxExpiryTime=7200', 3600],
      ['&minExpiryTime=600', 3600],
      ['&maxExpiryTime=0', 3600],
      ['&maxExpiryTime=-5', 3600],
      ['&minExpiryTime=-5', 3600],
    ] as const) {
      it(`is ${seconds} s with the limit of the domain and "${query}"`, async () => {
        const token = await granted(await open(), `sports/token?role=writer${query}`)
        assert.equal(token.expiryTimeSeconds - token.issueTimeSeconds, seconds)
      })
    }

    for (const [query, seconds] of [
      ['', 7200],
      ['?minExpiryTime=10800', 10_800],
      ['?minExpiryTime=600&maxExpiryTime=1200', 1200],
      ['?minExpiryTime=10800&maxExpiryTime=9000', 9000],
      ['?maxExpiryTime=86401', 86_400],
      ['?minExpiryTime=2147483647', 86_400],
    ] as const) {
      it(`is ${seconds} s without such a limit and "${query}"`, async () => {
        const server = await open({ properties: { role_token_max_timeout: '86400' } })
        const token = await granted(server, `media/token${query}`)
        assert.equal(token.expiryTimeSeconds - token.issueTimeSeconds, seconds)
      })
    }

    for (const [roles, seconds] of [
      ['short', 1800],
      ['medium', 5400],
      ['short,medium', 1800],
      ['plain,medium', 5400],
      ['plain', 3600],
    ] as const) {
      it(`is ${seconds} s with the limits of the roles ${roles}`, async () => {
        const token = await granted(await open(), `sports/token?role=${roles}`, { as: 'user.short' })
        assert.equal(token.expiryTimeSeconds - token.issueTimeSeconds, seconds)
      })
    }
  })

  describe('for another principal', () => {
    const proxying = () => open({ properties: { authorized_proxy_users: 'user.Proxy' } })
    const proxy = { as: 'user.proxy' }

    it('names the roles that both have, and who asked', async () => {
      const token = await granted(await proxying(), 'sports/token?proxyForPrincipal=sports.api', proxy)
      assert.deepEqual(token.roles, ['reader', 'writer'])
      assert.equal(token.principal, 'sports.api')
      assert.equal(token.proxyUser, 'user.proxy')
      assert.equal(token.completeRoleSet, true)
      assert.match(token.signedText, /;h=[^;]+;proxy=user\.proxy;a=/)
    })

    it('takes the name in any letter case, and no name as none', async () => {
      const server = await proxying()
      assert.equal((await granted(server, 'sports/token?proxyForPrincipal=USER.ALICE', proxy)).principal, 'user.alice')
      assert.equal((await granted(server, 'sports/token?proxyForPrincipal=', proxy)).proxyUser, undefined)
    })

    it('takes the alias of the user domain for it', async () => {
      const { config } = (await proxying()).parts
      const server = await open({ parts: { config: { ...config, userDomainAlias: 'people' } } })
      const token = await granted(server, 'sports/token?proxyForPrincipal=People.alice', proxy)
      assert.equal(token.principal, 'user.alice')
    })

    it('is only for those who may', async () => {
      assert.deepEqual(
        await ask(await proxying(), 'sports/token?proxyForPrincipal=user.alice'),
        refusal(403, 'getRoleToken: Principal: sports.api not authorized for proxy role token request'),
      )
    })

    it('says who of both has none of the roles', async () => {
      const server = await proxying()
      const none = (who: string, what: string) =>
        refusal(403, `getroletoken: principal ${who} is not included in ${what} in domain sports`)
      assert.deepEqual(
        await ask(server, 'sports/token?proxyForPrincipal=user.alice&role=hers', proxy),
        none('user.proxy', 'the requested role(s)'),
      )
      assert.deepEqual(
        await ask(server, 'sports/token?proxyForPrincipal=user.alice&role=writer', proxy),
        none('user.alice', 'the requested role(s)'),
      )
      assert.deepEqual(
        await ask(server, 'sports/token?proxyForPrincipal=user.nobody', proxy),
        none('user.nobody', 'any role'),
      )
    })
  })

  describe('is refused', () => {
    it('without any role in the domain', async () => {
      assert.deepEqual(
        await ask(await open(), 'sports/token', { as: 'user.nobody' }),
        refusal(403, 'getroletoken: principal user.nobody is not included in any role in domain sports'),
      )
    })

    it('without any of the roles', async () => {
      for (const roles of ['nosuch', 'writer,super-reader']) {
        assert.deepEqual(
          await ask(await open(), `sports/token?role=${roles}`, { as: 'user.alice' }),
          refusal(403, 'getroletoken: principal user.alice is not included in the requested role(s) in domain sports'),
        )
      }
    })

    it('for a domain that is not there', async () => {
      assert.deepEqual(await ask(await open(), 'nosuch/token'), refusal(404, 'getRoleToken: No such domain: nosuch'))
    })

    it('for names that are none', async () => {
      for (const query of [
        'role=sports:role.writer',
        'role=writer,',
        'role=wri%20ter',
        'proxyForPrincipal=user/alice',
      ]) {
        const { status, body } = await ask(await open(), `sports/token?${query}`)
        assert.equal(status, 400)
        assert.match(body.message, /^Invalid Entity(List|Name) error: /)
      }
    })

    it('without a role where clients must name one', async () => {
      const server = await open({ properties: { least_privilege_principle: 'true' } })
      assert.deepEqual(
        await ask(server, 'sports/token'),
        refusal(400, 'getRoleToken: Client must specify a roleName to request a token for'),
      )
      assert.deepEqual((await granted(server, 'sports/token?role=writer')).roles, ['writer'])
    })

    it('to a service that acts for a principal in another domain', async () => {
      const principal = { authorizedService: 'media.ui' }
      assert.deepEqual(
        await ask(await open(), 'sports/token', { as: 'sports.api', principal }),
        refusal(403, 'Authorized service domain media does not match request domain sports'),
      )
      const own = { as: 'sports.api', principal: { authorizedService: 'sports.ui' } }
      assert.equal((await granted(await open(), 'sports/token', own)).principal, 'sports.api')
    })

    it('to a role certificate that does not stand for all roles', async () => {
      const withRole = { as: 'sports.api', principal: { roles: ['sports:role.writer'] } }
      assert.deepEqual(
        await ask(await open(), 'sports/token', withRole),
        refusal(403, 'getRoleToken: Role based Principal does not include all roles'),
      )
      assert.deepEqual((await granted(await open(), 'sports/token?role=writer', withRole)).roles, ['writer'])
    })

    it('to the bearer of a role token', async () => {
      const bearer = {
        context: { principal: { ...PRINCIPAL, domain: 'sports', fullName: 'sports', roles: ['reader'] } },
      }
      assert.deepEqual(
        await ask(await open(), 'sports/token', bearer),
        refusal(403, 'getroletoken: principal sports is not included in any role in domain sports'),
      )
    })

    it('to a user for whom an OpenID provider vouches', async () => {
      const authority = { id: 'Auth-OIDC-corp', credentialSource: 'header', allowAuthorization: true } as const
      assert.deepEqual(
        await ask(await open(), 'sports/token', { as: 'user.alice', principal: { authority } }),
        refusal(403, 'Role Identity not authorized for request'),
      )
    })

    it('without a caller', async () => {
      assert.deepEqual(
        await ask(await open(), 'sports/token', { anonymous: true }),
        refusal(401, 'Unauthenticated request'),
      )
    })
  })
})
