import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AthenzConfFile, parseAthenzConf, readAthenzConf } from '#core/config/athenz-conf.ts'
import { ConfigError } from '#core/config/config-error.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { newSigner } from '../authority/support.ts'

const signer = newSigner()
const key = encodeYBase64(signer.publicKeyPem)
const good = {
  zmsUrl: 'https://zms:4443/',
  ztsUrl: 'https://zts:8443/',
  zmsPublicKeys: [{ id: '0', key }],
  ztsPublicKeys: [{ id: 'zts.1', key }],
  other: true,
}

const problemsOf = (conf: unknown): readonly string[] => {
  try {
    parseAthenzConf(typeof conf === 'string' ? conf : JSON.stringify(conf), '/etc/athenz.conf')
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

test('URLs and keys are read, other members ignored', () => {
  const conf = parseAthenzConf(JSON.stringify(good), 'athenz.conf')
  assert.equal(conf.zmsUrl, 'https://zms:4443/')
  assert.equal(conf.ztsUrl, 'https://zts:8443/')
  assert.ok(conf.zmsPublicKeys.get('0')?.equals(signer.publicKey))
  assert.deepEqual([...conf.ztsPublicKeys.keys()], ['zts.1'])
})

describe('what is wrong is told with the file and the key', () => {
  const plain = Buffer.from(signer.publicKeyPem).toString('base64')
  const cases: readonly [string, unknown, RegExp][] = [
    ['no JSON', '{', /^\/etc\/athenz\.conf: the whole file: it is no JSON: /],
    ['no object', '[]', /^\/etc\/athenz\.conf: the whole file: it is no JSON object$/],
    [
      'keys are missing',
      { ...good, zmsPublicKeys: undefined },
      /^\/etc\/athenz\.conf: zmsPublicKeys: there must be at least one key/,
    ],
    ['no keys', { ...good, ztsPublicKeys: [] }, /^\/etc\/athenz\.conf: ztsPublicKeys: there must be at least one key/],
    [
      'plain base64',
      { ...good, zmsPublicKeys: [{ id: '0', key: `${plain}=` }] },
      /zmsPublicKeys\[0\] \(id "0"\): plain base64 where ybase64 is expected: write '\.' for '\+'/,
    ],
    ['a key without id', { ...good, zmsPublicKeys: [{ key }] }, /zmsPublicKeys\[0\]: its "id" is missing/],
    [
      'an id without key',
      { ...good, zmsPublicKeys: [{ id: '7' }] },
      /zmsPublicKeys\[0\] \(id "7"\): its "key" is missing/,
    ],
    [
      'two keys of one id',
      {
        ...good,
        zmsPublicKeys: [
          { id: '0', key },
          { id: '0', key },
        ],
      },
      /zmsPublicKeys\[1\] \(id "0"\): another key has the same id/,
    ],
    [
      'a text that is no key',
      { ...good, ztsPublicKeys: [{ id: '0', key: 'eA--' }] },
      /ztsPublicKeys\[0\] \(id "0"\): no public key or certificate in PEM form/,
    ],
    ['an entry that is null', { ...good, ztsPublicKeys: [null] }, /ztsPublicKeys\[0\]: its "id" is missing/],
    ['a URL that is none', { ...good, zmsUrl: 'zms' }, /zmsUrl: "zms" is no URL/],
  ]
  for (const [what, conf, problem] of cases) {
    test(what, () => assert.match(problemsOf(conf)[0] ?? '', problem))
  }

  test('clients may do without keys, but not with bad ones', () => {
    const conf = parseAthenzConf('{"zmsPublicKeys": []}', 'athenz.conf', { keys: 'optional' })
    assert.equal(conf.zmsPublicKeys.size + conf.ztsPublicKeys.size, 0)
    const bad = JSON.stringify({ ztsPublicKeys: {} })
    assert.throws(() => parseAthenzConf(bad, 'athenz.conf', { keys: 'optional' }), /ztsPublicKeys: /)
  })

  test('everything at once', () => assert.equal(problemsOf({ zmsUrl: 1 }).length, 3))

  test('no file', async () => {
    await assert.rejects(readAthenzConf('/nowhere/athenz.conf'), {
      name: 'ConfigError',
      message:
        '/nowhere/athenz.conf: athenz.athenz_conf: there is no such file; it holds the public keys of ZMS and ZTS',
    })
  })
})

describe('a file in use', () => {
  const write = (file: string, conf: unknown) => writeFileSync(file, JSON.stringify(conf))
  async function opened() {
    const file = join(temporaryFolder(), 'athenz.conf')
    write(file, good)
    const lines: string[] = []
    const conf = await AthenzConfFile.open(file, { log: (level, message) => lines.push(`${level} ${message}`) })
    conf.close()
    return { file, conf, lines }
  }

  test('is read again when it has changed', async () => {
    const { file, conf, lines } = await opened()
    assert.equal(await conf.refresh(), false)
    write(file, { ...good, zmsPublicKeys: [...good.zmsPublicKeys, { id: 'new', key }] })
    assert.equal(await conf.refresh(), true)
    assert.deepEqual([...conf.current.zmsPublicKeys.keys()], ['0', 'new'])
    assert.deepEqual(lines, [`info ${file} is read again`])
  })

  test('that is no longer in order leaves the former keys, and is complained of once', async () => {
    const { file, conf, lines } = await opened()
    writeFileSync(file, '{"zmsPublicKeys":')
    assert.equal(await conf.refresh(), false)
    assert.equal(await conf.refresh(), false)
    assert.deepEqual([...conf.current.zmsPublicKeys.keys()], ['0'])
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /^warn .*athenz\.conf has changed and cannot be used; the former keys stay in use: /)
  })

  test('is looked at now and then', async () => {
    const { file } = await opened()
    const { promise, resolve } = Promise.withResolvers<string>()
    const conf = await AthenzConfFile.open(file, { log: (_, message) => resolve(message), lookMillis: 5 })
    write(file, { ...good, zmsUrl: 'https://other:4443/' })
    assert.equal(await promise, `${file} is read again`)
    conf.close()
    assert.equal(conf.current.zmsUrl, 'https://other:4443/')
  })
})
