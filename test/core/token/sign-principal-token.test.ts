import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { signAuthorizedService, signPrincipalToken } from '#core/token/sign-principal-token.ts'

/** Signs nothing, so that the text of a token is the same in every run. */
const FIXED: Signer = {
  ...createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'zms.1'),
  sign: () => Buffer.from('signature?>'),
}

const tokenFor = (services: string) => `v=U1;d=user;n=joe;e=2;b=${services};s=YWJj`

describe('signPrincipalToken', () => {
  it('writes all fields in the order of existing servers', async () => {
    const text = await signPrincipalToken(
      {
        version: 'U1',
        domain: 'user',
        name: 'joe',
        host: 'zms.example.com',
        salt: '1f2e',
        issueTimeSeconds: 1_700_000_000,
        expiryTimeSeconds: 1_700_000_600,
        keyService: 'zms',
        originalRequestor: 'user.jane',
        ip: '2001:db8::1',
        authorizedServices: ['ui.web', 'ui.cli'],
      },
      FIXED,
    )
    assert.equal(
      text,
      'v=U1;d=user;n=joe;h=zms.example.com;a=1f2e;t=1700000000;e=1700000600;k=zms.1;z=zms;o=user.jane;i=2001:db8::1;b=ui.web,ui.cli;s=c2lnbmF0dXJlPz4-',
    )
  })

  it('leaves out what is not given and lives an hour', async () => {
    const text = await signPrincipalToken(
      { version: 'S1', domain: 'sports', name: 'api', salt: '0', issueTimeSeconds: 1_700_000_000 },
      FIXED,
    )
    assert.equal(text, 'v=S1;d=sports;n=api;a=0;t=1700000000;e=1700003600;k=zms.1;s=c2lnbmF0dXJlPz4-')
  })

  it('makes a new salt each time', async () => {
    const claims = { version: 'S1', domain: 'sports', name: 'api', issueTimeSeconds: 1 } as const
    const salts = new Set<string>()
    for (let count = 0; count < 50; count += 1) {
      const parsed = parsePrincipalToken(await signPrincipalToken(claims, FIXED))
      assert.ok(parsed.ok)
      assert.match(parsed.token.salt ?? '', /^(0|[1-9a-f][0-9a-f]{0,15})$/)
      salts.add(parsed.token.salt ?? '')
    }
    assert.equal(salts.size, 50)
  })

  it('refuses a value that would add a field', async () => {
    const claims = { version: 'S1', domain: 'sports', name: 'api;d=sys.auth', issueTimeSeconds: 1 } as const
    await assert.rejects(signPrincipalToken(claims, FIXED), { name: 'RangeError', message: /token field n/ })
  })
})

describe('signAuthorizedService', () => {
  it('appends key id and signature when one service is authorized', async () => {
    assert.equal(
      await signAuthorizedService(tokenFor('ui.web'), 'ui.web', FIXED),
      `${tokenFor('ui.web')};bk=zms.1;bs=c2lnbmF0dXJlPz4-`,
    )
  })

  it('names the service when several are', async () => {
    assert.equal(
      await signAuthorizedService(tokenFor('ui.web,ui.cli'), 'ui.cli', FIXED),
      `${tokenFor('ui.web,ui.cli')};bk=zms.1;bn=ui.cli;bs=c2lnbmF0dXJlPz4-`,
    )
  })
})
