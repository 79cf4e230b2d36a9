import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Zpe } from '#zpe/zpe.ts'
import { newSigner } from '../core/authority/support.ts'
import { jsonAnswer, startFakeService } from '../support/fake-service.ts'
import { until } from '../support/until.ts'
import { ZpeWorld } from './zpe-world.ts'

const READ = { rules: ['ALLOW readers read data'] }
const WRITE = { rules: ['ALLOW readers write data'] }
const HOUR_MILLIS = 3_600_000

async function opened(options = {}) {
  const world = new ZpeWorld()
  await world.putPolicies('sports', READ)
  const zpe = await world.open(options)
  const token = await world.roleToken({ expiryTimeSeconds: world.clock.millis / 1000 + 86_400 })
  return { world, zpe, token }
}

const ask = async (zpe: Zpe, token: string, action = 'read', resource = 'sports:data') =>
  (await zpe.allowAccess(token, resource, action)).status

const complaints = ({ lines }: ZpeWorld) => lines.filter((line) => line.startsWith('error'))

describe('a policy file', () => {
  test('that changes decides at once, where the system tells of changes', async () => {
    const { world, zpe, token } = await opened()
    assert.equal(await ask(zpe, token, 'write'), 'DENY_NO_MATCH')
    await world.putPolicies('sports', WRITE)
    await until(async () => (await ask(zpe, token, 'write')) === 'ALLOW', { what: 'the change' })
    assert.equal(await ask(zpe, token, 'read'), 'DENY_NO_MATCH')
  })

  test('of a new domain is found', async () => {
    const { world, zpe } = await opened()
    const token = await world.roleToken({ domain: 'media' })
    assert.equal(await ask(zpe, token, 'read', 'data'), 'DENY_DOMAIN_NOT_FOUND')
    await world.putPolicies('media', READ)
    await until(async () => (await ask(zpe, token, 'read', 'data')) === 'ALLOW', { what: 'the new domain' })
  })

  test('that is torn leaves the policies of before', async () => {
    const { world, zpe, token } = await opened()
    const text = await world.signedFile('sports', WRITE)
    for (const length of [0, 1, 100, text.length - 1]) {
      writeFileSync(join(world.policyFolder, 'sports.pol'), text.slice(0, length))
      await zpe.refresh()
      assert.equal(await ask(zpe, token, 'read'), 'ALLOW')
      assert.equal(await ask(zpe, token, 'write'), 'DENY_NO_MATCH')
    }
    assert.match(
      complaints(world)[0] ?? '',
      /sports\.pol cannot be used: it is no JSON object.*; the policies read before/,
    )
    writeFileSync(join(world.policyFolder, 'sports.pol'), text)
    await zpe.refresh()
    assert.equal(await ask(zpe, token, 'write'), 'ALLOW')
  })

  test('that was tampered with leaves the policies of before, and is complained of once', async () => {
    const { world, zpe, token } = await opened()
    world.put('sports.pol', (await world.signedFile('sports', READ)).replace('"read"', '"*"'))
    for (let looks = 0; looks < 3; looks++) await zpe.refresh()
    assert.equal(await ask(zpe, token, 'read'), 'ALLOW')
    assert.equal(await ask(zpe, token, 'write'), 'DENY_NO_MATCH')
    assert.equal(complaints(world).length, 1)
    assert.match(complaints(world)[0] ?? '', /its signature is wrong/)
    assert.ok(zpe.counts.files.failed >= 3)
  })

  test('that was tampered with before the start is none', async () => {
    const world = new ZpeWorld()
    world.put('sports.pol', (await world.signedFile('sports', READ)).replace('"read"', '"*"'))
    const zpe = await world.open()
    assert.equal(await ask(zpe, await world.roleToken()), 'DENY_DOMAIN_NOT_FOUND')
  })

  test('that is deleted leaves a domain without assertions', async () => {
    const { world, zpe, token } = await opened()
    rmSync(join(world.policyFolder, 'sports.pol'))
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'DENY_DOMAIN_EMPTY')
    await world.putPolicies('sports', READ)
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'ALLOW')
  })

  test('of a renamed domain is that of its old name until there is another one', async () => {
    const { world, zpe, token } = await opened()
    const renamed = await world.roleToken({ domain: 'games' })
    assert.equal(await ask(zpe, renamed, 'read', 'games:data'), 'DENY_DOMAIN_NOT_FOUND')
    assert.equal(await ask(zpe, renamed, 'read', 'sports:data'), 'DENY_DOMAIN_NOT_FOUND')
    await world.putPolicies('games', READ)
    rmSync(join(world.policyFolder, 'sports.pol'))
    await zpe.refresh()
    assert.equal(await ask(zpe, renamed, 'read', 'games:data'), 'ALLOW')
    assert.equal(await ask(zpe, renamed, 'read', 'sports:data'), 'DENY_DOMAIN_MISMATCH')
    assert.equal(await ask(zpe, token), 'DENY_DOMAIN_EMPTY')
  })

  test('under another name still is that of the domain that was signed', async () => {
    const { world, zpe, token } = await opened()
    renameSync(join(world.policyFolder, 'sports.pol'), join(world.policyFolder, 'games.pol'))
    await zpe.refresh()
    const other = await world.roleToken({ domain: 'games' })
    assert.equal(await ask(zpe, other, 'read', 'data'), 'DENY_DOMAIN_NOT_FOUND')
    assert.equal(await ask(zpe, token), 'ALLOW')
  })

  test('that is named after its domain counts before copies, of which the latest counts', async () => {
    const { world, zpe, token } = await opened()
    world.put('a.pol', await world.signedFile('sports', { ...WRITE, modified: world.clock.millis + 1000 }))
    world.put('b.pol', await world.signedFile('sports', { rules: ['ALLOW readers list data'] }))
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'ALLOW')
    rmSync(join(world.policyFolder, 'sports.pol'))
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'DENY_NO_MATCH')
    assert.equal(await ask(zpe, token, 'write'), 'ALLOW')
  })

  test('of another kind is passed over', async () => {
    const { world, zpe, token } = await opened()
    world.put('sports.pol.bak', 'x')
    world.put('sports.tmp', 'x')
    mkdirSync(join(world.policyFolder, 'folder.pol'))
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'ALLOW')
    assert.equal(complaints(world).length, 1)
  })

  test('that is older than the one before is taken, with a warning', async () => {
    const { world, zpe, token } = await opened()
    await world.putPolicies('sports', { ...WRITE, modified: world.clock.millis - HOUR_MILLIS })
    await zpe.refresh()
    assert.equal(await ask(zpe, token, 'write'), 'ALLOW')
    assert.ok(world.lines.some((line) => /^warn .*older than those that they replace/.test(line)))
  })

  test('may be a web signature', async () => {
    const { world, zpe, token } = await opened()
    world.put('sports.pol', await world.jwsFile('sports', WRITE, 'der'))
    await zpe.refresh()
    assert.equal(await ask(zpe, token, 'write'), 'ALLOW')
    assert.deepEqual(
      zpe.policyVersions().map(({ form, keyId }) => [form, keyId]),
      [['jws', 'zts.0']],
    )
  })
})

describe('the folder of policies', () => {
  test('may come later', async () => {
    const { world } = await opened()
    const policyFolder = join(world.root, 'later')
    const zpe = await world.open({ policyFolder })
    const token = await world.roleToken()
    assert.equal(await ask(zpe, token), 'DENY_DOMAIN_NOT_FOUND')
    renameSync(world.policyFolder, policyFolder)
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'ALLOW')
  })

  test('may be replaced as a whole', async () => {
    const { world, zpe, token } = await opened()
    const other = join(world.root, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'sports.pol'), await world.signedFile('sports', WRITE))
    renameSync(world.policyFolder, join(world.root, 'former'))
    renameSync(other, world.policyFolder)
    await zpe.refresh()
    assert.equal(await ask(zpe, token, 'write'), 'ALLOW')
    await world.putPolicies('sports', READ)
    await until(async () => (await ask(zpe, token)) === 'ALLOW', { what: 'a change in the new folder' })
  })

  test('is not read where that is not wanted', async () => {
    const { world } = await opened()
    const zpe = await world.open({ skipPolicyFolder: true })
    assert.equal(await ask(zpe, await world.roleToken()), 'DENY_DOMAIN_NOT_FOUND')
  })
})

describe('policies that ZTS vouches for no longer', () => {
  test('count, unless it is said otherwise', async () => {
    const { world, zpe, token } = await opened()
    const strict = await world.open({ denyAfterExpirySeconds: 3600 })
    await world.putPolicies('sports', { ...READ, expires: world.clock.millis })
    await Promise.all([zpe.refresh(), strict.refresh()])
    world.clock.millis += HOUR_MILLIS - 1
    assert.deepEqual([await ask(zpe, token), await ask(strict, token)], ['ALLOW', 'ALLOW'])
    world.clock.millis += 1
    assert.deepEqual([await ask(zpe, token), await ask(strict, token)], ['ALLOW', 'DENY_DOMAIN_EXPIRED'])
    await world.putPolicies('sports', READ)
    await strict.refresh()
    assert.equal(await ask(strict, token), 'ALLOW')
  })
})

describe('ZTS', () => {
  test('may be away for an hour: files and known keys decide', async () => {
    const service = await startFakeService(jsonAnswer({ message: 'away' }, 503))
    const { world, zpe, token } = await opened({ jwkUrl: `${service.url}/keys` })
    assert.equal(await ask(zpe, token), 'ALLOW')
    world.clock.millis += HOUR_MILLIS
    const fresh = await world.roleToken()
    assert.deepEqual([await ask(zpe, token), await ask(zpe, fresh)], ['ALLOW', 'ALLOW'])
    const unknown = await world.roleToken({}, newSigner('zts.9'))
    assert.equal(await ask(zpe, unknown), 'DENY_ROLETOKEN_INVALID')
  })

  test('publishes keys, which are asked for when one is not known, and not too often', async () => {
    const published = newSigner('zts.1')
    const jwk = (signer: typeof published) => ({ ...signer.publicKey.export({ format: 'jwk' }), kid: signer.keyId })
    const service = await startFakeService(jsonAnswer({ keys: [jwk(published)] }))
    const { world, zpe, token } = await opened({ jwkUrl: `${service.url}/keys` })
    assert.equal(await ask(zpe, token), 'ALLOW')
    assert.equal(service.seen.length, 0)
    const tokens = await Promise.all(
      ['1', '2', '3'].map((salt) =>
        world.roleToken({ salt, expiryTimeSeconds: world.clock.millis / 1000 + 86_400 }, published),
      ),
    )
    assert.deepEqual(await Promise.all(tokens.map((each) => ask(zpe, each))), ['ALLOW', 'ALLOW', 'ALLOW'])
    assert.equal(service.seen.length, 1)

    const next = newSigner('zts.2')
    service.answer = jsonAnswer({ keys: [jwk(next)] })
    const early = await world.roleToken({}, next)
    for (let count = 0; count < 5; count++) assert.equal(await ask(zpe, early), 'DENY_ROLETOKEN_INVALID')
    assert.equal(service.seen.length, 1)
    world.clock.millis += HOUR_MILLIS
    assert.equal(await ask(zpe, await world.roleToken({}, next)), 'ALLOW')
    assert.equal(await ask(zpe, tokens[0] ?? ''), 'DENY_ROLETOKEN_INVALID', 'the key was withdrawn')
  })

  test('that answers nonsense leaves the keys that are known', async () => {
    const published = newSigner('zts.1')
    const keys = [{ ...published.publicKey.export({ format: 'jwk' }), kid: 'zts.1' }]
    const service = await startFakeService(jsonAnswer({ keys }))
    const { world, zpe } = await opened({ jwkUrl: `${service.url}/keys` })
    assert.equal(await ask(zpe, await world.roleToken({}, published)), 'ALLOW')
    for (const nonsense of [[], 'x', null, { keys: 7 }]) {
      service.answer = jsonAnswer(nonsense)
      world.clock.millis += HOUR_MILLIS
      assert.equal(await ask(zpe, await world.roleToken({}, newSigner('zts.9'))), 'DENY_ROLETOKEN_INVALID')
      assert.equal(await ask(zpe, await world.roleToken({}, published)), 'ALLOW')
    }
    assert.ok(service.seen.length > 1)
    assert.ok(world.lines.some((line) => /keys of ZTS are not read, those known stay in use/.test(line)))
  })
})

describe('the clock', () => {
  test('that is behind makes new tokens invalid, and old ones good for longer', async () => {
    const { world, zpe } = await opened()
    const token = await world.roleToken()
    const late = await world.roleToken({ salt: '1' })
    assert.equal(await ask(zpe, token), 'ALLOW')
    world.clock.millis -= HOUR_MILLIS
    assert.equal(await ask(zpe, late), 'DENY_ROLETOKEN_INVALID')
    assert.equal(await ask(zpe, token), 'ALLOW', 'verified before the clock was set')
  })

  test('that is ahead makes tokens expired', async () => {
    const { world, zpe } = await opened()
    const [token, late] = [await world.roleToken(), await world.roleToken({ salt: '1' })]
    const access = await world.accessToken()
    assert.equal(await ask(zpe, token), 'ALLOW')
    world.clock.millis += 2 * HOUR_MILLIS
    assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_EXPIRED')
    assert.equal(await ask(zpe, late), 'DENY_ROLETOKEN_EXPIRED')
    assert.equal(await ask(zpe, access), 'DENY_ROLETOKEN_INVALID')
  })
})

describe('a key of ZTS', () => {
  test('that was withdrawn is accepted no longer, not even of tokens that are known', async () => {
    const { world, zpe, token } = await opened()
    const access = await world.accessToken()
    assert.deepEqual([await ask(zpe, token), await ask(zpe, access)], ['ALLOW', 'ALLOW'])
    const next = newSigner('zts.1')
    world.writeKeys([next])
    await zpe.refresh()
    assert.deepEqual(
      [await ask(zpe, token), await ask(zpe, access)],
      ['DENY_ROLETOKEN_INVALID', 'DENY_ROLETOKEN_INVALID'],
    )
    assert.equal(await ask(zpe, await world.roleToken({}, next)), 'ALLOW', 'the policies stay')
    const restarted = await world.open()
    assert.equal(await ask(restarted, await world.roleToken({}, next)), 'DENY_DOMAIN_NOT_FOUND')
  })

  test('that was replaced under its id is accepted no longer', async () => {
    const { world, zpe, token } = await opened()
    assert.equal(await ask(zpe, token), 'ALLOW')
    world.writeKeys([newSigner('zts.0')])
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_INVALID')
  })

  test('that is new is found when a token names it', async () => {
    const { world, zpe } = await opened()
    const next = newSigner('zts.1')
    world.writeKeys([world.zts, next])
    assert.equal(await ask(zpe, await world.roleToken({}, next)), 'ALLOW')
  })

  test('is read from the file of agents, too', async () => {
    const { world } = await opened()
    const next = newSigner('zts.1')
    const jwk = { ...next.publicKey.export({ format: 'jwk' }), kid: 'zts.1', crv: 'prime256v1' }
    world.put('../jwk.conf', JSON.stringify({ zts: { keys: [jwk] }, modified: '2026-01-01T00:00:00.000Z' }))
    const zpe = await world.open({ jwkFile: join(world.root, 'var', 'jwk.conf') })
    assert.equal(await ask(zpe, await world.roleToken({}, next)), 'ALLOW')
  })

  test('stays in use while a file of keys is damaged', async () => {
    const { world, zpe, token } = await opened()
    const conf = readFileSync(world.athenzConf, 'utf8')
    writeFileSync(world.athenzConf, conf.slice(0, -20))
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'ALLOW')
    rmSync(world.athenzConf)
    await zpe.refresh()
    assert.equal(await ask(zpe, await world.roleToken({ salt: '1' })), 'ALLOW')
    assert.ok(world.lines.some((line) => /athenz\.conf cannot be used, the former keys stay in use/.test(line)))
  })

  test('that comes after the policies makes them good', async () => {
    const world = new ZpeWorld()
    await world.putPolicies('sports', READ)
    world.writeKeys([])
    const zpe = await world.open()
    const token = await world.roleToken()
    assert.equal(await ask(zpe, token), 'DENY_ROLETOKEN_INVALID')
    world.writeKeys()
    await zpe.refresh()
    assert.equal(await ask(zpe, token), 'ALLOW')
  })
})
