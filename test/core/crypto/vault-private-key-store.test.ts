import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { VaultPrivateKeyStore } from '#core/crypto/vault-private-key-store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type IssuedCertificate, TestCa } from '../authority/support.ts'
import { type FakeVault, type FakeVaultOptions, startFakeVault } from './fake-vault.ts'

const folder = temporaryFolder()
const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const pemOf = (kind: 'rsa' | 'ec'): string => {
  const { privateKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}
const [rsa, ec] = [pemOf('rsa'), pemOf('ec')]

let ca: TestCa
let certificate: IssuedCertificate
let client: IssuedCertificate
let caFile: string
before(async () => {
  ca = await TestCa.create()
  certificate = await ca.issue({
    subject: [{ type: 'CN', value: 'vault' }],
    names: [{ type: 'dns', value: 'localhost' }],
  })
  client = await ca.issue({ subject: [{ type: 'CN', value: 'sys.auth.zms' }] })
  caFile = file('ca.pem', ca.cert)
})

const closers: (() => Promise<void> | void)[] = []
after(async () => {
  for (const close of closers) await close()
})
async function newVault(options: Partial<FakeVaultOptions> = {}): Promise<FakeVault> {
  const vault = await startFakeVault({ ...certificate, ...options })
  vault.tokens.set('good-token', { ttl: 0, renewable: false })
  vault.roles.set('role', 'good-secret')
  closers.push(() => vault.close())
  return vault
}

let vault: FakeVault
const lines: string[] = []
const waits: number[] = []
beforeEach(async () => {
  vault = await newVault()
  lines.length = 0
  waits.length = 0
})
// Whatever a test does: neither keys nor tokens come into the log.
afterEach(() => {
  for (const line of lines) assert.doesNotMatch(line, /good-token|good-secret|s\.\d|PRIVATE|hunter2/)
})

const byToken = { token: 'good-token' }
const byRole = { role_id: 'role', secret_id: 'good-secret' }
async function open(settings: Readonly<Record<string, string>> = byToken, of = vault): Promise<VaultPrivateKeyStore> {
  const values = new Map(
    Object.entries({ address: of.address, ca_file: caFile, ...settings }).map(([name, value]) => [
      `athenz.ts.vault_${name}`,
      value,
    ]),
  )
  const store = await VaultPrivateKeyStore.open(
    {
      property: (name) => values.get(name),
      rootDirectory: folder,
      log: (level, message) => lines.push(`${level} ${message}`),
    },
    { wait: async (millis) => waits.push(millis) },
  )
  closers.push(() => store.close())
  return store
}
const paths = () => vault.seen.map(({ method, path }) => `${method} ${path}`)
const refused = (promise: Promise<unknown>, message: string | RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof ConfigError, String(error))
    assert.doesNotMatch(error.message, /good-token|good-secret|PRIVATE|hunter2/)
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  })

describe('private keys', () => {
  const keys = {
    private_key: rsa,
    private_key_id: 'zms.0',
    private_rsa_key: rsa,
    private_rsa_key_id: 'zms.rsa',
    private_ec_key: ec,
  }

  test('are fields of the secret of the server, in version 2', async () => {
    vault.secrets.set('secret/data/athenz/zms', { data: keys, metadata: { version: 3 } })
    const store = await open()
    const generic = await store.privateKey('zms', 'host')
    const byAlgorithm = await store.privateKey('zms', 'host', undefined, 'rsa')
    const withoutId = await store.privateKey('zms', 'host', undefined, 'ec')
    assert.deepEqual([generic?.keyId, byAlgorithm?.keyId, withoutId?.keyId], ['zms.0', 'zms.rsa', '0'])
    assert.deepEqual(
      [generic, byAlgorithm, withoutId].map((key) => key?.key.asymmetricKeyType),
      ['rsa', 'rsa', 'ec'],
    )
    assert.deepEqual(paths(), ['GET auth/token/lookup-self', ...Array(3).fill('GET secret/data/athenz/zms')])
    assert.ok(vault.seen.every(({ token }) => token === 'good-token'))
  })

  test('are fields of it in version 1, below the configured paths', async () => {
    vault.secrets.set('kv/team%20a/prod/zts', keys)
    const store = await open({ ...byToken, kv_version: '1', mount: 'kv', path: 'team a/prod' })
    assert.equal((await store.privateKey('zts', 'host'))?.keyId, 'zms.0')
  })

  test('are absent without secret, without field, and where the version was deleted', async () => {
    const store = await open()
    assert.equal(await store.privateKey('zms', 'host'), undefined)
    vault.secrets.set('secret/data/athenz/zms', { data: { private_rsa_key: rsa } })
    assert.equal(await store.privateKey('zms', 'host', undefined, 'ec'), undefined)
    vault.secrets.set('secret/data/athenz/zms', { data: null, metadata: { destroyed: true } })
    assert.equal(await store.privateKey('zms', 'host'), undefined)
  })

  for (const [behaviour, fields, message] of [
    [
      'of another algorithm',
      { private_ec_key: rsa },
      /^Vault: the field private_ec_key of secret\/athenz\/zms cannot be used: a key of kind RSA.* is not the EC key that belongs here$/,
    ],
    [
      'that are none',
      { private_ec_key: 'hunter2' },
      'Vault: the field private_ec_key of secret/athenz/zms cannot be used: no private key in PEM form: the text has no PEM section',
    ],
  ] as const) {
    test(`${behaviour} are refused, without their text`, async () => {
      vault.secrets.set('secret/data/athenz/zms', { data: fields })
      const store = await open()
      await refused(store.privateKey('zms', 'host', undefined, 'ec'), message)
    })
  }
})

describe('a password', () => {
  for (const [behaviour, app, group, name, path, text] of [
    ['is the field `value`', 'jdbc', '', 'db', 'secret/data/athenz/jdbc/db', 'hunter2'],
    ['may be below a key group', 'jdbc', 'prod', 'db', 'secret/data/athenz/jdbc/prod/db', 'hunter2'],
    [
      'may be without application',
      undefined,
      undefined,
      'tls/key store',
      'secret/data/athenz/tls/key%20store',
      'hunter2',
    ],
    ['may be another field', 'jdbc', undefined, 'db#password', 'secret/data/athenz/jdbc/db', 'hunter3'],
  ] as const) {
    test(behaviour, async () => {
      vault.secrets.set(path, { data: { value: 'hunter2', password: 'hunter3' } })
      assert.equal(await (await open()).applicationSecret(app, group, name), text)
    })
  }

  for (const [behaviour, name, message] of [
    [
      'that is not there is refused, without its name',
      'hunter2',
      'Vault: a secret below secret/athenz/jdbc: there is none of the configured name',
    ],
    ['that lacks the field is refused', 'db#other', 'Vault: a secret below secret/athenz/jdbc: it has no field other'],
    [
      'outside its place is refused',
      '../zms/hunter2',
      'Vault: a secret below secret/athenz/jdbc: not a path (write parts with single slashes between them)',
    ],
    [
      'with an empty name is refused',
      '',
      'Vault: a secret below secret/athenz/jdbc: not a path (write parts with single slashes between them)',
    ],
  ] as const) {
    test(behaviour, async () => {
      vault.secrets.set('secret/data/athenz/jdbc/db', { data: { value: 'x' } })
      await refused((await open()).applicationSecret('jdbc', undefined, name), message)
    })
  }

  test('that the token may not read is refused, and the login is tried once more', async () => {
    const store = await open()
    vault.next.push({ status: 403, body: { errors: ['1 error occurred:\n\t* permission denied\n\n'] } })
    await refused(
      store.applicationSecret('jdbc', undefined, 'db'),
      /^private key store: Vault at localhost:\d+ answered 403 to secret\/data\/athenz\/jdbc\/db: 1 error occurred: \* permission denied $/,
    )
    assert.deepEqual(paths(), [
      'GET auth/token/lookup-self',
      'GET secret/data/athenz/jdbc/db',
      'GET auth/token/lookup-self',
    ])
  })
})

describe('a login', () => {
  test('is by AppRole', async () => {
    vault.secrets.set('secret/data/athenz/zms', { data: { private_key: rsa } })
    const store = await open(byRole)
    assert.ok(await store.privateKey('zms', 'host'))
    assert.deepEqual(paths(), ['POST auth/approle/login', 'GET secret/data/athenz/zms'])
    assert.deepEqual(
      vault.seen.map(({ token }) => token),
      [undefined, 's.1'],
    )
  })

  test('reads token and secret from files, again at every login', async () => {
    const path = file('token', 'old-token\n')
    vault.tokens.set('old-token', { ttl: 0, renewable: false })
    vault.secrets.set('secret/data/athenz/jdbc/db', { data: { value: 'x' } })
    const store = await open({ token: 'file:token' })
    file('token', 'good-token\n')
    vault.tokens.delete('old-token')
    assert.equal(await store.applicationSecret('jdbc', undefined, 'db'), 'x')
    assert.equal(path, join(folder, 'token'))
    file('secret-id', 'good-secret\n')
    await open({ role_id: 'role', secret_id: 'file:secret-id' })
  })

  test('is repeated when Vault has taken the token back', async () => {
    vault.secrets.set('secret/data/athenz/jdbc/db', { data: { value: 'x' } })
    const store = await open(byRole)
    vault.tokens.clear()
    assert.equal(await store.applicationSecret('jdbc', undefined, 'db'), 'x')
    assert.equal(vault.seen.at(-1)?.token, 's.2')
  })

  for (const [behaviour, settings, message] of [
    [
      'with a token that does not count',
      { token: 'bad-token' },
      /^athenz\.ts\.vault_address: Vault at localhost:\d+ answered 403 to auth\/token\/lookup-self: permission denied$/,
    ],
    [
      'with another secret of the role',
      { role_id: 'role', secret_id: 'bad-secret' },
      /^athenz\.ts\.vault_address: Vault at localhost:\d+ answered 400 to auth\/approle\/login: invalid role or secret ID$/,
    ],
    [
      'where AppRole is not enabled',
      { ...byRole, approle_mount: 'other' },
      /^athenz\.ts\.vault_address: Vault at localhost:\d+ answered 403 to auth\/other\/login: permission denied$/,
    ],
  ] as const) {
    test(`${behaviour} stops the start`, () => refused(open(settings), message))
  }

  test('is in a namespace', async () => {
    vault = await newVault({ namespace: 'team-a' })
    await open({ ...byToken, namespace: 'team-a' })
    assert.equal(vault.seen[0]?.namespace, 'team-a')
    await refused(open({ ...byToken, namespace: 'team-b' }), /answered 404 to auth\/token\/lookup-self/)
  })

  test('shows a client certificate', async () => {
    vault = await newVault({ clientCa: ca.cert })
    const files = { cert_file: file('client.pem', client.cert), key_file: file('client.key', client.key) }
    await open({ ...byToken, ...files })
    assert.equal(vault.seen[0]?.client, 'sys.auth.zms')
    await refused(
      open({ ...byToken, attempts: '1' }),
      /^athenz\.ts\.vault_address: Vault: no answer from localhost:\d+: /,
    )
  })

  test('is not sent to a server that nobody trusts', async () => {
    await refused(
      open({ ...byToken, ca_file: '', attempts: '1' }),
      /^athenz\.ts\.vault_address: Vault: no answer from localhost:\d+: .*(certificate|issuer)/,
    )
    assert.deepEqual(vault.seen, [])
  })
})

describe('a token that ends', () => {
  test('is renewed before', async () => {
    vault.tokens.set('good-token', { ttl: 1, renewable: true })
    vault.renewal = 1
    const [first] = await Promise.all([vault.arrival('auth/token/renew-self'), open()])
    assert.equal(first.token, 'good-token')
    await vault.arrival('auth/token/renew-self')
    assert.deepEqual(lines, [])
  })

  test('of AppRole is replaced when it can be renewed no more', async () => {
    vault.grant = { lease: 1, renewable: true }
    vault.renewal = undefined
    vault.secrets.set('secret/data/athenz/jdbc/db', { data: { value: 'x' } })
    const [, store] = await Promise.all([vault.arrival('auth/token/renew-self'), open(byRole)])
    assert.equal(await store.applicationSecret('jdbc', undefined, 'db'), 'x')
  })

  test('of AppRole that cannot be renewed is replaced in time', async () => {
    vault.grant = { lease: 1, renewable: false }
    await open(byRole)
    vault.grant = { lease: 3600, renewable: false }
    await vault.arrival('auth/approle/login')
    assert.deepEqual(paths(), ['POST auth/approle/login', 'POST auth/approle/login'])
  })

  test('and cannot be renewed is warned about', async () => {
    vault.tokens.set('good-token', { ttl: 60, renewable: false })
    await open()
    assert.deepEqual(lines, ['warn Vault: the token ends in 60 seconds and cannot be renewed'])
  })
})

describe('a Vault that is not ready', () => {
  const busy = { status: 503, body: { errors: ['Vault is sealed'] } }

  test('is asked again, later and later', async () => {
    vault.next.push(busy, { status: 429 }, { status: 500 })
    await open()
    assert.equal(vault.seen.length, 4)
    assert.equal(waits.length, 3)
    for (const [index, millis] of waits.entries()) {
      const longest = 200 * 2 ** index
      assert.ok(millis >= longest / 2 && millis <= longest, String(waits))
    }
  })

  test('stops the start in the end, with its words', async () => {
    vault.next.push(busy, busy, busy, busy)
    await refused(open(), /answered 503 to auth\/token\/lookup-self: Vault is sealed$/)
    assert.equal(vault.seen.length, 4)
  })

  test('is given up when it is silent', async () => {
    vault.next.push('silence', 'silence')
    await refused(
      open({ ...byToken, timeout_millis: '100', attempts: '2' }),
      /^athenz\.ts\.vault_address: Vault: no answer from localhost:\d+: .*(abort|time)/i,
    )
    assert.equal(vault.seen.length, 2)
  })

  test('is not asked again after a refusal', async () => {
    vault.next.push({ status: 400, body: { errors: ['bad request'] } })
    await refused(open(), /answered 400 /)
    assert.equal(vault.seen.length, 1)
  })

  test('takes the token nowhere else', async () => {
    vault.next.push({ status: 307, headers: { location: `${vault.address}/v1/elsewhere` } })
    await refused(
      open(),
      /answered 307 to auth\/token\/lookup-self: a redirection, which is not followed \(give the address of the leader\)$/,
    )
    assert.deepEqual(paths(), ['GET auth/token/lookup-self'])
  })
})

describe('the start fails', () => {
  const wrongLogin = 'set either athenz.ts.vault_token, or athenz.ts.vault_role_id and athenz.ts.vault_secret_id'
  const cases: readonly [behaviour: string, settings: Readonly<Record<string, string>>, message: string | RegExp][] = [
    ['without address', { ...byToken, address: '' }, 'athenz.ts.vault_address is not set'],
    [
      'with an address that is not protected',
      { ...byToken, address: 'http://vault.example.com' },
      'athenz.ts.vault_address: "http://vault.example.com" is no https URL (http is for this machine only)',
    ],
    ['without login', {}, wrongLogin],
    ['with two logins', { ...byToken, ...byRole }, wrongLogin],
    ['with half a login', { role_id: 'role' }, wrongLogin],
    ['with an unknown version', { ...byToken, kv_version: '3' }, 'athenz.ts.vault_kv_version: "3" is neither 1 nor 2'],
    [
      'with a path that leads elsewhere',
      { ...byToken, path: 'athenz/../sys' },
      'Vault: athenz.ts.vault_path: not a path (write parts with single slashes between them)',
    ],
    [
      'with a mount that begins with a slash',
      { ...byToken, mount: '/secret' },
      'Vault: athenz.ts.vault_mount: not a path (write parts with single slashes between them)',
    ],
    [
      'with a certificate without key',
      { ...byToken, cert_file: '/dev/null' },
      'athenz.ts.vault_cert_file and athenz.ts.vault_key_file belong together',
    ],
    [
      'when a file is not there',
      { token: 'file:none' },
      /^athenz\.ts\.vault_token: the file \/.*\/none cannot be read: ENOENT$/,
    ],
    ['without attempts', { ...byToken, attempts: '0' }, 'athenz.ts.vault_attempts: "0" is no number of 1 to 100'],
  ]
  for (const [behaviour, settings, message] of cases) {
    test(behaviour, () => refused(open(settings), message))
  }
})
