import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NoticeKind } from '#zms/store/notices.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, groupWith, roleWith } from './samples.ts'

/** A time that no other test has memberships for. */
const BASE = Date.UTC(2003, 1, 10)
const MINUTE = 60_000
const SERVER = 'zms1.example.com'

const KINDS: readonly NoticeKind[] = ['roleExpiry', 'roleReview', 'groupExpiry', 'pendingRole', 'pendingGroup']

export function noticeTests(open: OpenStore): void {
  const fixture = new Fixture(open)
  let used = 0
  /** A span of time of its own for each test. */
  const span = () => BASE + used++ * 86_400_000

  /** A domain with memberships and requests of every kind, dated from `at` on, a minute apart. */
  async function create(at: number): Promise<string> {
    const dated = (memberName: string, minute: number) => ({ memberName, expiration: at + minute * MINUTE })
    const reviewed = (memberName: string, minute: number) => ({ memberName, reviewReminder: at + minute * MINUTE })
    const name = await fixture.create((own) =>
      domainWith(own, {
        roles: [
          roleWith('readers', [dated('user.b', 1), dated('user.a', 2), reviewed('user.c', 3), 'user.never']),
          roleWith('both', [{ memberName: 'user.a', expiration: at + 4 * MINUTE, reviewReminder: at + MINUTE }]),
        ],
        groups: [groupWith('team', [])],
      }),
    )
    const requested = (memberName: string, minute: number) => ({
      memberName,
      requestTime: at + minute * MINUTE,
      pendingState: 'ADD' as const,
    })
    await fixture.commit(
      [name],
      { kind: 'putGroupMember', domain: name, group: 'team', value: dated('user.a', 5) },
      { kind: 'putPendingRoleMember', domain: name, role: 'both', value: requested('user.p', 6) },
      { kind: 'putPendingGroupMember', domain: name, group: 'team', value: requested('user.p', 7) },
    )
    return name
  }

  test('finds memberships and requests by their dates', async () => {
    const at = span()
    const domain = await create(at)
    const found = (kind: NoticeKind, from: number, until: number) =>
      fixture.store.noticeSubjects(kind, at + from * MINUTE, at + until * MINUTE)
    const place = (collection: string, member: string, minute: number) => ({
      domain,
      collection,
      member,
      time: at + minute * MINUTE,
    })
    assert.deepEqual(await found('roleExpiry', 0, 10), [
      place('both', 'user.a', 4),
      place('readers', 'user.a', 2),
      place('readers', 'user.b', 1),
    ])
    assert.deepEqual(await found('roleExpiry', 1, 2), [place('readers', 'user.b', 1)])
    assert.deepEqual(await found('roleExpiry', 5, 10), [])
    assert.deepEqual(await found('roleReview', 0, 10), [place('readers', 'user.c', 3)])
    assert.deepEqual(await found('groupExpiry', 0, 10), [place('team', 'user.a', 5)])
    assert.deepEqual(await found('pendingRole', 0, 10), [place('both', 'user.p', 6)])
    assert.deepEqual(await found('pendingGroup', 0, 10), [place('team', 'user.p', 7)])
  })

  for (const kind of KINDS) {
    test(`gives a notice of ${kind} to one server a day, and keeps all stamps`, async () => {
      const at = span()
      const domain = await create(at)
      const subjects = await fixture.store.noticeSubjects(kind, at, at + 10 * MINUTE)
      const places = subjects.map(({ collection, member }) => ({ domain, collection, member }))
      const before = await fixture.read(domain)
      const stamps = [before.modified, ...[...before.roles.values()].map(({ modified }) => modified)]
      const claim = (day: number, server: string) => {
        const now = at + day * 86_400_000
        return fixture.store.claimNotices(kind, places, { server, at: now + MINUTE, notSince: now })
      }
      const answers = await Promise.all([claim(0, SERVER), claim(0, 'zms2.example.com'), claim(0, 'zms3.example.com')])
      const sort = (list: readonly { collection: string; member: string }[]) =>
        list.map(({ collection, member }) => `${collection} ${member}`).sort()
      assert.deepEqual(sort(answers.flat()), sort(places))
      assert.deepEqual(
        (await fixture.store.noticeSubjects(kind, at, at + 10 * MINUTE)).map(({ notifiedTime }) => notifiedTime),
        places.map(() => at + MINUTE),
      )
      assert.deepEqual(await claim(0, SERVER), [])
      await fixture.reopen()
      assert.deepEqual(await claim(0, SERVER), [], 'after a restart')
      assert.deepEqual(sort(await claim(1, SERVER)), sort(places))
      const after = await fixture.read(domain)
      assert.deepEqual([after.modified, ...[...after.roles.values()].map(({ modified }) => modified)], stamps)
      const role = after.roles.get('readers')
      assert.equal(role?.members.get('user.b')?.lastNotifiedTime, kind === 'roleExpiry' ? at + 86_460_000 : undefined)
      assert.equal(role?.members.get('user.c')?.reviewServer, kind === 'roleReview' ? SERVER : undefined)
    })
  }

  test('gives nothing of what is gone', async () => {
    const at = span()
    const domain = await create(at)
    const place = (collection: string, member: string) => ({ domain, collection, member })
    const places = [
      place('readers', 'user.nobody'),
      place('nothing', 'user.a'),
      { ...place('readers', 'user.a'), domain: 'nowhere' },
      place('readers', 'user.a'),
    ]
    const claim = { server: SERVER, at: at + MINUTE, notSince: at }
    assert.deepEqual(await fixture.store.claimNotices('roleExpiry', places, claim), [place('readers', 'user.a')])
    assert.deepEqual(await fixture.store.claimNotices('roleExpiry', [], claim), [])
  })

  test('gives many at once', async () => {
    const at = span()
    const members = Array.from({ length: 600 }, (_, index) => `user.u${String(index).padStart(3, '0')}`)
    const domain = await fixture.create((own) =>
      domainWith(own, {
        roles: [
          roleWith(
            'many',
            members.map((memberName) => ({ memberName, expiration: at })),
          ),
        ],
      }),
    )
    const places = members.map((member) => ({ domain, collection: 'many', member }))
    const claim = { server: SERVER, at: at + MINUTE, notSince: at }
    const claimed = await fixture.store.claimNotices('roleExpiry', places, claim)
    assert.deepEqual(claimed.map(({ member }) => member).sort(), members)
    assert.deepEqual(await fixture.store.claimNotices('roleExpiry', places.slice(250, 350), claim), [])
  })
}
