import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { ADMIN } from '../../acceptance/describe-zms-cli.ts'
import { PROJECT_FOLDER } from '../../architecture/sources.ts'
import { type DevServers, startDevServers } from '../../support/dev-servers.ts'
import { runProgram } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { ZmsCli } from '../../support/zms-cli.ts'

describe('zms-cli', () => {
  const folder = temporaryFolder()
  const at = (file: string) => join(folder, file)
  let [servers, zms]: [DevServers?, ZmsCli?] = []
  const cli = (): ZmsCli => {
    assert.ok(zms)
    return zms
  }
  const succeeds = async (command: string): Promise<string> => {
    const { status, output } = await cli().run(ADMIN, command)
    assert.equal(status, 0, `${command}: ${output}`)
    return output
  }

  before(async () => {
    servers = await startDevServers({ dir: at('servers'), zts: false })
    zms = new ZmsCli(join(PROJECT_FOLDER, 'bin'), servers.summary, folder)
    const { key } = await zms.certificate(ADMIN)
    await writeFile(at('key.pem'), createPublicKey(key).export({ type: 'spki', format: 'pem' }))
  })
  after(() => servers?.[Symbol.asyncDispose]())

  describe('domains in files', () => {
    const timeless = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    // Ids, times, and who asked for memberships are those of the new domain.
    const SERVER_OWN = ['modified', 'id', 'requestPrincipal', 'requestprincipal', 'signature', 'keyId', 'keyid']
    const lasting = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return value
      if (Array.isArray(value))
        return value.map(lasting).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      const kept = Object.entries(value).filter(([name]) => !SERVER_OWN.includes(name))
      return Object.fromEntries(kept.map(([name, member]) => [name, lasting(member)]))
    }

    before(async () => {
      const soon = new Date(Date.now() + 9 * 86_400_000).toISOString()
      for (const command of [
        'add-domain full',
        '-d full set-domain-meta "all: of it # here"',
        '-d full set-domain-member-expiry-days 40',
        '-d full set-domain-slack-channel talk',
        '-d full set-org-name audit',
        '-d full add-domain-tag colour red blue',
        `-d full add-service api v0 ${at('key.pem')}`,
        `-d full add-public-key api 1 ${at('key.pem')}`,
        '-d full add-service-host api one two',
        '-d full set-service-exe api /bin/api nobody nogroup',
        '-d full set-service-endpoint api https://localhost:4443/x',
        '-d full add-group team user.bob',
        '-d full set-group-self-serve team true',
        '-d full add-regular-role everybody *',
        '-d full add-regular-role readers full:group.team full.api',
        `-d full add-temporary-member readers user.carol ${soon}`,
        '-d full set-role-description readers "yes: they read"',
        '-d full set-role-token-expiry-mins readers 30',
        '-d full add-role-tag readers colour green',
        '-d full add-delegated-role press sys.auth',
        '-d full add-policy scores grant read to readers on scores.*',
        '-d full add-assertion scores deny delete to readers on scores.final',
        '-d full add-entity kit "shirt=red: with white" shorts=0',
      ]) {
        await succeeds(command)
      }
    })

    for (const form of ['manualYaml', 'yaml', 'json']) {
      test(`what is exported as ${form} is imported as it was`, async () => {
        const file = at(`full.${form}`)
        assert.equal(await succeeds(`-o ${form} export-domain full ${file}`), '')
        const exported =
          form === 'manualYaml' ? await readFile(file, 'utf8') : await cli().json(ADMIN, 'show-domain full')
        await succeeds('delete-domain full')
        assert.match(await succeeds(`-o ${form} import-domain full ${file}`), /imported domain '+full'+ successfully/)
        if (form === 'manualYaml') {
          await succeeds(`export-domain full ${at('again')}`)
          assert.equal(timeless(await readFile(at('again'), 'utf8')), timeless(exported as string))
        } else {
          assert.deepEqual(lasting(await cli().json(ADMIN, 'show-domain full')), lasting(exported))
        }
      })
    }

    test('the form for people is YAML whatever is in it', async () => {
      const { domain } = parse(await succeeds('export-domain full'), { schema: 'failsafe' }) as {
        domain: { description: string; roles: { name: string; members: { name: string }[] }[] }
      }
      assert.equal(domain.description, 'all: of it # here')
      assert.deepEqual(domain.roles.find(({ name }) => name === 'everybody')?.members, [{ name: '*' }])
    })

    test('what the server refuses is left out and named, or ends the import', async () => {
      const text = (await succeeds('export-domain full')).replace('name: user.bob', 'name: none.nobody')
      await writeFile(at('refused.yaml'), text)
      await succeeds('delete-domain full')
      const refused = await cli().run(ADMIN, `-o json import-domain full ${at('refused.yaml')}`)
      assert.equal(refused.status, 1)
      assert.match(
        refused.output,
        /imported domain 'full' without group team \(Principal none\.nobody is not a valid service\)/,
      )
      assert.match(await succeeds('-d full list-policy'), /- scores/)
      await succeeds('delete-domain full')
      const stopped = await cli().run(ADMIN, `-e=false import-domain full ${at('refused.yaml')}`)
      assert.equal(stopped.status, 1)
      assert.match(stopped.output, /^code: 400\nmessage: Principal none\.nobody is not a valid service$/m)
      assert.doesNotMatch(await succeeds('-d full list-policy'), /- scores/)
    })

    test('a file must be one, of this domain', async () => {
      await writeFile(at('torn.yaml'), 'domain: [')
      await writeFile(at('empty.yaml'), '')
      await writeFile(at('other.json'), '{"name": "other"}')
      const refusals = [
        [`import-domain x ${at('absent')}`, `cannot read ${at('absent')}: it does not exist`],
        [`import-domain x ${at('empty.yaml')}`, 'the file has no domain in it'],
        [`import-domain x ${at('other.json')}`, 'the file has no domain in it: roles missing'],
        [`import-domain x ${at('full.manualYaml')}`, 'domain name mismatch. Expected x, encountered full'],
      ] as const
      for (const [command, reason] of refusals) await cli().refused(ADMIN, command, 400, reason)
      const torn = await cli().run(ADMIN, `import-domain x ${at('torn.yaml')}`)
      assert.match(torn.output, /the file is no YAML: /)
      assert.equal(torn.status, 1)
    })
  })

  test('a setting is changed without a change of others', async () => {
    await succeeds('add-domain kept 8')
    await succeeds('-d kept set-domain-slack-channel talk')
    await succeeds('-d kept set-domain-meta about')
    await succeeds('-d kept set-application-id app')
    await succeeds('-d kept set-domain-on-call us')
    const { slackChannel, description, applicationId, onCall } = (await cli().json(
      ADMIN,
      'show-domain-attrs kept',
    )) as {
      readonly [name: string]: string
    }
    assert.deepEqual([slackChannel, description, applicationId, onCall], ['talk', 'about', 'app', 'us'])

    await succeeds(`-d kept add-service api v0 ${at('key.pem')}`)
    await succeeds('-d kept add-service-tag api colour red blue')
    await succeeds('-d kept delete-service-tag api colour red')
    const service = (await cli().json(ADMIN, '-d kept show-service api')) as { readonly tags: unknown }
    assert.deepEqual(service.tags, { colour: { list: ['blue'] } })
  })

  test('what the tool refuses by itself', async () => {
    const refusals = [
      ['-d kept show-role', "bad command syntax: see 'zms-cli help show-role'"],
      ['-d kept show-role a b', "bad command syntax: see 'zms-cli help show-role'"],
      ['-d kept nonsense', "unrecognized command 'nonsense': 'zms-cli help' lists all"],
      ['show-role readers', 'no domain specified: name it with -d before the command'],
      ['show-domain', 'no domain specified'],
      ['-d kept set-role-max-members r many', '"many" is no whole number'],
      ['-d kept set-role-max-members r 99999999999', '99999999999 is out of range'],
      ['-d kept set-role-self-serve r maybe', '"maybe" is neither true nor false'],
      ['-d kept add-temporary-member r user.bob tomorrow', '"tomorrow" is no time such as 2027-01-31T12:00:00.000Z'],
      ['-d kept add-entity e a=b c', '"c" is no name=value'],
      ['-d kept set-quota pages=1', "there is no quota for pages: see 'zms-cli help set-quota'"],
      ['-d kept set-domain-resource-ownership TF', 'invalid resource owner format'],
      ['-d kept delete-role admin', "cannot delete 'admin' role"],
      ['-d kept show-access read other:x', 'domain name mismatch. Expected kept, encountered in resource other'],
      ['get-user-token', 'a caller with a certificate has no user token'],
    ] as const
    for (const [command, reason] of refusals) await cli().refused(ADMIN, command, 400, reason)
    const unknown = await cli().run(ADMIN, '-o xml -d kept list-role')
    assert.deepEqual(unknown, { status: 1, output: '*** 400 unsupported output format "xml"\n' })
  })

  test('callers and flags that are not usable', async () => {
    const run = (...args: readonly string[]) =>
      runProgram(join(PROJECT_FOLDER, 'bin', 'zms-cli'), args, {
        env: { PATH: process.env['PATH'], HOME: folder, USER: 'joe' },
      })
    const started = [
      [
        ['-cert', at('absent'), '-key', at('absent'), 'list-domain'],
        `unable to read private key ${at('absent')}: it does not exist`,
      ],
      [
        ['-cert', at('absent'), 'list-domain'],
        'a certificate needs its key, and a key its certificate: give both -cert and -key',
      ],
      [['-f', at('absent'), 'list-domain'], `unable to read token ${at('absent')}: it does not exist`],
      [
        ['-debug', 'list-domain'],
        'debug tokens have no signature, and no server should take them: use a certificate or a token',
      ],
      [['list-domain'], 'Unable to get NToken: there is no terminal to ask for a password'],
    ] as const
    for (const [args, reason] of started) {
      const { status, stdout, stderr } = await run(...args)
      assert.deepEqual([status, stdout, stderr], [1, '', `zms-cli: ${reason}\n`])
    }
    const unknown = await run('-zz', 'list-domain')
    assert.equal(unknown.status, 2)
    assert.match(unknown.stderr, /^flag provided but not defined: -zz\n\nusage: zms-cli \[flags\] command/)
    const usage = await run()
    assert.equal(usage.status, 0)
    assert.match(usage.stdout, /^usage: zms-cli \[flags\] command/)
    await writeFile(at('token'), 'v=U1;d=user;n=joe;s=x\n')
    const token = await run('-f', at('token'), '-x', 'get-user-token')
    assert.deepEqual([token.status, token.stdout], [0, 'v=U1;d=user;n=joe;s=x\n'])
    const away = await run('-f', at('token'), '-z', 'http://127.0.0.1:1/zms/v1', 'list-domain')
    assert.equal(away.status, 1)
    assert.match(away.stdout, /^code: 400\nmessage: .*127\.0\.0\.1:1 cannot be reached/)
  })

  test('help tells what a command takes', async () => {
    assert.equal(
      await succeeds('help show-role'),
      'Shows a role: with its log, with the members of a delegated role, or with those who wait for approval.\n\n zms-cli -d domain show-role role [log | expand | pending]\n\n',
    )
    assert.match(await succeeds('help nonsense'), /^there is no command nonsense/)
    assert.equal(await succeeds('delete-domain'), await succeeds('help delete-domain'))
  })
})
