import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { readSiaConfig } from '#sia/sia-config.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const LEAST = {
  zts: 'https://zts:8443',
  domain: 'sports',
  service: 'api',
  dnsDomain: 'athenz.cloud',
  provider: 'sys.auth.zts',
  instanceId: 'i1',
}

async function written(content: unknown): Promise<string> {
  const file = join(temporaryFolder(), 'sia.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

describe('the configuration', () => {
  test('has defaults, and paths that count from its folder', async () => {
    const file = await written({ ...LEAST, caFile: 'ca.pem', attestationFile: '/run/token' })
    const { caFile, attestationFile, folder, keyKind, roleCertificates } = await readSiaConfig(file)
    assert.deepEqual(
      { caFile, attestationFile, folder, keyKind, roleCertificates },
      {
        caFile: join(file, '..', 'ca.pem'),
        attestationFile: '/run/token',
        folder: '/var/lib/sia',
        keyKind: 'rsa',
        roleCertificates: [],
      },
    )
  })

  test('knows the SSH server of the machine by the files of its key', async () => {
    const file = await written({
      ...LEAST,
      sshHost: { publicKeyFile: 'host.pub', certificateFile: '/etc/ssh/host-cert.pub' },
    })
    const { sshHost } = await readSiaConfig(file)
    assert.deepEqual(sshHost, {
      publicKeyFile: join(file, '..', 'host.pub'),
      certificateFile: '/etc/ssh/host-cert.pub',
      principals: [],
    })
  })

  test('is less than what is said beside it, where paths count from here', async () => {
    const config = await readSiaConfig(await written(LEAST), { domain: 'weather', folder: 'here' })
    assert.deepEqual([config.domain, config.folder], ['weather', resolve('here')])
  })

  test('may be left out', async () => {
    const { provider: _provider, instanceId: _id, ...others } = LEAST
    const config = await readSiaConfig(undefined, { ...others, registeredKey: { file: 'a.key', id: 'v1' } })
    assert.deepEqual(config.registeredKey, { file: resolve('a.key'), id: 'v1' })
  })

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['no JSON', '{', /JSON/],
    ['no object', [], /no JSON object/],
    [
      'an SSH server without an instance',
      {
        ...LEAST,
        provider: undefined,
        instanceId: undefined,
        registeredKey: { file: 'a', id: 'v1' },
        sshHost: { publicKeyFile: 'host.pub' },
      },
      /sshHost is for instances/,
    ],
    ['an SSH server without a key', { ...LEAST, sshHost: {} }, /sshHost\.publicKeyFile: /],
    ['a missing member', { ...LEAST, zts: undefined }, /zts: /],
    ['an unknown member', { ...LEAST, folders: 'x' }, /folders/],
    ['a name that leaves the folder', { ...LEAST, domain: '../sports' }, /domain: no DomainName/],
    [
      'a token file that leaves the folder',
      { ...LEAST, accessTokens: [{ domain: 'a', file: '../x' }] },
      /accessTokens\.0\.file/,
    ],
    ['a provider without an instance', { ...LEAST, instanceId: undefined }, /belong together/],
    ['two ways to be known', { ...LEAST, registeredKey: { file: 'a', id: '0' } }, /either provider/],
    ['two attestations', { ...LEAST, attestationFile: 'a', attestationCommand: ['a'] }, /exclude each other/],
  ]
  for (const [name, content, reason] of wrong) {
    test(`with ${name} is refused`, async () => {
      const file = await written(content)
      await assert.rejects(readSiaConfig(file), (error: Error) => {
        assert.match(error.message, reason)
        assert.ok(error.message.startsWith(`${file} cannot be used:`))
        return true
      })
    })
  }

  test('names all that is wrong at once', async () => {
    await assert.rejects(readSiaConfig(await written({})), /zts: [^]*domain: [^]*service: [^]*dnsDomain: /)
  })
})
