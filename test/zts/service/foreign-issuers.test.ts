import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { audiencesOf } from '#core/token/json-web-token.ts'
import { type ForeignIssuerEntry, loadForeignIssuers, onlyAudience } from '#zts/service/foreign-issuers.ts'
import { Issuers } from '#zts/service/issuers.ts'
import { jsonAnswer, startFakeService } from '../../support/fake-service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { FOREIGN_ISSUER, foreignToken, JWT, TradeServer } from './trade-server.ts'

const OWN = 'https://zts.example.com/zts/v1'
const ISSUER = 'https://login.example.org'
const START = Date.parse('2026-08-02T00:00:00.000Z')

const issuers = new Issuers({
  oauthIssuer: OWN,
  openIdIssuer: OWN,
  oidcPortIssuer: OWN,
  oidcPort: 0,
  hostname: 'zts.example.com',
  byHost: new Map(),
})
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
const keySet = (kid: string, each: KeyObject = key) =>
  jsonAnswer({ keys: [{ ...each.export({ format: 'jwk' }), kid }] })

/** Loads issuers from a file with these entries, or this text. */
async function load(content: readonly Partial<ForeignIssuerEntry>[] | string) {
  const rootDir = temporaryFolder()
  const file = join(rootDir, 'providers.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  const { config } = await loadServerConfig({
    server: 'zts',
    rootDir,
    files: [],
    overrides: [['athenz.zts.oauth_provider_config_file', file]],
    env: {},
    hostname: 'h',
  })
  const clock = { now: START }
  const log: string[] = []
  const loaded = await loadForeignIssuers({
    config,
    issuers,
    now: () => clock.now,
    log: (level, message) => log.push(`${level}: ${message}`),
  })
  after(() => loaded.close())
  return { loaded, clock, log, rootDir }
}

/** A key for tokens with that id. */
async function keyOf({ loaded }: Awaited<ReturnType<typeof load>>, kid: string, issuer = ISSUER) {
  return loaded.get(issuer)?.keys.keyOf({ alg: 'ES256', kid })
}

describe('keys of foreign issuers', () => {
  test('are read where the file says, when they are needed', async () => {
    const service = await startFakeService(keySet('a'))
    const all = await load([{ issuerUri: ISSUER, jwksUri: `${service.url}/keys?x=1` }])
    assert.equal(service.seen.length, 0)
    assert.ok(await keyOf(all, 'a'))
    assert.deepEqual(
      service.seen.map(({ method, target }) => `${method} ${target}`),
      ['GET /keys?x=1'],
    )
    assert.equal(all.loaded.get(`${ISSUER}/`), undefined)
    assert.equal(all.loaded.get('https://evil.example'), undefined)
  })

  test('are read again after a change of keys', async () => {
    const service = await startFakeService(keySet('a'))
    const all = await load([{ issuerUri: ISSUER, jwksUri: service.url }])
    assert.ok(await keyOf(all, 'a'))
    service.answer = keySet('b')
    all.clock.now += 60_000
    assert.ok(await keyOf(all, 'b'))
    assert.equal(await keyOf(all, 'a'), undefined)
  })

  test('are found through the metadata of the issuer when the file does not say where they are', async () => {
    const service = await startFakeService((response, request, count) => {
      if (request.target === '/keys') return keySet('a')(response, request, count)
      return jsonAnswer({ issuer: service.url, jwks_uri: `${service.url}/keys` })(response, request, count)
    })
    const all = await load([{ issuerUri: service.url, jwksUri: '' }])
    assert.ok(await keyOf(all, 'a', service.url))
    assert.deepEqual(
      service.seen.map(({ target }) => target),
      ['/.well-known/openid-configuration', '/keys'],
    )
  })

  const metadata: readonly (readonly [string, (url: string) => Parameters<typeof startFakeService>[0], RegExp])[] = [
    [
      'are about another issuer',
      (url) => jsonAnswer({ issuer: 'https://evil.example', jwks_uri: `${url}/keys` }),
      /is about another issuer/,
    ],
    ['name no address', (url) => jsonAnswer({ issuer: url }), /names no address of keys/],
    ['name a file', (url) => jsonAnswer({ issuer: url, jwks_uri: 'file:///etc/passwd' }), /names no address of keys/],
    ['are not there', () => jsonAnswer({}, 404), /answered with status 404/],
    ['lead elsewhere', () => (response) => response.writeHead(302, { location: 'http://evil' }).end(), /status 302/],
  ]
  for (const [what, answer, reason] of metadata) {
    test(`are none when the metadata ${what}`, async () => {
      const service = await startFakeService(jsonAnswer({}))
      service.answer = answer(service.url)
      const all = await load([{ issuerUri: service.url }])
      assert.equal(await keyOf(all, 'a', service.url), undefined)
      assert.match(all.log.at(-1) ?? '', reason)
    })
  }

  test('that come without protection are told in the log', async () => {
    const all = await load([
      { issuerUri: ISSUER, jwksUri: 'http://keys.example' },
      { issuerUri: 'https://other.example' },
    ])
    assert.deepEqual(all.log, [
      `warn: keys of issuer ${ISSUER} come without TLS: who is on the way can put his own in their place`,
    ])
  })

  test('are none for an issuer that is no URL and has no address of keys', async () => {
    const all = await load([{ issuerUri: 'urn:x' }])
    assert.equal(await keyOf(all, 'a', 'urn:x'), undefined)
  })
})

describe('tokens of a foreign issuer', () => {
  test('are traded while their key is published, and only then', async () => {
    const first = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const second = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const service = await startFakeService(keySet('f', first.publicKey))
    const { loaded, clock } = await load([{ issuerUri: FOREIGN_ISSUER, jwksUri: service.url }])
    const server = await TradeServer.open({ foreignIssuers: loaded })
    const statusFor = async (privateKey: KeyObject, alg: string, kid = 'f') => {
      const claims = { sub: 'user.alice', aud: 'home', scope: 'reader' }
      const token = await foreignToken({ ...claims, exp: START / 1000 + 7200 }, { key: privateKey, alg, kid })
      const answer = await server.ask({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token_type: JWT,
        subject_token: token,
        audience: 'away',
      })
      return answer.status
    }
    for (const alg of ['RS256', 'RS384', 'RS512']) assert.equal(await statusFor(first.privateKey, alg), 200, alg)
    assert.equal(await statusFor(first.privateKey, 'PS256'), 400)
    assert.equal(await statusFor(second.privateKey, 'RS256'), 400)
    service.answer = keySet('g', second.publicKey)
    clock.now += 60_000
    assert.equal(await statusFor(second.privateKey, 'RS256', 'g'), 200)
    assert.equal(await statusFor(first.privateKey, 'RS256'), 400)
    // The issuer is away: what is known goes on, what is not known is not asked for again and again.
    service.answer = (response) => response.destroy()
    clock.now += 660_000
    const before = service.seen.length
    for (let count = 0; count < 5; count++) assert.equal(await statusFor(second.privateKey, 'RS256', 'g'), 200)
    for (let count = 0; count < 5; count++) assert.equal(await statusFor(first.privateKey, 'RS256', `x${count}`), 400)
    assert.equal(service.seen.length, before + 1)
  })
})

describe('the file of foreign issuers', () => {
  const entry = { issuerUri: ISSUER, jwksUri: 'https://keys.example' }
  const wrong: readonly (readonly [string, Parameters<typeof load>[0], RegExp])[] = [
    ['is no JSON', '{', /oauth_provider_config_file: .*providers\.json: .*JSON/],
    ['is no list', '{}', /expected array/],
    ['has an entry without issuer', [{ jwksUri: 'https://keys.example' }], /issuerUri/],
    ['has an address that is none', [{ ...entry, jwksUri: 'file:///etc/passwd' }], /not an http or https URL/],
    ['has a proxy that is none', [{ ...entry, proxyUrl: 'socks://x' }], /not an http or https URL/],
    ['names an issuer twice', [entry, entry], /is there twice/],
    ['names this server', [{ ...entry, issuerUri: OWN }], /is this server itself, which needs no entry/],
    [
      'names a class',
      [{ ...entry, providerClassName: 'com.example.Provider' }],
      /providerClassName of https:\/\/login\.example\.org: "com\.example\.Provider" is neither a known class nor a module/,
    ],
    ['names a module that is not there', [{ ...entry, providerClassName: './nosuch.js' }], /cannot be loaded/],
  ]
  for (const [what, content, reason] of wrong) {
    test(`stops the start when it ${what}`, async () => {
      await assert.rejects(load(content), (error) => error instanceof ConfigError && reason.test(error.message))
    })
  }

  test('stops the start when it is not there', async () => {
    const { config } = await loadServerConfig({
      server: 'zts',
      rootDir: temporaryFolder(),
      files: [],
      overrides: [['athenz.zts.oauth_provider_config_file', '/nowhere.json']],
      env: {},
      hostname: 'h',
    })
    await assert.rejects(loadForeignIssuers({ config, issuers, now: Date.now, log: () => {} }), /nowhere\.json/)
  })

  test('may be missing', async () => {
    const { config } = await loadServerConfig({
      server: 'zts',
      rootDir: temporaryFolder(),
      files: [],
      overrides: [],
      env: {},
      hostname: 'h',
    })
    const loaded = await loadForeignIssuers({ config, issuers, now: Date.now, log: () => {} })
    assert.equal(loaded.get(ISSUER), undefined)
    await loaded.close()
  })

  test('may name a module that reads the tokens', async () => {
    const folder = temporaryFolder()
    const module = join(folder, 'provider.mjs')
    writeFileSync(
      module,
      `export default class {
         constructor(entry) { this.domain = new URL(entry.issuerUri).hostname.split('.')[0] }
         copiedClaims = ['acr']
         principalName(claims) { return this.domain + '.' + claims.name }
       }`,
    )
    const { loaded } = await load([{ ...entry, providerClassName: module }])
    const provider = loaded.get(ISSUER)?.provider
    assert.equal(provider?.principalName({ name: 'alice' }), 'login.alice')
    assert.deepEqual(provider?.copiedClaims, ['acr'])
    writeFileSync(join(folder, 'empty.mjs'), 'export default {}')
    await assert.rejects(
      load([{ ...entry, providerClassName: join(folder, 'empty.mjs') }]),
      /is no provider of an OAuth issuer: it lacks method principalName/,
    )
  })
})

test('only a single audience is the audience of a token', () => {
  assert.equal(onlyAudience({ aud: 'a' }), 'a')
  assert.equal(onlyAudience({ aud: ['a'] }), 'a')
  for (const aud of [undefined, [], ['a', 'b'], ['a', 'a'], ['a', 1], 1, null, {}]) {
    assert.equal(onlyAudience({ aud }), undefined, JSON.stringify(aud))
    assert.ok(audiencesOf({ aud }).length !== 1)
  }
})
