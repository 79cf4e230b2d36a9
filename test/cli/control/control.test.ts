import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { PROJECT_FOLDER } from '../../architecture/sources.ts'
import { clientCertificate } from '../../support/client-certificate.ts'
import { type DevServers, startDevServers } from '../../support/dev-servers.ts'
import { runProgram } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const ATHENZ = join(PROJECT_FOLDER, 'bin', 'athenz')
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('athenz: commands that ask the servers', () => {
  const work = temporaryFolder()
  const at = (file: string) => join(work, file)
  const contexts = at('contexts.yaml')
  let servers: DevServers

  before(async () => {
    servers = await startDevServers({ dir: at('dev'), zts: true })
    writeFileSync(at('api.pub.pem'), publicKeyPem(keys.publicKey))
    writeFileSync(at('api.key'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const joe = await clientCertificate(servers.summary, 'user.joe')
    writeFileSync(at('joe.pem'), joe.certificate)
    writeFileSync(at('joe.key'), joe.key, { mode: 0o600 })
    await prints(['context', 'set', 'dev', '--dev', at('dev')], '')
  })

  after(() => servers[Symbol.asyncDispose]())

  const run = (args: readonly string[]) =>
    runProgram(ATHENZ, args, {
      cwd: work,
      env: { PATH: process.env['PATH'], HOME: work, ATHENZ_CONTEXTS: contexts },
    })

  /** A command must succeed, or end as told, and print exactly this. */
  async function prints(args: readonly string[], expected: string, status = 0): Promise<void> {
    const outcome = await run(args)
    assert.equal(outcome.stderr, '')
    assert.equal(outcome.stdout.trimEnd(), expected)
    assert.equal(outcome.status, status)
  }

  async function json(args: readonly string[]): Promise<unknown> {
    const { status, stdout, stderr } = await run([...args, '-o', 'json'])
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout)
  }

  async function fails(args: readonly string[], status: number, reason: RegExp): Promise<void> {
    const outcome = await run(args)
    assert.match(outcome.stderr, reason)
    assert.equal(outcome.stdout, '')
    assert.equal(outcome.status, status)
  }

  const make = async (domain: string) => prints(['domain', 'create', domain], `created domain ${domain}`)

  describe('context', () => {
    test('keeps servers and identities by name, for the user alone', async () => {
      assert.equal(statSync(contexts).mode & 0o777, 0o600)
      await prints(['context', 'set', 'other', '--zms', 'https://zms.example.com', '--key-file', 'joe.key'], '')
      const { zms, zts, adminCert } = servers.summary
      assert.deepEqual(await json(['context', 'list']), [
        { name: 'dev', current: true, zms, zts, identity: adminCert },
        { name: 'other', current: false, zms: 'https://zms.example.com' },
      ])
      assert.match(readFileSync(contexts, 'utf8'), new RegExp(`key: ${at('joe.key')}`))
      await prints(['context', 'use', 'other'], '')
      assert.match((await run(['context', 'list'])).stdout, /^\* +other/m)
      await prints(['context', 'use', 'dev'], '')
      await prints(['context', 'delete', 'other'], '')
      await fails(['context', 'use', 'other'], 1, /there is no context other/)
      await fails(['context', 'set', '../x'], 1, /is no name of a context/)
      await fails(['context', 'set', 'x', '--dev', at('absent')], 1, /start the servers first/)
    })

    test('says what is wrong in the file', async () => {
      const env = { PATH: process.env['PATH'], HOME: work, ATHENZ_CONTEXTS: at('bad.yaml') }
      for (const [text, reason] of [
        ['contexts: [', /cannot be understood/],
        ['contexts: {dev: {zsm: x}}', /the context dev has zsm; known are zms/],
        ['current: 5', /current is no name/],
        ['current: gone', /there is no context gone/],
      ] as const) {
        writeFileSync(at('bad.yaml'), text)
        const outcome = await runProgram(ATHENZ, ['domain', 'list'], { cwd: work, env })
        assert.match(outcome.stderr, reason)
        assert.equal(outcome.status, 1)
      }
    })
  })

  test('a domain, its roles, groups, policies and services are made, changed and deleted', async () => {
    await prints(
      ['domain', 'create', 'rain', '--dry-run'],
      'create domain rain\n  + domain: rain\n  + admins:\n  +   - user.admin',
      6,
    )
    await make('rain')
    await prints(['group', 'create', 'rain', 'team', '--member', 'user.joe'], 'created group rain:group.team')
    await prints(
      [
        'role',
        'create',
        'rain',
        'readers',
        '--member',
        'rain:group.team',
        '--set',
        'tokenExpiryMins=30',
        'selfServe=true',
      ],
      'created role rain:role.readers',
    )
    const addition = ['role', 'add-member', 'rain', 'readers', 'user.jane', '--until', '2040-01-31']
    const shownAddition = [
      'create member user.jane of role rain:role.readers',
      '  + name: user.jane',
      '  + expiration: 2040-01-31T00:00:00.000Z',
    ]
    await prints([...addition, '--dry-run'], shownAddition.join('\n'), 6)
    await prints(addition, 'created member user.jane of role rain:role.readers')
    await prints([...addition, '--dry-run'], 'nothing to change')
    await prints(
      ['role', 'set', 'rain', 'readers', 'selfServe=', 'tokenExpiryMins=60', '--dry-run'],
      [
        'change role rain:role.readers',
        '  - selfServe: true',
        '  - tokenExpiryMins: 30',
        '  + tokenExpiryMins: 60',
        '    members:',
        '      - rain:group.team',
        '      - name: user.jane',
        '        expiration: 2040-01-31T00:00:00.000Z',
      ].join('\n'),
      6,
    )
    await prints(
      ['role', 'set', 'rain', 'readers', 'selfServe=', 'tokenExpiryMins=60'],
      'changed role rain:role.readers',
    )
    assert.deepEqual(await json(['role', 'get', 'rain', 'readers']), {
      name: 'readers',
      tokenExpiryMins: 60,
      members: ['rain:group.team', { name: 'user.jane', expiration: '2040-01-31T00:00:00.000Z' }],
    })
    await prints(
      ['role', 'remove-member', 'rain', 'readers', 'user.jane'],
      'deleted member user.jane of role rain:role.readers',
    )
    await prints(
      ['role', 'list', 'rain'],
      'ROLE     MEMBERS  TRUST  DESCRIPTION\nadmin    1        -      -\nreaders  1        -      -',
    )
    await prints(
      ['policy', 'create', 'rain', 'readers', 'grant read to readers on drops.*'],
      'created policy rain:policy.readers',
    )
    const denial = 'deny read to readers on drops.secret'
    await prints(['policy', 'add-assertion', 'rain', 'readers', denial], 'changed policy rain:policy.readers')
    await prints(
      ['policy', 'get', 'rain', 'readers', '-o', 'yaml'],
      `name: readers\nassertions:\n  - ${denial}\n  - grant read to readers on drops.*`,
    )
    await prints(['policy', 'remove-assertion', 'rain', 'readers', denial], 'changed policy rain:policy.readers')
    await fails(['policy', 'remove-assertion', 'rain', 'readers', denial], 3, /has no assertion deny read/)
    await prints(['service', 'create', 'rain', 'api', '--key', 'v1=api.pub.pem'], 'created service rain.api')
    await prints(['service', 'add-key', 'rain', 'api', 'v2', 'api.pub.pem'], 'changed service rain.api')
    await prints(['service', 'remove-key', 'rain', 'api', 'v1'], 'changed service rain.api')
    await prints(['service', 'list', 'rain'], 'SERVICE  KEYS  DESCRIPTION\napi      v2    -')
    await prints(
      ['domain', 'set', 'rain', 'description=Falling water', 'memberExpiryDays=30'],
      'changed settings of domain rain',
    )
    await prints(['domain', 'list', 'rain'], 'DOMAIN\nrain')
    for (const [noun, name] of [
      ['policy', 'readers'],
      ['role', 'readers'],
      ['group', 'team'],
      ['service', 'api'],
    ] as const) {
      const full = noun === 'service' ? `rain.${name}` : `rain:${noun}.${name}`
      await prints([noun, 'delete', 'rain', name], `deleted ${noun} ${full}`)
      await fails([noun, 'get', 'rain', name], 3, new RegExp(`there is no ${noun}`))
    }
    await prints(['domain', 'delete', 'rain'], 'deleted domain rain')
    await fails(['domain', 'get', 'rain'], 3, /there is no domain rain/)
  })

  describe('apply', () => {
    const manifest = (name: string, text: string) => {
      writeFileSync(at(name), text)
      return name
    }

    // Later than ninety days ZMS would not take.
    const inAMonth = new Date(Date.now() + 30 * 86_400_000).toISOString()

    test('makes domains what a file says, and a second run changes nothing', async () => {
      const file = manifest(
        'lake.yaml',
        `domain: lake
admins: [user.admin]
settings: {memberExpiryDays: 90, description: A lake, tags: {team: [green, blue]}}
groups:
  team: {members: [user.joe]}
roles:
  readers:
    members: [sys.auth.zts, "lake:group.team", {name: user.jane, expiration: ${inAMonth}}]
    tokenExpiryMins: 60
    tags: {env: prod}
  foreign: {trust: sys}
policies:
  readers:
    assertions: [grant read to readers on water.*, {action: Read, role: readers, resource: Water.X, caseSensitive: true}]
services:
  api: {description: x, hosts: [b, a], keys: {v1: {file: api.pub.pem}}}
---
domain: lake.pond
admins: [user.admin]
`,
      )
      const outcome = await run(['apply', '-f', file, '--dry-run'])
      assert.match(outcome.stdout, /^create domain lake$/m)
      assert.match(outcome.stdout, /^ {2}\+ {3}- grant read to readers on water\.\*$/m)
      assert.equal(outcome.status, 6)
      await fails(['domain', 'get', 'lake'], 3, /there is no domain/)
      const made = [
        'created domain lake',
        'changed settings of domain lake',
        'created group lake:group.team',
        'created service lake.api',
        'created role lake:role.readers',
        'created role lake:role.foreign',
        'created policy lake:policy.readers',
        'created domain lake.pond',
      ]
      await prints(['apply', '-f', file], made.join('\n'))
      await prints(['apply', '-f', file], 'nothing to change')
      await prints(['apply', '-f', file, '--dry-run'], 'nothing to change')
      const printed = await run(['domain', 'get', 'lake', '-o', 'yaml'])
      manifest('printed.yaml', printed.stdout)
      await prints(['apply', '-f', 'printed.yaml', '--prune'], 'nothing to change')
    })

    test('takes a date that is later than ZMS allows for the latest that it does', async () => {
      const file = manifest(
        'late.yaml',
        `domain: late
admins: [user.admin]
settings: {memberExpiryDays: 90}
groups:
  team: {members: [{name: user.joe, expiration: 2090-01-01}], memberExpiryDays: 10}
roles:
  readers:
    members: [{name: sys.auth.zts, expiration: 2090-01-01}, {name: user.jane, expiration: 2090-01-01, reviewReminder: 2090-01-01}]
    memberReviewDays: 30
`,
      )
      const daysUntil = (date: string | undefined) => Math.round((Date.parse(date ?? '') - Date.now()) / 86_400_000)
      assert.equal((await run(['apply', '-f', file])).status, 0)
      const { groups, roles } = (await json(['domain', 'get', 'late'])) as Record<
        string,
        Record<string, { members: { name: string; expiration?: string; reviewReminder?: string }[] }>
      >
      assert.deepEqual(
        [...(groups?.['team']?.members ?? []), ...(roles?.['readers']?.members ?? [])].map(
          ({ name, expiration, reviewReminder }) => [name, daysUntil(expiration), daysUntil(reviewReminder)],
        ),
        [
          ['user.joe', 10, Number.NaN],
          // Nothing limits services: the date is the one of the file.
          ['sys.auth.zts', daysUntil('2090-01-01'), Number.NaN],
          ['user.jane', 90, 30],
        ],
      )
      await prints(['apply', '-f', file], 'nothing to change')
      await prints(['apply', '-f', file, '--dry-run'], 'nothing to change')
      manifest(
        'unlimited.yaml',
        readFileSync(at(file), 'utf8').replace('memberExpiryDays: 90', 'memberExpiryDays: null'),
      )
      const dry = await run(['apply', '-f', 'unlimited.yaml', '--dry-run'])
      assert.match(dry.stdout, /^ {2}\+ +expiration: 2090-01-01T00:00:00\.000Z$/m)
      assert.equal(dry.status, 6)
    })

    test('takes away what the file does not name only when told so, and never the administrators', async () => {
      const file = manifest(
        'less.yaml',
        'domain: lake\nsettings: {memberExpiryDays: null}\nroles: {readers: {members: [user.jane], tokenExpiryMins: null}}\n',
      )
      const less = ['changed settings of domain lake', 'changed role lake:role.readers']
      const pruned = [
        'deleted policy lake:policy.readers',
        'deleted role lake:role.foreign',
        'deleted service lake.api',
        'deleted group lake:group.team',
      ]
      await prints(['apply', '-f', file], less.join('\n'))
      await prints(['apply', '-f', file, '--prune'], pruned.join('\n'))
      await prints(['apply', '-f', file, '--prune'], 'nothing to change')
      const { roles, policies } = (await json(['domain', 'get', 'lake'])) as Record<'roles' | 'policies', object>
      assert.deepEqual([Object.keys(roles), Object.keys(policies)], [['admin', 'readers'], ['admin']])
    })

    const mistakes: readonly [string, RegExp][] = [
      ['domain: lake\nrolez: {}', /rolez is not known/],
      ['domain: "Lake!"', /domain is no name/],
      ['roles: {}', /domain is no name/],
      ['domain: lake\nroles: {r: {members: user.joe}}', /members of role r are no list/],
      ['domain: lake\nroles: {r: {color: red}}', /role r has color/],
      [
        'domain: lake\nroles: {r: {members: [{name: user.joe, expiration: soon}]}}',
        /expiration of user\.joe .* no time/,
      ],
      ['domain: lake\npolicies: {p: {assertions: [grant all]}}', /write grant\|deny/],
      ['domain: lake\nservices: {api: {keys: {v1: {file: absent.pem}}}}', /cannot read .*absent\.pem/],
      ['domain: lake\nservices: {api: {keys: {v1: {file: api.key}}}}', /is a private key/],
      ['domain: lake\nsettings: {account: "1"}', /account is not one/],
      ['domain: [', /cannot be understood/],
      ['', /has no domain/],
      ['domain: unmade', /name its administrators/],
    ]
    test('says what is wrong in the file, and changes nothing', async () => {
      for (const [text, reason] of mistakes) await fails(['apply', '-f', manifest('bad.yaml', text)], 1, reason)
      await fails(['apply', '-f', 'absent.yaml'], 1, /cannot read absent\.yaml/)
    })

    test('what ZMS refuses ends it; what was done before is told', async () => {
      const text =
        'domain: lake\ngroups: {one: {members: [user.joe]}}\nroles: {two: {members: ["lake:group.absent"]}}\n'
      const outcome = await run(['apply', '-f', manifest('refused.yaml', text)])
      assert.equal(outcome.stdout, 'created group lake:group.one\n')
      assert.match(outcome.stderr, /^athenz apply: 400 .*request [0-9a-f-]+\)$/m)
      assert.equal(outcome.status, 1)
    })
  })

  test('policy wait ends when ZTS serves what ZMS has', async () => {
    await make('flood')
    const { status, stdout } = await run(['policy', 'wait', 'flood', '-o', 'json'])
    assert.equal(status, 0)
    const { modified } = JSON.parse(stdout) as { modified: string }
    await prints(['policy', 'wait', 'flood', '--modified', modified], `ZTS serves flood of ${modified}`)
    const late = ['policy', 'wait', 'flood', '--modified', '2090-01-01', '--timeout', '1']
    await fails(late, 6, /ZTS serves that of .* after 1 s, not the flood of 2090-01-01/)
    await fails(['policy', 'wait', 'absent'], 3, /404/)
  })

  test('tokens are printed alone', async () => {
    const { stdout, status } = await run(['token', 'role', 'sys.auth', '--minutes', '30'])
    assert.match(stdout, /^v=Z1;d=sys\.auth;[^\n]+\n$/)
    assert.equal(status, 0)
    const answer = (await json(['token', 'access', 'sys.auth', '--minutes', '30'])) as Record<string, unknown>
    assert.deepEqual([answer['token_type'], answer['expires_in']], ['Bearer', 1800])
    await fails(['token', 'role', 'sys.auth', '--role', 'absent'], 4, /403 .*not included/)
  })

  test('ends with the status of its failure', async () => {
    const joe = ['--cert-file', 'joe.pem', '--key-file', 'joe.key']
    await fails(['role', 'create', 'sys.auth', 'mine', '--member', 'user.joe', ...joe], 4, /403 .*request/)
    await fails(['role', 'get', 'absent', 'role', ...joe], 3, /there is no role/)
    await fails(['domain', 'list', '--zms', 'https://localhost:1'], 5, /ECONNREFUSED/)
    await fails(['domain', 'list', '--context', 'absent'], 1, /there is no context absent/)
    await fails(['domain', 'list', '--key-file', 'api.key', '--cert-file', 'joe.pem'], 1, /does not belong/)
    await fails(['domain', 'list', '-o', 'xml'], 1, /Allowed choices are table, json, yaml/)
    const help = await run(['apply', '--help'])
    assert.match(help.stdout, /Exit status:\n {2}0 {2}done\n(?:.*\n)* {2}6 {2}with --dry-run: something would change/)
  })

  describe('doctor', () => {
    const lineOf = (text: string, check: string) =>
      text.split('\n').find((line) => line.slice(6).startsWith(`${check}:`)) ?? ''

    test('finds nothing wrong with servers that run', async () => {
      const { stdout, status, stderr } = await run(['doctor', '--root', at('dev')])
      assert.doesNotMatch(stdout, /^FAIL/m)
      for (const check of [
        'ZMS answers',
        'ZTS is trusted',
        'clock of ZTS',
        'ZMS knows you',
        'ZTS is registered',
        'ZTS has the domains of ZMS',
        'configuration of ZMS',
        'key of ZTS',
      ]) {
        assert.match(lineOf(stdout, check), /^ok/, check)
      }
      assert.equal(status, 0, stderr)
    })

    test('says what is wrong and what to do', async () => {
      copyFileSync(at('joe.key'), at('open.key'))
      chmodSync(at('open.key'), 0o644)
      const { summary } = servers
      const args = [
        '--cert-file',
        'joe.pem',
        '--key-file',
        'open.key',
        '--ca-file',
        'joe.pem',
        '--zts',
        'https://localhost:1',
      ]
      const { stdout, status } = await run(['doctor', ...args, '--root', at('absent')])
      assert.equal(status, 6)
      const failing = [
        'your private key',
        'ZMS is trusted',
        'ZTS answers',
        'ZMS knows you',
        'ZTS has the domains of ZMS',
        'configuration',
      ]
      for (const check of failing) assert.match(lineOf(stdout, check), /^FAIL/, `${check} in ${stdout}`)
      assert.match(stdout, /^ {6}chmod 600 open\.key$/m)
      assert.match(lineOf(stdout, 'ZMS answers'), /^ok/)
      const findings = JSON.parse((await run(['doctor', ...args, '-o', 'json'])).stdout) as {
        ok: boolean
        advice?: string
      }[]
      assert.ok(findings.every(({ ok, advice }) => ok || advice !== undefined))
      assert.ok(summary.zms)
    })

    test('finds a configuration that cannot be read, and keys that others may read', async () => {
      const root = temporaryFolder()
      mkdirSync(join(root, 'conf', 'zms_server'), { recursive: true })
      mkdirSync(join(root, 'var', 'zms_server', 'keys'), { recursive: true })
      writeFileSync(
        join(root, 'conf', 'zms_server', 'zms.properties'),
        'athenz.zms.cert_revoke_ids=\nathenz.tls_port=many\n',
      )
      copyFileSync(at('joe.key'), join(root, 'var', 'zms_server', 'keys', 'zms_private.pem'))
      chmodSync(join(root, 'var', 'zms_server', 'keys', 'zms_private.pem'), 0o644)
      const { stdout, status } = await run(['doctor', '--root', root])
      assert.match(lineOf(stdout, 'configuration of ZMS'), /^FAIL.*many/)
      assert.match(lineOf(stdout, 'key of ZMS'), /^FAIL.*may be read by others \(0644\)/)
      assert.equal(status, 6)
    })
  })

  describe('completion', () => {
    const complete = async (...words: string[]) => {
      const { stdout: script } = await run(['completion', 'bash'])
      writeFileSync(at('athenz.bash'), script)
      const asked =
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _athenz; printf "%s\\n" "${COMPREPLY[@]}"'
      const { stdout, stderr } = await runProgram('bash', ['-c', asked, 'bash', at('athenz.bash'), ...words], {
        cwd: work,
      })
      assert.equal(stderr, '')
      return stdout.trimEnd().split('\n')
    }

    test('knows commands, options and their values', async () => {
      assert.deepEqual(await complete('athenz', 'ap'), ['apply'])
      assert.deepEqual(await complete('athenz', 'role', 'add-'), ['add-member'])
      assert.deepEqual(await complete('athenz', 'role', 'add-member', 'weather', 'readers', '--dr'), ['--dry-run'])
      assert.deepEqual(await complete('athenz', 'role', 'list', '-o', ''), ['table', 'json', 'yaml'])
      assert.deepEqual(await complete('athenz', 'apply', '-f', 'api.pub'), ['api.pub.pem'])
    })

    test('there is a script for each shell, with every command', async () => {
      for (const shell of ['bash', 'zsh', 'fish']) {
        const { stdout, status } = await run(['completion', shell])
        for (const word of ['add-assertion', 'doctor', 'migrate', 'verify'])
          assert.ok(stdout.includes(word), `${word} in ${shell}`)
        assert.equal(status, 0)
      }
      await fails(['completion', 'csh'], 1, /Allowed choices are bash, zsh, fish/)
    })
  })
})
