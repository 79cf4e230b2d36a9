import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { newDomain } from '#zms/service/new-domain.ts'
import type { DomainChange } from '#zms/store/change.ts'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Store } from '#zms/store/store.ts'
import { startMariaDb } from '../support/mariadb.ts'
import { openStore } from '../support/mysql-store.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { role } from '../zms/service/objects.ts'

const ATHENZ = join(import.meta.dirname, '../../bin/athenz')
const SCHEMA = join(import.meta.dirname, '../../schema/zms_server.sql')
const root = temporaryFolder()
const data = join(root, 'data')

const notify = (...args: string[]) => runProgram(ATHENZ, ['notify', '--root', root, ...args])

/** Memberships that end in January 2030, and a request of December. */
async function fill(store: Store): Promise<void> {
  const value = newDomain({ name: 'sports', admins: ['user.admin'], requestPrincipal: 'user.admin', settings: {} })
  const changes: DomainChange[] = [
    { kind: 'createDomain', domain: 'sports', value },
    ...role('sports', 'readers', [
      { memberName: 'user.joe', expiration: Date.parse('2030-01-10T12:00:00Z') },
      { memberName: 'user.jane', reviewReminder: Date.parse('2030-01-09T12:00:00Z') },
    ]),
    {
      kind: 'putPendingRoleMember',
      domain: 'sports',
      role: 'readers',
      value: { memberName: 'user.late', requestTime: Date.parse('2029-12-05T12:00:00Z'), pendingState: 'ADD' },
    },
  ]
  await store.transact(['sports'], (transaction) => transaction.apply(...changes))
}

/** Names and contents of all files of the store. */
async function contents(): Promise<Map<string, string>> {
  const names = (await readdir(data, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const paths = names.map((entry) => join(entry.parentPath, entry.name))
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'latin1')] as const)))
}

before(async () => {
  mkdirSync(join(root, 'conf', 'zms_server'), { recursive: true })
  writeFileSync(
    join(root, 'conf', 'zms_server', 'zms.properties'),
    'athenz.zms.notification_service_factory_class=log\n',
  )
  writeFileSync(join(root, 'conf', 'zms_server', 'athenz.properties'), '')
  const store = await openFileStore({ folder: data })
  await fill(store)
  await store.close()
})

const EXPECTED = `2030-01-03T00:00Z
  to user.joe:
    These memberships in roles, of yourself or of what you look after, are about to end:
      role sports:role.readers, member user.joe, ends 2030-01-10 12:00 UTC (in 7 days)
  to user.admin:
    These memberships in roles of your domains are about to end:
      role sports:role.readers, member user.joe, ends 2030-01-10 12:00 UTC (in 7 days)
2030-01-04T00:00Z
  nothing
2030-01-05T00:00Z
  rejected: user.late in role sports:role.readers, asked for on 2029-12-05
`

describe('athenz notify --dry-run', () => {
  test('prints who would be told what on some days, and changes nothing', async () => {
    const unchanged = await contents()
    const { status, stdout, stderr } = await notify(
      '--store-dir',
      data,
      '--dry-run',
      '--at',
      '2030-01-03',
      '--days',
      '3',
    )
    assert.deepEqual([status, stderr], [0, ''])
    assert.equal(stdout, EXPECTED)
    assert.deepEqual(await contents(), unchanged)
  })

  test('prints data', async () => {
    const { status, stdout } = await notify('--store-dir', data, '--dry-run', '--at', '2030-01-08T06:00Z', '--json')
    assert.equal(status, 0)
    assert.deepEqual(JSON.parse(stdout), [
      {
        time: '2030-01-08T06:00:00.000Z',
        rejected: [{ domain: 'sports', role: 'readers', member: 'user.late', requestTime: '2029-12-05T12:00:00.000Z' }],
        notifications: [
          ['ROLE_MEMBER_REVIEW', 'member', 'rolesList', 'user.jane'] as const,
          ['ROLE_MEMBER_REVIEW', 'admin', 'membersList', 'user.admin'] as const,
        ].map(([type, audience, list, recipient]) => ({
          recipients: [recipient],
          notifications: [
            {
              type,
              audience,
              details: {
                [list]: [
                  {
                    domain: 'sports',
                    role: 'readers',
                    member: 'user.jane',
                    reviewReminder: '2030-01-09T12:00:00.000Z',
                  },
                ],
              },
            },
          ],
        })),
      },
    ])
  })

  test('reads a database that servers work on', async () => {
    await using db = await startMariaDb()
    const database = await db.freshDatabase(SCHEMA)
    const store = openStore(db, database)
    await fill(store)
    const { status, stdout } = await notify(
      '--mysql-url',
      db.url(database),
      '--dry-run',
      '--at',
      '2030-01-03',
      '--days',
      '1',
    )
    assert.deepEqual([status, stdout], [0, EXPECTED.slice(0, EXPECTED.indexOf('2030-01-04'))])
    const [subject] = await store.noticeSubjects('roleExpiry', 0, Date.parse('2031-01-01'))
    assert.equal(subject?.notifiedTime, undefined)
    await store.close()
  })

  test('says when nobody would be told', async () => {
    const property = 'athenz.zms.notification_service_factory_class='
    const { stdout } = await notify('--store-dir', data, '--dry-run', '--at', '2030-01-04', '-D', property)
    assert.match(stdout, /^note: athenz\.zms\.notification_service_factory_class is not set, so nobody/)
  })

  const refusals: readonly [string, readonly string[], RegExp][] = [
    ['to send', ['--store-dir', data], /^athenz notify: ZMS sends notifications of its own accord/],
    ['a date that is none', ['--dry-run', '--at', '2030-13-01'], /Write a date as 2030-01-31/],
    ['words for a date', ['--dry-run', '--at', 'tomorrow'], /Write a date as 2030-01-31/],
    ['no days', ['--dry-run', '--days', '0'], /Write a number from 1 to 366/],
    ['a folder without data', ['--dry-run', '--store-dir', join(root, 'nothing')], /there is no data store/],
    ['a database that is not there', ['--dry-run', '--mysql-url', 'mysql://u@127.0.0.1:1/x'], /^athenz notify: /],
  ]
  for (const [what, args, reason] of refusals) {
    test(`refuses ${what}`, async () => {
      const { status, stdout, stderr } = await notify(...args)
      assert.notEqual(status, 0)
      assert.equal(stdout, '')
      assert.match(stderr, reason)
      assert.doesNotMatch(stderr, /\n\s+at /)
    })
  }
})
