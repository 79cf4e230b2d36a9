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

  test('what waits for somebody, and what happened to members, is listed', async () => {
    await make('frost')
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, '.000')
    await run(['role', 'create', 'frost', 'skaters', '--set', 'selfServe=true', 'reviewEnabled=true'])
    await run(['role', 'create', 'frost', 'guests', '--member', 'user.jane'])
    await run(['group', 'create', 'frost', 'team', '--member', 'user.bill'])
    await run(['role', 'add-member', 'frost', 'guests', 'user.admin', '--until', tomorrow, '--audit-ref', 'ticket 7'])
    const joe = ['--cert-file', 'joe.pem', '--key-file', 'joe.key']
    await run(['role', 'add-member', 'frost', 'skaters', 'user.joe', ...joe])
    const due = (await json(['due'])) as Record<'requests' | 'reviews' | 'memberships', Record<string, string>[]>
    const short = ({ kind, domainName, name, memberName }: Record<string, string>) =>
      [kind, domainName, name, memberName].filter((each) => each !== undefined).join(' ')
    assert.deepEqual(due.requests.map(short), ['role frost skaters user.joe'])
    assert.deepEqual(due.memberships.map(short), ['role frost guests'])
    assert.deepEqual(due.reviews, [])
    const shown = (await run(['due', '--days', '2'])).stdout
    assert.match(shown, /^WHAT +MEMBER +OF +SINCE OR UNTIL$/m)
    assert.match(shown, /^add\? +user\.joe +frost:role\.skaters +\d{4}-/m)
    assert.match(shown, new RegExp(`^ends +you +frost:role\\.guests +${tomorrow}$`, 'm'))
    await fails(['due', '--days', '0'], 1, /Write a number from 1 to 366/)
    const of = async (...words: string[]) =>
      ((await json(['history', 'frost', ...words])) as Record<string, string>[]).map(
        ({ kind, name, member, action, auditRef }) =>
          [kind, name, member, action, auditRef].filter((each) => each !== undefined).join(' '),
      )
    assert.deepEqual(await of('role', 'guests'), ['role guests user.admin ADD ticket 7', 'role guests user.jane ADD'])
    assert.deepEqual(await of('group', 'team'), ['group team user.bill ADD'])
    assert.deepEqual(await of('--filter', 'bill'), ['group team user.bill ADD'])
    assert.equal((await of('--limit', '1')).length, 1)
    assert.match(
      (await run(['history', 'frost'])).stdout,
      /^\d{4}-\S+ +ADD +user\.admin +role guests +user\.admin +ticket 7$/m,
    )
    await fails(['history', 'frost', 'role'], 1, /write DOMAIN alone, or DOMAIN role NAME/)
    await fails(['history', 'frost', 'policy', 'x'], 1, /write DOMAIN alone, or DOMAIN role NAME/)
    await fails(['history', 'frost', 'role', 'absent'], 3, /404/)
  })

  for (const kind of ['role', 'group'] as const) {
    test(`the members of a ${kind} are reviewed: those named are removed, the others stay`, async () => {
      const domain = `review-${kind}`
      await make(domain)
      await run([kind, 'create', domain, 'staff', '--member', 'user.bill', 'user.jane', 'user.joe'])
      const review = [kind, 'review', domain, 'staff', '--remove', 'user.JANE']
      const lines = ['  + kept:', '  +   - user.bill', '  +   - user.joe', '  + removed:', '  +   - user.jane']
      await prints(
        [...review, '--dry-run'],
        [`create review of ${kind} ${domain}:${kind}.staff`, ...lines].join('\n'),
        6,
      )
      await prints(review, `created review of ${kind} ${domain}:${kind}.staff`)
      const members = async () => ((await json([kind, 'get', domain, 'staff'])) as { members: unknown }).members
      assert.deepEqual(await members(), ['user.bill', 'user.joe'])
      await fails(review, 3, /user\.JANE is no member of/)
      await prints([kind, 'review', domain, 'staff'], `created review of ${kind} ${domain}:${kind}.staff`)
      assert.deepEqual(await members(), ['user.bill', 'user.joe'])
      await fails([kind, 'review', domain, 'absent'], 3, new RegExp(`there is no ${kind}`))
    })
  }

  test('templates are listed, brought into a domain and taken out', async () => {
    await make('snow')
    const name = 'zts_instance_launch_provider'
    const known = (await json(['template', 'list'])) as { name: string; latestVersion: number }[]
    const latest = known.find((each) => each.name === name)?.latestVersion
    assert.ok(latest)
    const apply = ['template', 'apply', 'snow', name.toUpperCase(), 'service=api']
    const subject = `template ${name} of domain snow`
    const shown = [`create ${subject}`, `  + version: ${latest}`, '  + parameters:', '  +   service: api']
    await prints([...apply, '--dry-run'], shown.join('\n'), 6)
    await prints(apply, `created ${subject}`)
    const has = async () => {
      const listed = (await json(['template', 'list', 'snow'])) as { name: string; version?: number }[]
      return listed.filter(({ version }) => version !== undefined).map((each) => [each.name, each.version])
    }
    assert.deepEqual(await has(), [[name, latest]])
    const table = (await run(['template', 'list', 'snow'])).stdout
    assert.match(table, /^TEMPLATE +HAS +NEWEST +DESCRIPTION$/m)
    assert.match(table, new RegExp(`^${name} +${latest} +${latest} +\\w`, 'm'))
    assert.match((await run(['template', 'get', name])).stdout, /^policies:$/m)
    await prints(['template', 'remove', 'snow', name], `deleted ${subject}`)
    assert.deepEqual(await has(), [])
    await fails(['template', 'remove', 'snow', name], 3, /does not have the template/)
    await fails(['template', 'apply', 'snow', 'absent'], 3, /404/)
    await fails(['template', 'apply', 'snow', name, 'service='], 1, /service=: write name=value/)
  })

  test('versions of policies are made, activated and deleted', async () => {
    await make('hail')
    await run(['policy', 'create', 'hail', 'stones', 'grant throw to admin on window.*'])
    const create = ['policy', 'create-version', 'hail', 'stones', 'next']
    await prints([...create, '--dry-run'], 'create version next of policy hail:policy.stones\n  + copyOf: "0"', 6)
    await prints(create, 'created version next of policy hail:policy.stones')
    await fails(create, 1, /has a version next already/)
    await fails([...create.slice(0, -1), 'other', '--from', 'absent'], 3, /has no version absent/)
    assert.match(
      (await run(['policy', 'versions', 'hail', 'stones'])).stdout,
      /^0 +yes +1 +0 +\S+Z\nnext +- +1 +0 +\S+Z$/m,
    )
    const activate = ['policy', 'activate', 'hail', 'stones', 'next']
    const shown = 'change policy hail:policy.stones\n  - activeVersion: "0"\n  + activeVersion: next'
    await prints([...activate, '--dry-run'], shown, 6)
    await prints(activate, 'changed policy hail:policy.stones')
    await prints(activate, 'nothing to change')
    await run(['policy', 'add-assertion', 'hail', 'stones', 'grant melt to admin on ice'])
    const assertions = async (...words: string[]) =>
      ((await json(['policy', 'get', 'hail', 'stones', ...words])) as { assertions: unknown[] }).assertions
    assert.deepEqual(await assertions(), ['grant melt to admin on ice', 'grant throw to admin on window.*'])
    assert.deepEqual(await assertions('--version', '0'), ['grant throw to admin on window.*'])
    await fails(['policy', 'get', 'hail', 'stones', '--version', 'x'], 3, /there is no version x of policy/)
    await fails(['policy', 'delete-version', 'hail', 'stones', 'next'], 1, /active/)
    const remove = ['policy', 'delete-version', 'hail', 'stones', '0']
    await prints([...remove, '--dry-run'], 'delete version 0 of policy hail:policy.stones\n  - assertions: 1', 6)
    await prints(remove, 'deleted version 0 of policy hail:policy.stones')
    await fails(remove, 3, /has no version 0/)
    await fails(['policy', 'versions', 'hail', 'absent'], 3, /there is no policy/)
  })

  test('conditions are put on assertions and taken off, by the id or the text of the assertion', async () => {
    await make('fog')
    const text = 'grant enter to admin on valley'
    await run(['policy', 'create', 'fog', 'valleys', text])
    const add = ['policy', 'add-condition', 'fog', 'valleys', text, 'time=day', 'lamp=on']
    const dry = await run([...add, '--dry-run'])
    const [, id = ''] = /^create condition of assertion (\d+) of policy fog:policy\.valleys\n/.exec(dry.stdout) ?? []
    assert.match(dry.stdout, /^ {2}\+ lamp: on$/m)
    await prints(add, `created condition of assertion ${id} of policy fog:policy.valleys`)
    await prints(
      ['policy', 'add-condition', 'fog', 'valleys', id, 'time=night'],
      `created condition of assertion ${id} of policy fog:policy.valleys`,
    )
    const conditions = async () => {
      const { assertions } = (await json(['policy', 'get', 'fog', 'valleys'])) as {
        assertions: {
          conditions?: { conditionsList: { id: number; conditionsMap: Record<string, { value: string }> }[] }
        }[]
      }
      const list = assertions[0]?.conditions?.conditionsList ?? []
      return list.map((each) =>
        Object.entries(each.conditionsMap)
          .map(([key, { value }]) => `${key}=${value}`)
          .sort(),
      )
    }
    assert.deepEqual(await conditions(), [['lamp=on', 'time=day'], ['time=night']])
    const removed = 'condition 1 of assertion'
    await prints(
      ['policy', 'remove-condition', 'fog', 'valleys', id, '1'],
      `deleted ${removed} ${id} of policy fog:policy.valleys`,
    )
    assert.deepEqual(await conditions(), [['time=night']])
    await fails(['policy', 'remove-condition', 'fog', 'valleys', id, '1'], 3, /has no condition 1/)
    await fails(
      ['policy', 'add-condition', 'fog', 'valleys', 'grant x to y on z', 'a=b'],
      3,
      /has no assertion grant x/,
    )
    await fails(['policy', 'add-condition', 'fog', 'valleys', id, 'a'], 1, /a: write key=value/)
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
