import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { ServiceToken } from '#core/token/service-token.ts'
import { newSigner } from '../authority/support.ts'

test('a token is used for half of its life, and made anew when the clock was set back or the server does not take it', async () => {
  let now = 1_800_000_000_000
  const token = new ServiceToken({
    domain: 'sports',
    name: 'api',
    host: 'h',
    signer: newSigner,
    lifeSeconds: 86_400,
    now: () => now,
  })
  const first = await token.current()
  now += 11 * 3_600_000
  assert.equal(await token.current(), first)
  now += 3_600_000
  const second = await token.current()
  assert.notEqual(second, first)
  now -= 1000
  const third = await token.current()
  assert.notEqual(third, second)
  token.renew()
  assert.notEqual(await token.current(), third)
})

test('a token names the service, its life and its machine', async () => {
  const token = new ServiceToken({
    domain: 'sports',
    name: 'api',
    host: 'h',
    ip: '10.1.2.3',
    signer: newSigner,
    lifeSeconds: 600,
    now: () => 1_800_000_000_999,
  })
  const parsed = parsePrincipalToken(await token.current())
  assert.ok(parsed.ok)
  const { version, domain, name, host, ip, issueTimeSeconds, expiryTimeSeconds } = parsed.token
  assert.deepEqual(
    { version, domain, name, host, ip, issueTimeSeconds, expiryTimeSeconds },
    {
      version: 'S1',
      domain: 'sports',
      name: 'api',
      host: 'h',
      ip: '10.1.2.3',
      issueTimeSeconds: 1_800_000_000,
      expiryTimeSeconds: 1_800_000_600,
    },
  )
})
