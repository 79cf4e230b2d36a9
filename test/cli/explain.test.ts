import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { certificateFiles, ZmsClient } from '#client/index.ts'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { clientCertificate } from '../support/client-certificate.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { jsonAnswer, startFakeService } from '../support/fake-service.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ATHENZ = join(PROJECT_FOLDER, 'bin', 'athenz')
const folder = temporaryFolder()

const explain = async (...args: readonly string[]) => {
  const { ZMS: _, ...env } = process.env
  const { status, stdout, stderr } = await runProgram(ATHENZ, ['explain', ...args], { env })
  return { status, lines: stdout.trimEnd().split('\n'), stderr }
}

describe('bin/athenz explain', () => {
  let servers: DevServers
  let asAdmin: readonly string[]
  let asReader: readonly string[]

  before(async () => {
    servers = await startDevServers({ dir: join(folder, 'dev'), zts: false })
    const { zms: url, ca, adminCert, adminKey } = servers.summary
    const where = ['--zms', url ?? '', '--ca-file', ca]
    asAdmin = [...where, '--cert-file', adminCert, '--key-file', adminKey]
    const { certificate, key } = await clientCertificate(servers.summary, 'user.reader')
    writeFileSync(join(folder, 'reader.pem'), certificate)
    writeFileSync(join(folder, 'reader.key'), key)
    asReader = [...where, '--cert-file', join(folder, 'reader.pem'), '--key-file', join(folder, 'reader.key')]
    const identity = await certificateFiles({ key: adminKey, certificate: adminCert })
    await using zms = new ZmsClient({ url: url ?? '', caFile: ca, identity })
    await zms.call('postTopLevelDomain', { body: { name: 'sports', adminUsers: ['user.admin'] } })
    const roleMembers = [{ memberName: 'user.reader' }, { memberName: 'user.late', expiration: '2019-01-01T00:00:00Z' }]
    const role = { domainName: 'sports', roleName: 'readers' }
    await zms.call('putRole', { ...role, body: { name: 'readers', roleMembers } })
    const assertions = [{ role: 'sports:role.readers', action: 'read', resource: 'sports:article.*' }]
    const policy = { domainName: 'sports', policyName: 'news' }
    await zms.call('putPolicy', { ...policy, body: { name: 'news', assertions } })
    identity.close()
  })
  after(() => servers[Symbol.asyncDispose]())

  test('says what grants access', async () => {
    const { status, lines } = await explain('user.reader', 'read', 'sports:article.1', ...asAdmin)
    assert.equal(status, 0)
    const [verdict, changed, ...rest] = lines
    assert.equal(
      verdict,
      'user.reader asks to read sports:article.1 (domain sports): granted by policy news: ALLOW readers read sports:article.* through role readers',
    )
    assert.match(changed ?? '', /^domain sports was changed last on \d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.deepEqual(rest, [
      'asked by user.admin',
      'decided by',
      '  ALLOW sports:role.readers read sports:article.* (policy news version 0)',
      'roles',
      '  sports:role.readers: as user.reader',
    ])
  })

  test('says what is missing, and what would make it pass', async () => {
    const { status, lines } = await explain('user.late', 'read', 'sports:article.1', ...asAdmin)
    assert.equal(status, 1)
    assert.deepEqual(lines.slice(3), [
      'roles',
      '  sports:role.readers: not held, user.late has expired on 2019-01-01T00:00:00.000Z',
      'nearest',
      '  ALLOW sports:role.readers read sports:article.* (policy news version 0): the role is not held',
      '  ALLOW sports:role.admin * sports:* (policy admin version 0): the role is not held',
      'to make it pass, any of these',
      '  renew the membership of user.late in role sports:role.readers (policy news: ALLOW readers read sports:article.*)',
      '  create a role with user.late as member, and let it read sports:article.1',
      '  add user.late to role sports:role.admin (policy admin: ALLOW admin * sports:*)',
    ])
  })

  test('prints the answer itself on request', async () => {
    const { status, lines } = await explain('user.reader', 'write', 'sports:article.1', '--json', ...asReader)
    assert.equal(status, 1)
    const { granted, explanation } = JSON.parse(lines.join('')) as { granted: boolean; explanation: { caller: object } }
    assert.equal(granted, false)
    assert.deepEqual(explanation.caller, {
      principal: 'user.reader',
      authority: 'Auth-X509',
      credential: 'certificate',
    })
  })

  test('spells out what could forge a line', async () => {
    const { lines } = await explain('user.reader', 'read', 'sports:a\n\u001b[2Jgranted', ...asReader)
    assert.match(
      lines[0] ?? '',
      /^user\.reader asks to read sports:a\\u\{a\}\\u\{1b\}\[2jgranted \(domain sports\): not/,
    )
  })

  const failures: readonly (readonly [why: string, args: () => readonly string[], reason: RegExp])[] = [
    [
      'somebody else may not know',
      () => ['user.late', 'read', 'sports:article.1', ...asReader],
      /is not authorized to see why: the question is not its own, and access on sports:meta\.role\.lookup is missing/,
    ],
    [
      'there is no such domain',
      () => ['user.late', 'read', 'nosuch:x', ...asAdmin],
      /Resource Domain not found: 'nosuch'/,
    ],
    ['there is no key', () => ['a', 'b', 'c:d', '--cert-file', 'x'], /^athenz explain: --cert-file needs --key-file$/],
    [
      'there is no token',
      () => ['a', 'b', 'c:d', '--token-file', join(folder, 'nosuch')],
      /nosuch: it does not exist$/,
    ],
    ['nobody answers', () => ['a', 'b', 'c:d', '--zms', 'https://127.0.0.1:1'], /^athenz explain: .+/],
  ]
  for (const [why, args, reason] of failures) {
    test(`has no answer when ${why}`, async () => {
      const { status, lines, stderr } = await explain(...args())
      assert.deepEqual([status, lines], [2, ['']])
      assert.match(stderr.trimEnd(), reason)
    })
  }

  test('says that a ZMS of the original does not explain', async () => {
    const service = await startFakeService(jsonAnswer({ granted: true }))
    const { status, stderr } = await explain('user.reader', 'read', 'sports:x', '--zms', service.url)
    assert.deepEqual([status, stderr], [2, 'athenz explain: this ZMS does not explain its decisions\n'])
  })
})
