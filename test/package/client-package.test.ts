import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { privateKeyPem } from '#client/index.ts'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { makeSportsService } from '../support/sports-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { buildClientPackage } from './client-package.ts'

const README = readFileSync(join(PROJECT_FOLDER, 'src', 'client', 'README.md'), 'utf8')

/** Programs of the guide, by the name in their first line. */
const EXAMPLES = new Map(
  [...README.matchAll(/^```js\n\/\/ (\S+\.mjs)\n([^]*?)^```$/gm)].map(([, name = '', text = '']) => [name, text]),
)

/** What they print. */
const PRINTED: readonly (readonly [name: string, output: RegExp])[] = [
  ['role-token.mjs', /^Athenz-Role-Auth v=Z1;d=weather;r=readers;p=sports\.api;\S+\nAuthorization Bearer eyJ\S+\n$/],
  ['decision.mjs', /^read true ALLOW readers\nwrite false DENY_NO_MATCH undefined\n$/],
  ['certificate.mjs', /^certificate written\n$/],
  ['certificate-files.mjs', /^-----BEGIN CERTIFICATE-----\n3 parts\n$/],
  ['properties.mjs', /^user\.admin 1800\n$/],
  ['roles.mjs', /^sports\.api user\.joe\n404 \S.*absent\S* true\n$/],
]

describe('the package of the client libraries', () => {
  const [dir, folder] = [temporaryFolder(), temporaryFolder()]
  const installed = join(folder, 'node_modules', 'athenz-client')
  let servers: DevServers

  before(async () => {
    servers = await startDevServers({ dir, zts: true })
    await Promise.all([install(folder, installed), populate(servers, folder)])
  })

  after(() => servers[Symbol.asyncDispose]())

  test('has what it needs to be used by others, and nothing of the servers', () => {
    const {
      name,
      private: isPrivate,
      exports,
      dependencies,
    } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    assert.deepEqual(
      [name, isPrivate, Object.keys(exports)],
      ['athenz-client', undefined, ['.', './properties', './zpe', './zpe/express', './zpe/fastify']],
    )
    assert.deepEqual(Object.keys(dependencies).sort(), ['lru-cache', 'node-forge', 'properties-file', 'undici', 'zod'])
    const files = execFileSync('find', [installed, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')
    const rooms = new Set(
      files.map((file) =>
        file
          .slice(installed.length + 1)
          .split('/')
          .slice(0, -1)
          .join('/'),
      ),
    )
    assert.deepEqual([...rooms].filter((room) => /^z[mt]s/.test(room)).sort(), ['zms/api', 'zts/api'])
    assert.deepEqual(
      files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
      [],
    )
  })

  test('is typed for a project that checks everything', async () => {
    const tsc = join(PROJECT_FOLDER, 'node_modules', '.bin', 'tsc')
    writeFileSync(
      join(folder, 'use.ts'),
      `import { ZmsClient, ZtsClient, keyPairIdentity } from 'athenz-client'
import { type AccessStatus, Zpe } from 'athenz-client/zpe'
import { athenz } from 'athenz-client/zpe/express'
const identity = keyPairIdentity({ domain: 'a', service: 'b', privateKey: '', keyId: '0' })
const zms = new ZmsClient({ url: 'https://a', identity })
const role = await zms.call('getRole', { domainName: 'a', roleName: 'b' })
const members: string[] | undefined = role.roleMembers?.map((member) => member.memberName)
// @ts-expect-error -- no such parameter
await zms.call('getRole', { domainName: 'a', roleNames: 'b' })
const token: string = (await new ZtsClient().getRoleToken('a')).token
const zpe = await Zpe.open({ policyFolder: 'policies' })
const status: AccessStatus = (await zpe.allowAccess(token, 'a:b', 'read')).status
const guard = athenz({ zpe, action: 'read', resource: (request) => \`a:\${request.url}\` })
export { guard, members, status, token }
`,
    )
    const compilerOptions = {
      strict: true,
      module: 'nodenext',
      target: 'es2024',
      noEmit: true,
      types: ['node'],
      skipLibCheck: false,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
    const { status, stdout } = await runProgram(tsc, ['-p', folder])
    assert.equal(status, 0, stdout)
  })

  /** What a program printed for the next one. */
  let given: readonly string[] = []

  for (const [name, output] of PRINTED) {
    test(`runs ${name} of its guide`, async () => {
      const { zms, zts } = servers.summary
      const text = (EXAMPLES.get(name) ?? '')
        .replaceAll('https://zms.example.com:4443', new URL(zms ?? '').origin)
        .replaceAll('https://zts.example.com:8443', new URL(zts ?? '').origin)
      assert.notEqual(text, '')
      writeFileSync(join(folder, name), text)
      const { status, stdout, stderr } = await runProgram(process.execPath, [name, ...given], { cwd: folder })
      assert.equal(status, 0, stderr)
      assert.match(stdout, output)
      given = /v=Z1;\S+/.exec(stdout) ?? []
    })
  }

  test('runs every program of its guide', () => {
    assert.deepEqual([...EXAMPLES.keys()].sort(), PRINTED.map(([name]) => name).sort())
  })
})

/** Builds and packs the package, and puts it where programs of `folder` find it. */
async function install(folder: string, installed: string): Promise<void> {
  const built = join(folder, 'dist')
  await buildClientPackage(built)
  const packed = await runProgram('npm', ['pack', '--offline', '--silent', '--pack-destination', folder, built])
  assert.equal(packed.status, 0, packed.stderr)
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, packed.stdout.trim()), '-C', installed, '--strip-components=1'])
  const others = ['lru-cache', 'node-forge', 'properties-file', 'undici', 'zod', '@types', 'undici-types']
  for (const name of others) symlinkSync(join(PROJECT_FOLDER, 'node_modules', name), join(folder, 'node_modules', name))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
}

/** Makes what the guide speaks of: two domains, a service with a key, a role, and the files. */
async function populate(servers: DevServers, folder: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { summary } = servers
  for (const [from, to] of [
    [summary.ca, 'ca.pem'],
    [summary.adminCert, 'admin.pem'],
    [summary.adminKey, 'admin.key'],
  ] as const) {
    cpSync(from, join(folder, to))
  }
  writeFileSync(join(folder, 'sports.api.key'), privateKeyPem(privateKey))
  const both = [summary.adminKey, summary.adminCert].map((file) => readFileSync(file, 'utf8'))
  writeFileSync(join(folder, 'service.pem'), both.join(''))
  const [, properties = ''] = /^```properties\n([^]*?)^```$/m.exec(README) ?? []
  writeFileSync(join(folder, 'client.properties'), properties)
  await makeSportsService(servers, publicKey)
}
