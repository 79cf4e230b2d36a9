import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { decodeYBase64 } from '#core/crypto/ybase64.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { ISSUER, OPENID_ISSUER, TokenServer } from './token-parts.ts'

const SPORTS = { name: 'sports', roles: [{ name: 'sports:role.reader', roleMembers: [{ memberName: 'sports.api' }] }] }
const API = { as: 'sports.api' }

const KEYS: readonly (readonly [name: string, algorithm: string, keys: { rsa?: KeyObject; ec?: KeyObject }])[] = [
  ['RSA', 'RS256', { rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }],
  ...(['P-256', 'P-384', 'P-521'] as const).map(
    (namedCurve, index) =>
      [
        namedCurve,
        ['ES256', 'ES384', 'ES512'][index] as string,
        { ec: generateKeyPairSync('ec', { namedCurve }).privateKey },
      ] as const,
  ),
]

/** Tokens of a server with these keys, and where the time is that of the verifiers. */
async function tokensOf(keys: (typeof KEYS)[number][2]) {
  const server = await TokenServer.open({
    domains: [SPORTS],
    keys,
    properties: { oauth_openid_scope: 'true' },
    parts: { now: Date.now },
  })
  const { body } = await server.ask({ scope: 'openid sports:role.reader sports:service.api' }, API)
  const { harness } = server
  return {
    accessToken: String(body.access_token),
    idToken: String(body.id_token),
    roleToken: String((await harness.get('/domain/sports/token', API)).body.token),
    jwks: (await harness.get('/oauth2/keys?rfc=true', { anonymous: true })).body as object,
  }
}

const isPresent = (program: string, ...args: readonly string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

const OPENSSL = isPresent('openssl', 'version') ? {} : { skip: 'openssl is not on this machine' }

/** Exit status of openssl for a signature over a text: 0 when it is good. */
function opensslStatus(key: KeyObject, text: string, signature: Buffer): number | null {
  const folder = temporaryFolder()
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const args = [
    'dgst',
    '-sha256',
    '-verify',
    file('key.pem', publicKeyPem(key)),
    '-signature',
    file('signature', signature),
    file('text', text),
  ]
  return spawnSync('openssl', args, { stdio: 'ignore' }).status
}

describe('openssl', OPENSSL, () => {
  for (const [name, , keys] of KEYS) {
    it(`verifies role tokens with ${name}`, async () => {
      const { roleToken } = await tokensOf(keys)
      const [text = '', signature = ''] = roleToken.split(';s=')
      const key = (keys.rsa ?? keys.ec) as KeyObject
      assert.equal(opensslStatus(key, text, decodeYBase64(signature)), 0)
      assert.equal(opensslStatus(key, `${text}x`, decodeYBase64(signature)), 1)
    })
  }

  it('verifies access tokens with RSA', async () => {
    const [, , keys] = KEYS[0] as (typeof KEYS)[number]
    const { accessToken } = await tokensOf(keys)
    const end = accessToken.lastIndexOf('.')
    const signature = Buffer.from(accessToken.slice(end + 1), 'base64url')
    assert.equal(opensslStatus(keys.rsa as KeyObject, accessToken.slice(0, end), signature), 0)
  })
})

/** The Python of the system sees the packages of Debian; another one on the path may not. */
const PYTHON = ['/usr/bin/python3', 'python3'].find((program) => isPresent(program, '-c', 'import jwt, cryptography'))
const PYJWT = PYTHON === undefined ? { skip: 'PyJWT is not on this machine (apt-get install python3-jwt)' } : {}

/** Verifies the tokens it is given with the keys it is given; writes the claims. */
const PROGRAM = `
import json, sys
import jwt
asked = json.load(sys.stdin)
keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(asked["jwks"]).keys}
def verify(token, audience, issuer):
    kid = jwt.get_unverified_header(token)["kid"]
    return jwt.decode(token, keys[kid], algorithms=[asked["algorithm"]], audience=audience, issuer=issuer,
                      options={"require": ["exp", "iat", "iss", "aud", "sub"]})
def refused(token):
    try:
        verify(token, "sports", asked["issuer"])
    except jwt.InvalidTokenError as error:
        return type(error).__name__
print(json.dumps({
    "access": verify(asked["accessToken"], "sports", asked["issuer"]),
    "id": verify(asked["idToken"], "sports.api", asked["issuer"]),
    "tampered": refused(asked["accessToken"][:-8] + "AAAAAAAA"),
}))
`

describe('PyJWT', PYJWT, () => {
  for (const [name, algorithm, keys] of KEYS) {
    it(`verifies access and id tokens with ${name}`, async () => {
      const input = JSON.stringify({ ...(await tokensOf(keys)), algorithm, issuer: ISSUER })
      const { status, stdout, stderr } = spawnSync(PYTHON ?? '', ['-c', PROGRAM], { input, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
      const said = JSON.parse(stdout) as {
        access: Record<string, unknown>
        id: Record<string, unknown>
        tampered: string
      }
      assert.equal(said.tampered, 'InvalidSignatureError')
      assert.deepEqual([said.access['sub'], said.access['scp'], said.access['ver']], ['sports.api', ['reader'], 1])
      assert.equal(said.id['sub'], 'sports.api')
      assert.notEqual(said.id['iss'], OPENID_ISSUER)
    })
  }
})
