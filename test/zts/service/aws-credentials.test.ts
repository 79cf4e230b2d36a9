import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { awsCredentialsService } from '#zts/service/aws-credentials.ts'
import { openRoleAssumer, type StsAccess } from '#zts/service/external/role-assumer.ts'
import { errorXml, grantedXml, STS_ACCESS, STS_REGION, type StsAnswer, startFakeSts } from '../../support/fake-sts.ts'
import { type CallOptions, Harness, refusal } from './harness.ts'

const MINUTE = 60_000

const role = (name: string, ...members: readonly string[]) => ({
  name: `sports:role.${name}`,
  roleMembers: members.map((memberName) => ({ memberName })),
})
const policy = (name: string, ...assertions: readonly [string, string, string, string?][]) => ({
  name: `sports:policy.${name}`,
  active: true,
  assertions: assertions.map(([by, action, resource, effect = 'ALLOW']) => ({
    role: `sports:role.${by}`,
    action,
    resource,
    effect,
  })),
})
const sports = {
  name: 'sports',
  account: '123456789012',
  roles: [
    role('admin', 'user.admin'),
    role('readers', 'sports.svc', 'user.alice', `sports.${'long-name-'.repeat(8)}end`),
    role('banned', 'user.alice'),
    role('globbers', 'user.glob'),
  ],
  policies: [
    policy('admin', ['admin', '*', 'sports:*']),
    policy(
      'aws',
      ['readers', 'assume_aws_role', 'sports:awsrole'],
      ['readers', 'ASSUME_AWS_ROLE', 'sports:Team/Reader.Role'],
      ['readers', 'assume_aws_role', 'sports:wild*'],
      ['glob*', 'assume_aws_role', 'sports:awsrole'],
      ['banned', 'assume_aws_role', 'sports:a*', 'DENY'],
    ),
  ],
}

interface Options {
  readonly reply?: StsAnswer
  readonly properties?: Readonly<Record<string, string>>
  readonly domain?: object
  readonly access?: StsAccess
}

async function open({ reply, properties, domain, access }: Options = {}) {
  const sts = await startFakeSts(reply ?? ((_, count) => grantedXml(String(count), '2026-08-02T01:00:00Z')))
  const all = { aws_enabled: 'true', aws_region_name: STS_REGION, ...properties }
  const { config } = await loadServerConfig({
    server: 'zts',
    rootDir: '/nonexistent',
    files: [],
    overrides: Object.entries(all).map(([key, value]) => [`athenz.zts.${key}`, value] as const),
    env: {},
    hostname: 'h',
  })
  const roleAssumer = await openRoleAssumer(config, { endpoint: sts.url, credentials: STS_ACCESS, ...access })
  after(() => roleAssumer?.close())
  const log: string[] = []
  const harness = await Harness.open({
    services: [
      (parts) => awsCredentialsService({ ...parts, roleAssumer, log: (level, line) => log.push(`${level}: ${line}`) }),
    ],
    domains: [{ ...sports, ...domain }],
    properties: all,
  })
  const ask = (path = 'awsrole', options: CallOptions = { as: 'sports.svc' }) =>
    harness.get(`/domain/sports/role/${path.includes('?') ? path.replace('?', '/creds?') : `${path}/creds`}`, options)
  return { sts, harness, ask, log }
}

const forbidden = (name: string, who: string) =>
  refusal(403, `Athenz Configuration Error: Forbidden (assume_aws_role on sports:${name} for ${who})`)

describe('credentials of AWS', () => {
  test('are those that AWS gives for the role in the account of the domain', async () => {
    const { ask, sts } = await open()
    const answer = await ask()
    assert.deepEqual(answer.body, {
      accessKeyId: 'key-1',
      secretAccessKey: 'secret-1',
      sessionToken: 'session-1',
      expiration: '2026-08-02T01:00:00.000Z',
    })
    assert.deepEqual(sts.asked, [
      {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: 'arn:aws:iam::123456789012:role/awsrole',
        RoleSessionName: 'sports.svc',
      },
    ])
  })

  test('are asked for with the duration and the external id of the request', async () => {
    const { ask, sts } = await open()
    await ask('awsrole?durationSeconds=900&externalId=a%26b')
    await ask('awsrole?durationSeconds=0&externalId=')
    assert.deepEqual(
      sts.asked.map(({ DurationSeconds, ExternalId }) => [DurationSeconds, ExternalId]),
      [
        ['900', 'a&b'],
        [undefined, undefined],
      ],
    )
  })

  test('are asked for with the path of the role as it is written', async () => {
    const { ask, sts } = await open()
    assert.equal((await ask(encodeURIComponent(encodeURIComponent('Team/Reader.Role')))).status, 200)
    assert.equal(sts.asked[0]?.['RoleArn'], 'arn:aws:iam::123456789012:role/Team/Reader.Role')
  })

  test('have the name of the principal as name of the session, or the one that is configured', async () => {
    const name = `sports.${'long-name-'.repeat(8)}end`
    const { ask, sts } = await open()
    await ask('awsrole', { as: name })
    const session = sts.asked[0]?.['RoleSessionName'] ?? ''
    assert.equal(session, `${name.slice(0, 30)}...${name.slice(-30)}`)
    assert.ok(session.length <= 64)
    const other = await open({ properties: { aws_role_session_name: 'athenz' } })
    await other.ask()
    assert.equal(other.sts.asked[0]?.['RoleSessionName'], 'athenz')
  })

  test('are not had when the signature is that of another key', async () => {
    const { ask } = await open({ access: { credentials: { ...STS_ACCESS, secretAccessKey: 'other' } } })
    const { status, body } = await ask()
    assert.equal(status, 400)
    assert.match(String(body.message), /error: another signature$/)
  })
})

describe('credentials of AWS are refused', () => {
  const refusals: readonly (readonly [string, string, CallOptions, ReturnType<typeof refusal>])[] = [
    ['for a role that no policy names', 'other', {}, forbidden('other', 'sports.svc')],
    ['for a role that a policy names with a wildcard', 'wild1', {}, forbidden('wild1', 'sports.svc')],
    ['to an administrator of the domain', 'awsrole', { as: 'user.admin' }, forbidden('awsrole', 'user.admin')],
    ['to a role selected by a wildcard', 'awsrole', { as: 'user.glob' }, forbidden('awsrole', 'user.glob')],
    ['to somebody who is forbidden it', 'awsrole', { as: 'user.alice' }, forbidden('awsrole', 'user.alice')],
    ['to a stranger', 'awsrole', { as: 'user.eve' }, forbidden('awsrole', 'user.eve')],
    [
      'to roles',
      'awsrole',
      { principal: { roles: ['sports:role.readers'] } },
      refusal(403, 'Role Identity not authorized for request'),
    ],
    [
      'to services that act for somebody',
      'awsrole',
      { principal: { authorizedService: 'sports.proxy' } },
      refusal(403, 'Authorized Service Principals not allowed'),
    ],
    ['to nobody', 'awsrole', { anonymous: true }, refusal(401, 'Unauthenticated request')],
  ]
  for (const [what, name, options, expected] of refusals) {
    test(what, async () => {
      const { ask, sts } = await open()
      assert.deepEqual(await ask(name, { as: 'sports.svc', ...options }), expected)
      assert.equal(sts.asked.length, 0)
    })
  }

  for (const name of ['a%2520b', '..%252f..', 'a%252f%252fb', '%2500', 'a%250d%250ab', 'x:role%252fy']) {
    test(`for the malformed role ${name}`, async () => {
      const { ask, sts } = await open()
      assert.equal((await ask(name)).status, 400)
      assert.equal(sts.asked.length, 0)
    })
  }

  test('for a domain that is not known', async () => {
    const { harness } = await open()
    const message = 'Athenz Configuration Error: Forbidden (assume_aws_role on nosuch:awsrole for sports.svc)'
    assert.deepEqual(
      await harness.get('/domain/nosuch/role/awsrole/creds', { as: 'sports.svc' }),
      refusal(403, message),
    )
  })

  for (const account of [undefined, '', '12:role/evil', '1234 5678']) {
    test(`for a domain with the account ${account}`, async () => {
      const { ask, sts } = await open({ domain: { account } })
      const message = 'Athenz Configuration Error: unable to retrieve AWS account for: sports'
      assert.deepEqual(await ask(), refusal(400, message))
      assert.equal(sts.asked.length, 0)
    })
  }

  test('for a domain with several accounts', async () => {
    const { ask, sts } = await open({ domain: { account: '123456789012,210987654321' } })
    assert.deepEqual(await ask(), refusal(400, 'more than one aws account found for domain: sports'))
    assert.equal(sts.asked.length, 0)
  })

  test('for a role in capital letters by the resource that was looked for', async () => {
    const { ask } = await open()
    assert.deepEqual(await ask('Other'), forbidden('other', 'sports.svc'))
  })

  test('unless they are switched on', async () => {
    const { ask } = await open({ properties: { aws_enabled: 'false' } })
    for (const name of ['awsrole', 'nosuch'])
      assert.deepEqual(await ask(name), refusal(400, 'AWS support is not available'))
  })
})

describe('answers of AWS are kept', () => {
  test('for some time, but not beyond their end', async () => {
    const { ask, sts, harness } = await open()
    for (const minutes of [0, 5, 4]) {
      harness.clock.millis += minutes * MINUTE
      assert.equal((await ask()).body.accessKeyId, 'key-1')
    }
    harness.clock.millis += MINUTE
    assert.equal((await ask()).body.accessKeyId, 'key-2')
    const short = await open({ reply: (_, count) => grantedXml(String(count), '2026-08-02T00:03:00Z') })
    await short.ask()
    short.harness.clock.millis += 3 * MINUTE
    assert.equal((await short.ask()).body.accessKeyId, 'key-2')
    assert.equal(sts.asked.length, 2)
  })

  test('for the same question only', async () => {
    const { ask, sts, harness } = await open({ domain: { roles: [role('readers', 'sports.svc', 'user.bob')] } })
    const targets = ['awsrole', 'awsrole?durationSeconds=900', 'awsrole?externalId=x', 'awsrole?externalId=900']
    for (let round = 0; round < 2; round++) {
      for (const each of targets) for (const as of ['sports.svc', 'user.bob']) await ask(each, { as })
    }
    assert.equal(sts.asked.length, 8)
    harness.receive({ ...sports, account: '210987654321' })
    await ask()
    assert.equal(sts.asked.at(-1)?.['RoleArn'], 'arn:aws:iam::210987654321:role/awsrole')
  })

  test('but not given to somebody who has lost his role', async () => {
    const { ask, harness } = await open()
    assert.equal((await ask()).status, 200)
    harness.receive({ ...sports, roles: [role('readers')] })
    assert.deepEqual(await ask(), forbidden('awsrole', 'sports.svc'))
  })

  test('and asked for once by all who ask at the same time', async () => {
    const { ask, sts } = await open()
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask()))
    assert.deepEqual(new Set(answers.map(({ body }) => body.accessKeyId as string)), new Set(['key-1']))
    assert.equal(sts.asked.length, 1)
  })

  test('not at all when no time is configured', async () => {
    const { ask, sts } = await open({ properties: { aws_creds_cache_timeout: '0' } })
    await ask()
    await ask()
    assert.equal(sts.asked.length, 2)
  })

  const DENIED = 'User: arn:aws:iam::1:user/zts is not authorized to perform: sts:AssumeRole'
  const refused = (reason: string) =>
    refusal(
      400,
      'AWS Configuration Error: Unable to assume role awsrole in domain sports for principal sports.svc' +
        `error: ${reason}`,
    )

  test('when they are refusals, for a shorter time', async () => {
    const { ask, sts, harness, log } = await open({ reply: () => errorXml(403, 'AccessDenied', DENIED) })
    assert.deepEqual(await ask(), refused(DENIED))
    assert.match(
      log[0] ?? '',
      /^warn: AWS: role arn:aws:iam::123456789012:role\/awsrole was not assumed for sports\.svc/,
    )
    sts.reply = (_, count) => grantedXml(String(count), '2026-08-02T01:00:00Z')
    harness.clock.millis += 2 * MINUTE - 1
    assert.deepEqual(await ask(), refused(DENIED))
    harness.clock.millis += 1
    assert.equal((await ask()).body.accessKeyId, 'key-2')
  })

  test('not for longer because the clock is set back', async () => {
    const { ask, sts, harness } = await open()
    await ask()
    harness.clock.millis -= 24 * 60 * MINUTE
    assert.equal((await ask()).body.accessKeyId, 'key-2')
    sts.reply = () => errorXml(403, 'AccessDenied', DENIED)
    assert.deepEqual(await ask('awsrole?externalId=x'), refused(DENIED))
    sts.reply = (_, count) => grantedXml(String(count), '2026-08-02T01:00:00Z')
    harness.clock.millis -= 24 * 60 * MINUTE
    assert.equal((await ask('awsrole?externalId=x')).body.accessKeyId, 'key-4')
  })

  test('when they are other failures, if that is configured', async () => {
    for (const [all, questions] of [
      ['true', 1],
      ['false', 2],
    ] as const) {
      const { ask, sts } = await open({
        reply: () => errorXml(400, 'ValidationError', 'durationSeconds is too long'),
        properties: { aws_creds_invalid_cache_all_errors: all },
      })
      assert.deepEqual(await ask(), refused('durationSeconds is too long'))
      assert.deepEqual(await ask(), refused('durationSeconds is too long'))
      assert.equal(sts.asked.length, questions)
    }
  })

  test('refusals always', async () => {
    const { ask, sts } = await open({
      reply: () => errorXml(403, 'AccessDenied', DENIED),
      properties: { aws_creds_invalid_cache_all_errors: 'false' },
    })
    await ask()
    await ask()
    assert.equal(sts.asked.length, 1)
  })

  test('and what goes wrong on the way is not told to the client', async () => {
    const { ask, sts, log } = await open()
    sts.close()
    assert.deepEqual(await ask(), refused('AWS gave no answer'))
    assert.match(log[0] ?? '', /ECONNREFUSED/)
  })

  test('and an answer without credentials is none', async () => {
    const { ask } = await open({ reply: () => ({ status: 200, xml: '<AssumeRoleResponse></AssumeRoleResponse>' }) })
    const { status, body } = await ask()
    assert.equal(status, 400)
    assert.match(String(body.message), /error: AWS gave no answer$/)
  })
})

describe('the library of AWS', () => {
  const configOf = async (enabled: boolean) => {
    const { config } = await loadServerConfig({
      server: 'zts',
      rootDir: '/nonexistent',
      files: [],
      overrides: [['athenz.zts.aws_enabled', String(enabled)]],
      env: {},
      hostname: 'h',
    })
    return config
  }

  test('is not loaded unless it is needed', async () => {
    const load = () => Promise.reject(new Error('loaded'))
    assert.equal(await openRoleAssumer(await configOf(false), {}, load), undefined)
  })

  test('stops the start when it is missing, and says how to install it', async () => {
    const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    await assert.rejects(
      openRoleAssumer(await configOf(true), {}, () => Promise.reject(missing)),
      (error) =>
        error instanceof ConfigError &&
        error.message.includes('the AWS library is not installed (npm install @aws-sdk/client-sts@3)'),
    )
  })

  test('stops the start when it cannot be loaded for another reason', async () => {
    const broken = new SyntaxError('broken')
    await assert.rejects(
      openRoleAssumer(await configOf(true), {}, () => Promise.reject(broken)),
      broken,
    )
  })
})
