import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createSigner } from '#core/crypto/signing.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { type PrincipalTokenClaims, signPrincipalToken } from '#core/token/sign-principal-token.ts'
import { validatePrincipalToken } from '#core/token/validate-principal-token.ts'
import { Sessions } from '#ui/sessions.ts'

const SERVICE = 'sys.auth.ui-server'
const keyOf = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const [zms, page] = [keyOf(), keyOf()]
const NOW_SECONDS = 1_800_000_000

const token = (claims: Partial<PrincipalTokenClaims> = {}) =>
  signPrincipalToken(
    {
      version: 'U1',
      domain: 'user',
      name: 'joe',
      issueTimeSeconds: NOW_SECONDS,
      expiryTimeSeconds: NOW_SECONDS + 3600,
      authorizedServices: [SERVICE],
      ...claims,
    },
    createSigner(zms.privateKey, '0'),
  )

function sessions(nowSeconds = NOW_SECONDS, longestMinutes = 60): Sessions {
  return new Sessions({
    service: SERVICE,
    signer: createSigner(page.privateKey, 'v1'),
    key: page.privateKey,
    longestMillis: longestMinutes * 60_000,
    clock: () => nowSeconds * 1000,
  })
}

describe('a session', () => {
  it('is the user token in a cookie that scripts, other sites and plain connections do not get', async () => {
    const text = await token()
    const session = sessions().of(text)
    assert.ok(session)
    assert.equal(session.principal, 'user.joe')
    const cookie = sessions().cookie(session)
    assert.match(cookie, /^__Host-athenz-session=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=3600$/)
    const [pair = ''] = cookie.split(';')
    assert.equal(sessions().read(`other=1; ${pair}`)?.token, text)
    assert.equal(sessions().read(pair.replace('__Host-', ''))?.token, undefined)
  })

  it('ends with the token, and with the longest time of the page', async () => {
    const text = await token()
    assert.equal(sessions(NOW_SECONDS + 3599).of(text)?.principal, 'user.joe')
    assert.equal(sessions(NOW_SECONDS + 3600).of(text), undefined)
    assert.equal(sessions(NOW_SECONDS + 599, 10).of(text)?.endMillis, (NOW_SECONDS + 600) * 1000)
    assert.equal(sessions(NOW_SECONDS + 600, 10).of(text), undefined)
  })

  it('is not made of a token for other services or none, with a signature of a service, or of other text', async () => {
    const page1 = sessions()
    assert.equal(page1.of(await token({ authorizedServices: ['sys.auth.other'] })), undefined)
    assert.equal(page1.of(await token({ authorizedServices: [] })), undefined)
    const session = page1.of(await token())
    assert.ok(session)
    assert.equal(page1.of(await page1.credential(session)), undefined)
    for (const other of [undefined, '', 'x', 'v=U1;d=user;n=joe', 'a'.repeat(20_000)]) {
      assert.equal(page1.of(other), undefined)
    }
  })

  it('is read of cookies that the page has made itself, by every process with its key', async () => {
    const page1 = sessions()
    const session = page1.of(await token())
    assert.ok(session)
    const [name = '', value = ''] = (page1.cookie(session).split(';')[0] ?? '').split('=')
    assert.equal(sessions().read(`${name}=${value}`)?.token, session.token)
    const seal = decodeURIComponent(value).slice(0, -session.token.length)
    const other = await token({ name: 'jane' })
    for (const forged of [
      session.token,
      seal + other,
      session.csrfToken + session.token,
      seal,
      `${seal}${session.token}x`,
    ]) {
      assert.equal(page1.read(`${name}=${encodeURIComponent(forged)}`), undefined)
    }
  })

  it('is shown to ZMS with the signature of the service of the page', async () => {
    const page1 = sessions()
    for (const services of [[SERVICE], ['a.b', SERVICE]]) {
      const session = page1.of(await token({ authorizedServices: services }))
      assert.ok(session)
      const outcome = await validatePrincipalToken(await page1.credential(session), {
        userDomain: 'user',
        nowSeconds: NOW_SECONDS,
        allowedOffsetSeconds: 300,
        maxExpirySeconds: 86_400,
        publicKey: async (domain, service, keyId) =>
          service === 'zms'
            ? zms.publicKey
            : `${domain}.${service}:${keyId}` === `${SERVICE}:v1`
              ? page.publicKey
              : undefined,
        request: { remoteAddress: '192.0.2.1', method: 'PUT' },
      })
      assert.ok(outcome.ok)
      assert.equal(outcome.authorizedService, SERVICE)
    }
  })

  it('is over here, too, when somebody has signed out', async () => {
    const page1 = sessions()
    const text = await token()
    const session = page1.of(text)
    assert.ok(session)
    page1.end(session)
    assert.equal(page1.of(text), undefined)
    assert.equal(page1.of(await token({ name: 'jane' }))?.principal, 'user.jane')
    assert.match(page1.endCookie, /^__Host-athenz-session=; .*Max-Age=0$/)
  })

  it('has a token for its forms that no other session has, and every process with the key makes the same', async () => {
    const [page1, page2] = [sessions(), sessions()]
    const [joe, jane] = [page1.of(await token()), page1.of(await token({ name: 'jane' }))]
    assert.ok(joe && jane)
    assert.ok(page2.isFormOf(joe, joe.csrfToken))
    for (const wrong of [undefined, '', 'x', jane.csrfToken, `${joe.csrfToken}x`]) {
      assert.equal(page2.isFormOf(joe, wrong), false)
    }
    assert.equal(parsePrincipalToken(joe.token).ok && joe.token.includes(joe.csrfToken), false)
  })
})
