import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { headFile } from '#core/audit/audit-files.ts'
import { keyedSeal, openSeal } from '#core/audit/chain-seal.ts'
import { nodeFileSystem } from '#core/seam/file-system.ts'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { entryOf, openLog } from '../core/audit/support.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SECRET = 'a secret of more than 32 characters'
const FILES = [
  'audit-00000001-20300102.jsonl',
  'audit-00000002-20300102.jsonl',
  'audit-00000003-20300102.jsonl',
] as const

const athenz = (...args: string[]) => runProgram(join(PROJECT_FOLDER, 'bin', 'athenz'), ['audit', ...args])

/** Writes a log of three files with twelve changes; gives its folder. */
async function writtenLog(folder = join(temporaryFolder(), 'audit'), seal = openSeal): Promise<string> {
  const log = await openLog({ folder, seal, fileSystem: nodeFileSystem, maxFileBytes: 2700 })
  for (let number = 0; number < 12; number++) {
    await log.record(
      entryOf(number, { ...(number % 2 === 1 && { domain: 'media', api: 'deleterole', why: undefined }) }),
    )
  }
  await log.close()
  assert.deepEqual(readdirSync(folder).toSorted().slice(0, 3), FILES)
  return folder
}

/** Replaces text in a file. */
const edit = (path: string, from: string, to: string) =>
  writeFileSync(path, readFileSync(path, 'latin1').replace(from, to), 'latin1')

describe('bin/athenz audit verify', () => {
  test('says that a log is whole, and how far it reaches', async () => {
    const folder = await writtenLog()
    for (const args of [['--dir', folder], FILES.toReversed().map((name) => join(folder, name))]) {
      const { status, stdout, stderr } = await athenz('verify', ...args)
      assert.deepEqual([status, stderr], [0, ''])
      assert.match(stdout, /^the audit log is whole: 12 changes in 3 files, up to line 15 with hash [0-9a-f]{64}\n$/)
    }
  })

  test('finds the log of a server and its key by the configuration', async () => {
    const root = temporaryFolder()
    await writtenLog(join(root, 'var/zts_server/logs/audit'), keyedSeal(SECRET))
    mkdirSync(join(root, 'conf/zts_server'), { recursive: true })
    for (const name of ['zts', 'athenz']) writeFileSync(join(root, `conf/zts_server/${name}.properties`), '')
    writeFileSync(join(root, 'secret'), `${SECRET}\n`)
    const place = ['--root', root, '--server', 'zts']
    const found = await athenz('verify', ...place, '-D', 'athenz.ts.audit_log_key_name=file:secret')
    assert.deepEqual([found.status, found.stderr], [0, ''])
    const without = await athenz('verify', ...place)
    assert.equal(without.status, 2)
    assert.match(without.stderr, /: the log is under key [0-9a-f]{16}; give that key\n$/)
    const byFile = await athenz('verify', ...place, '--key-file', join(root, 'secret'))
    assert.deepEqual([byFile.status, byFile.stderr], [0, ''])
  })

  const breaks: readonly [string, (folder: string) => void, string, RegExp][] = [
    [
      'an edited line',
      (folder) => edit(join(folder, FILES[1]), 'ticket 6', 'ticket 5'),
      `${FILES[1]}:3`,
      /the hash is wrong: this line was changed, or what was before it/,
    ],
    [
      'a removed line',
      (folder) =>
        edit(
          join(folder, FILES[0]),
          /^.*ticket 2.*\n/m.exec(readFileSync(join(folder, FILES[0]), 'utf8'))?.[0] ?? '',
          '',
        ),
      `${FILES[0]}:4`,
      /line 5 follows 3: lines are missing/,
    ],
    [
      'lines cut off at the end',
      (folder) => {
        const lines = readFileSync(join(folder, FILES[2]), 'latin1').split('\n')
        truncateSync(join(folder, FILES[2]), lines.slice(0, -2).join('\n').length + 1)
      },
      `${FILES[2]}:2`,
      /the log ends with line 14, but it had reached line 15: lines are missing/,
    ],
    [
      'a removed file',
      (folder) => rmSync(join(folder, FILES[1])),
      `${FILES[2]}:1`,
      /the file follows file 2, but file 1 is before it/,
    ],
    [
      'a removed last file',
      (folder) => rmSync(join(folder, FILES[2])),
      `${FILES[1]}:6`,
      /the log ends with line 12, but/,
    ],
    ['removed first files', (folder) => rmSync(join(folder, FILES[0])), `${FILES[1]}:1`, /files 1 to 1 are missing/],
    [
      'a removed note of the head',
      (folder) => rmSync(headFile(folder)),
      'audit-head.json:1',
      /the note of how far the log reaches is missing/,
    ],
    [
      'a changed note of the head',
      (folder) => edit(headFile(folder), '"seq":15', '"seq":14'),
      'audit-head.json:1',
      /the note of how far the log reaches is not as the server wrote it/,
    ],
    [
      'files that changed their names',
      (folder) => {
        renameSync(join(folder, FILES[0]), join(folder, 'audit-00000009-20300102.jsonl'))
      },
      'audit-00000009-20300102.jsonl:1',
      /the file follows file none, but file 3 is before it/,
    ],
  ]
  for (const [what, change, place, reason] of breaks) {
    test(`names the first place of ${what}`, async () => {
      const folder = await writtenLog()
      change(folder)
      const { status, stdout, stderr } = await athenz('verify', '--dir', folder)
      assert.deepEqual([status, stdout], [1, ''], stderr)
      assert.ok(stderr.startsWith(`athenz audit verify: ${join(folder, place)}: `), stderr)
      assert.match(stderr, reason)
    })
  }

  test('looks for a line that was noted elsewhere', async () => {
    const folder = await writtenLog()
    const [, line = ''] = readFileSync(join(folder, FILES[1]), 'utf8').split('\n')
    const { seq, hash } = JSON.parse(line) as { seq: number; hash: string }
    assert.equal((await athenz('verify', '--dir', folder, '--contains', `${seq}:${hash}`)).status, 0)
    const other = await athenz('verify', '--dir', folder, '--contains', `${seq}:${'0'.repeat(64)}`)
    assert.equal(other.status, 1)
    assert.match(other.stderr, /the log does not have the line 8 with the hash 0{64}/)
  })

  test('tells of a line that is not complete yet', async () => {
    const folder = await writtenLog()
    writeFileSync(join(folder, FILES[2]), '{"seq":', { flag: 'a' })
    const { status, stdout } = await athenz('verify', '--dir', folder)
    assert.equal(status, 0)
    assert.match(stdout, /^note: .*00000003-20300102\.jsonl:4: the last line is not complete: /)
  })

  const unusable: readonly [readonly string[], RegExp][] = [
    [['verify', '/nonexistent.jsonl'], /^athenz audit verify: \/nonexistent\.jsonl: it does not exist\n$/],
    [['verify', '--dir', '/nonexistent'], /^athenz audit verify: \/nonexistent: it does not exist\n$/],
    [['verify', '--dir', '/proc/self/fdinfo'], /: there is no audit log\n$/],
    [
      ['verify', '--dir', '/proc', '--key-file', '/nonexistent'],
      /^athenz audit verify: \/nonexistent: it does not exist\n$/,
    ],
    [['verify', '--contains', '5'], /'5' is invalid\. Write line:hash/],
    [['verify', '--server', 'xms'], /Allowed choices are zms, zts/],
    [['verify', '--nonsense'], /unknown option '--nonsense'/],
    [['verify', '-D', 'athenz.tls_port=x'], /^athenz audit verify: .*athenz\.(tls_port|zms\.domain_admin): /],
    [['show', '--since', 'yesterday'], /'yesterday' is invalid\. Write a time/],
    [['show', '/nonexistent.jsonl'], /^athenz audit show: \/nonexistent\.jsonl: it does not exist\n$/],
  ]
  for (const [args, reason] of unusable) {
    test(`ends with status 2: ${args.join(' ')}`, async () => {
      const { status, stdout, stderr } = await athenz(...args)
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, reason)
    })
  }
})

describe('bin/athenz audit show', () => {
  test('prints the changes, the oldest first', async () => {
    const folder = await writtenLog()
    const { status, stdout, stderr } = await athenz('show', '--dir', folder)
    assert.deepEqual([status, stderr], [0, ''])
    const lines = stdout.split('\n').slice(0, -1)
    assert.equal(lines.length, 12)
    assert.deepEqual(lines.slice(0, 2), [
      '2030-01-02T12:00:00.000Z user.joe 10.0.0.1 PUT putrole sports role0 (ticket 0) [{"kind":"putRole","number":0}]',
      '2030-01-02T12:00:00.001Z user.joe 10.0.0.1 PUT deleterole media role1 [{"kind":"putRole","number":1}]',
    ])
  })

  const filters: readonly [readonly string[], readonly number[]][] = [
    [
      ['--domain', 'media'],
      [1, 3, 5, 7, 9, 11],
    ],
    [
      ['--api', 'putRole', '--until', '2030-01-02T12:00:00.005Z'],
      [0, 2, 4],
    ],
    [
      ['--since', '2030-01-02T12:00:00.010Z'],
      [10, 11],
    ],
    [['--principal', 'user.jane'], []],
  ]
  for (const [args, numbers] of filters) {
    test(`prints what is asked for: ${args.join(' ')}`, async () => {
      const folder = await writtenLog()
      const { status, stdout } = await athenz('show', '--json', '--dir', folder, ...args)
      assert.equal(status, 0)
      const found = stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as Record<string, string>)['WHAT-entity'])
      assert.deepEqual(
        found,
        numbers.map((number) => `role${number}`),
      )
    })
  }

  test('shows no control characters to a terminal, and tells of lines that are none', async () => {
    const folder = join(temporaryFolder(), 'audit')
    const log = await openLog({ folder, fileSystem: nodeFileSystem })
    await log.record(entryOf(1, { why: '\u001b[2J\u009b' }))
    await log.close()
    writeFileSync(join(folder, FILES[0]), 'x\n', { flag: 'a' })
    const { status, stdout, stderr } = await athenz('show', '--dir', folder)
    assert.equal(status, 0)
    assert.ok(stdout.includes(String.raw`(\u001b[2J\u009b)`), stdout)
    assert.equal(stderr, `${join(folder, FILES[0])}:3: this is no line of the audit log\n`)
  })
})
