import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import {
  type AwsOverrides,
  openObjectKeyStore,
  openParameterKeyStore,
  openSecretKeyStore,
} from '#core/crypto/aws-private-key-store.ts'
import type { PrivateKeyStore, PrivateKeyStoreContext } from '#core/crypto/private-key-store.ts'

const PROPERTY = 'athenz.zms.private_key_store_factory_class'
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string

/** What the libraries were given, and what they answer. */
interface FakeAws {
  readonly load: (name: string) => Promise<unknown>
  readonly loaded: string[]
  readonly clients: object[]
  readonly commands: object[]
  closedCount: number
}

/** Libraries of AWS that answer every command by a function, which may throw what AWS would. */
function fakeAws(answer: (command: Readonly<Record<string, unknown>>) => unknown): FakeAws {
  class Client {
    constructor(options: object) {
      fake.clients.push(options)
    }
    async send(command: { readonly input: Readonly<Record<string, unknown>> }) {
      fake.commands.push(command.input)
      return answer(command.input)
    }
    destroy() {
      fake.closedCount++
    }
  }
  class Command {
    readonly input: object
    constructor(input: object) {
      this.input = input
    }
  }
  const library = {
    SSMClient: Client,
    SecretsManagerClient: Client,
    S3Client: Client,
    KMSClient: Client,
    GetParameterCommand: Command,
    GetSecretValueCommand: Command,
    GetObjectCommand: Command,
    DecryptCommand: Command,
  }
  const fake: FakeAws = {
    loaded: [],
    clients: [],
    commands: [],
    closedCount: 0,
    load: async (name) => {
      fake.loaded.push(name)
      return library
    },
  }
  return fake
}

const failure = (name: string, message = 'about hunter2') => Object.assign(new Error(message), { name })
const contextOf = (properties: Readonly<Record<string, string>>): PrivateKeyStoreContext => ({
  property: (name) => new Map(Object.entries(properties)).get(name),
  rootDirectory: '/nonexistent',
  log: () => assert.fail('nothing is logged'),
})
const refused = (promise: Promise<unknown>, message: string) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof ConfigError, String(error))
    assert.equal(error.message, message)
    return true
  })

/** The three stores, each over the same texts by name. */
const kinds: readonly {
  readonly service: string
  readonly packages: readonly string[]
  readonly absent: string
  readonly open: (context: PrivateKeyStoreContext, overrides: AwsOverrides) => Promise<PrivateKeyStore>
  readonly aws: (texts: ReadonlyMap<string, string>) => FakeAws
  readonly place: string
}[] = [
  {
    service: 'AWS Systems Manager',
    packages: ['@aws-sdk/client-ssm'],
    absent: 'ParameterNotFound',
    open: (context, overrides) => openParameterKeyStore(PROPERTY, context, overrides),
    aws: (texts) =>
      fakeAws(({ Name, WithDecryption }) => {
        assert.equal(WithDecryption, true)
        if (!texts.has(String(Name))) throw failure('ParameterNotFound')
        return { Parameter: { Value: texts.get(String(Name)) } }
      }),
    place: '',
  },
  {
    service: 'AWS Secrets Manager',
    packages: ['@aws-sdk/client-secrets-manager'],
    absent: 'ResourceNotFoundException',
    open: (context, overrides) => openSecretKeyStore(PROPERTY, context, overrides),
    aws: (texts) =>
      fakeAws(({ SecretId }) => {
        if (!texts.has(String(SecretId))) throw failure('ResourceNotFoundException')
        return { SecretString: texts.get(String(SecretId)) }
      }),
    place: '',
  },
  {
    service: 'AWS S3',
    packages: ['@aws-sdk/client-s3'],
    absent: 'NoSuchKey',
    open: (context, overrides) => openObjectKeyStore(PROPERTY, context, overrides),
    aws: (texts) =>
      fakeAws(({ Bucket, Key }) => {
        const text = texts.get(String(Key))
        assert.ok(Bucket === 'our-keys' || Bucket === 'jdbc')
        if (text === undefined) throw failure('NoSuchKey')
        return { Body: { transformToByteArray: async () => Buffer.from(text) } }
      }),
    place: 'our-keys/',
  },
]
const BUCKETS = { 'athenz.aws.zms.bucket_name': 'our-keys', 'athenz.aws.zts.bucket_name': 'our-keys' }

for (const { service, packages, open, aws, place } of kinds) {
  describe(`the key store of ${service}`, () => {
    test('has keys of each algorithm under names of their own', async () => {
      const fake = aws(
        new Map([
          ['service_private_key.ec', ec],
          ['service_private_key_id.ec', 'zms.ec\n'],
          ['zts-key.rsa', rsa],
          ['zts-id.rsa', 'zts.rsa'],
          ['service_private_key', rsa],
          ['service_private_key_id', 'zms'],
        ]),
      )
      const settings = { 'athenz.aws.zts.key_name': 'zts-key', 'athenz.aws.zts.key_id_name': 'zts-id', ...BUCKETS }
      const store = await open(contextOf(settings), fake)
      const found = [
        await store.privateKey('zms', 'host', undefined, 'ec'),
        await store.privateKey('zts', 'host', undefined, 'rsa'),
        await store.privateKey('zms', 'host'),
      ]
      assert.deepEqual(
        found.map((each) => [each?.keyId, each?.key.asymmetricKeyType]),
        [
          ['zms.ec', 'ec'],
          ['zts.rsa', 'rsa'],
          ['zms', 'rsa'],
        ],
      )
      assert.equal(await store.privateKey('zms', 'host', undefined, 'rsa'), undefined)
      assert.deepEqual(fake.loaded, packages)
      await store.close?.()
      assert.equal(fake.closedCount, 1)
    })

    test('refuses a key without id, one of another algorithm, and one that is none', async () => {
      const texts = new Map([['service_private_key.ec', ec]])
      const store = await open(contextOf(BUCKETS), aws(texts))
      const name = `${place}service_private_key.ec`
      const load = () => store.privateKey('zms', 'host', undefined, 'ec')
      await refused(load(), `${service}: ${name} has no id: there is nothing in ${place}service_private_key_id.ec`)
      texts.set('service_private_key_id.ec', '1').set('service_private_key.ec', 'hunter2')
      await refused(
        load(),
        `${service}: ${name} cannot be used: no private key in PEM form: the text has no PEM section`,
      )
      texts.set('service_private_key.ec', rsa)
      await assert.rejects(load(), /is not the EC key that belongs here$/)
    })

    test('has passwords', async () => {
      const store = await open(contextOf(BUCKETS), aws(new Map([['db', 'hunter2\n']])))
      assert.equal(await store.applicationSecret('jdbc', 'group', 'db'), 'hunter2')
    })

    test('refuses a password that is not there, without the name that was asked for', async () => {
      const store = await open(contextOf(BUCKETS), aws(new Map()))
      await refused(
        store.applicationSecret('jdbc', undefined, 'hunter2'),
        `${service}: a password named by a property: there is none of that name`,
      )
    })

    test('says why AWS refused, without what was asked for where that may be a password', async () => {
      const fake = fakeAws(() => {
        throw failure('AccessDeniedException', 'you may not read hunter2')
      })
      const store = await open(contextOf(BUCKETS), fake)
      await refused(
        store.applicationSecret('jdbc', undefined, 'hunter2'),
        `${service}: a password named by a property cannot be read: AccessDeniedException`,
      )
      await refused(
        store.privateKey('zms', 'host'),
        `${service}: ${place}service_private_key cannot be read: AccessDeniedException: you may not read hunter2`,
      )
    })

    test('says how its library is installed', async () => {
      const load = async (name: string) => {
        throw Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' })
      }
      await refused(
        open(contextOf(BUCKETS), { load }),
        `${PROPERTY}: the AWS library is not installed (npm install ${packages[0]}@3)`,
      )
    })

    test('passes on the error of a library that is damaged', async () => {
      const load = async () => {
        throw new SyntaxError('Unexpected token')
      }
      await assert.rejects(open(contextOf(BUCKETS), { load }), SyntaxError)
    })
  })
}

describe('regions', () => {
  test('are those of the settings', async () => {
    const fake = fakeAws(() => assert.fail('nothing is asked'))
    await openParameterKeyStore(PROPERTY, contextOf({ 'athenz.ts.aws_region': 'eu-central-1' }), fake)
    await openSecretKeyStore(PROPERTY, contextOf({}), fake)
    await openObjectKeyStore(PROPERTY, contextOf({ 'athenz.aws.s3.region': 'us-west-2' }), fake)
    assert.deepEqual(
      fake.clients.map((options) => ('region' in options ? options.region : undefined)),
      ['eu-central-1', undefined, 'us-west-2'],
    )
  })
})

describe('Secrets Manager', () => {
  const store = (texts: Readonly<Record<string, unknown>>) =>
    openSecretKeyStore(
      PROPERTY,
      contextOf({ 'athenz.aws.zms.key_name': 'zms#key', 'athenz.aws.zms.key_id_name': 'zms#id' }),
      fakeAws(({ SecretId }) => texts[String(SecretId)]),
    )

  test('has members of JSON objects', async () => {
    const SecretString = JSON.stringify({ username: 'zms', password: 'hunter2', port: 3306 })
    const opened = await store({
      db: { SecretString },
      'zms.ec': { SecretString: JSON.stringify({ key: ec, id: '7' }) },
    })
    assert.equal(await opened.applicationSecret('jdbc', undefined, 'db#password'), 'hunter2')
    assert.equal((await opened.privateKey('zms', 'host', undefined, 'ec'))?.keyId, '7')
    for (const name of ['db#other', 'db#port', 'db#constructor']) {
      await assert.rejects(opened.applicationSecret('jdbc', undefined, name), /there is none of that name$/)
    }
  })

  test('may have bytes', async () => {
    const opened = await store({ db: { SecretBinary: Buffer.from('hunter2') } })
    assert.equal(await opened.applicationSecret(undefined, undefined, 'db'), 'hunter2')
  })
})

describe('S3', () => {
  test('may have what is encrypted by the key management service', async () => {
    const fake = fakeAws(({ CiphertextBlob, Key }) => {
      if (CiphertextBlob !== undefined) {
        return { Plaintext: Buffer.from((CiphertextBlob as Buffer).toString().replace('encrypted ', '')) }
      }
      return { Body: { transformToByteArray: async () => Buffer.from(`encrypted text of ${String(Key)}`) } }
    })
    const settings = { 'athenz.aws.store_kms_decrypt': 'true', 'athenz.aws.store_kms_region': 'us-east-1' }
    const store = await openObjectKeyStore(PROPERTY, contextOf(settings), fake)
    assert.equal(await store.applicationSecret('jdbc', undefined, 'db'), 'text of db')
    assert.deepEqual(fake.loaded, ['@aws-sdk/client-s3', '@aws-sdk/client-kms'])
    assert.equal('region' in (fake.clients[1] as object), true)
    await store.close?.()
    assert.equal(fake.closedCount, 2)
  })

  test('needs a bucket', async () => {
    const store = await openObjectKeyStore(
      PROPERTY,
      contextOf({}),
      fakeAws(() => assert.fail('nothing is asked')),
    )
    await refused(store.privateKey('zms', 'host'), 'athenz.aws.zms.bucket_name is not set')
    await refused(
      store.applicationSecret(undefined, undefined, 'hunter2'),
      'AWS S3: a password needs the application, which names its bucket',
    )
  })
})
