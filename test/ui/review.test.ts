import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withQuery } from '#ui/html.ts'
import { type FormOnPage, formsOf, type Shown, unescaped } from './visitor.ts'
import { callsOf, startWebPage, textOf } from './web-page.ts'

const { admin, zms } = await startWebPage({ 'athenz.ui.page_size': '3' })
await zms.call('postTopLevelDomain', { body: { name: 'sports', adminUsers: ['user.admin'] } })
const DAY_MILLIS = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MILLIS).toISOString()
const SEVEN = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `user.${name}`)

/** Makes a role whose review is due. */
async function dueRole(roleName: string, members: readonly string[], settings: object = {}): Promise<string> {
  const roleMembers = members.map((memberName) => ({ memberName }))
  const due = { memberReviewDays: 1, lastReviewedDate: daysAgo(3) }
  await zms.call('putRole', { domainName: 'sports', roleName, body: { name: roleName, roleMembers, ...due } })
  await zms.call('putRoleMeta', { domainName: 'sports', roleName, body: settings })
  return `/domain/sports/role/${roleName}/review`
}

const roleNow = (roleName: string) => zms.call('getRole', { domainName: 'sports', roleName, pending: true })
const membersOf = async (roleName: string) =>
  ((await roleNow(roleName)).roleMembers ?? []).filter(({ approved }) => approved).map(({ memberName }) => memberName)
const requestsOf = async (roleName: string) =>
  ((await roleNow(roleName)).roleMembers ?? [])
    .filter(({ approved }) => approved === false)
    .map(({ memberName, pendingState }) => [memberName, pendingState])
const isDue = async (roleName: string) =>
  (await zms.call('searchDueReviews', { filter: `:role.${roleName}` })).total === 1

/** The page of a part, with its form as it stands. */
async function part(target: string): Promise<{ readonly shown: string; readonly form: FormOnPage; send: Send }> {
  const page = await admin.get(target)
  assert.deepEqual([page.status, callsOf(page)], [200, 2], textOf(page.text))
  const form = formsOf(page.text).find(({ values }) => values.get('action') === 'review')
  assert.ok(form, textOf(page.text))
  const members = [...page.text.matchAll(/name="member" value="([^"]*)"/g)].map(([, value = '']) => unescaped(value))
  const rest = [...form.values].filter(([name]) => name !== 'member')
  const send: Send = async (...removed) => {
    const fields = [...rest, ...members.map((each) => ['member', each] as const)]
    const sent = await admin.sendAll(form.to, [...fields, ...removed.map((name) => ['remove', name] as const)])
    assert.ok(callsOf(sent) <= 3, `${callsOf(sent)} calls: ${textOf(sent.text)}`)
    return sent
  }
  return { shown: textOf(page.text), form, send }
}
type Send = (...removed: readonly string[]) => Promise<Shown>

/** Where an answer leads, and what the page there says. */
async function after({ status, headers, text }: Shown): Promise<{ readonly to: string; readonly page: Shown }> {
  assert.equal(status, 303, textOf(text))
  const to = String(headers['location'])
  return { to, page: await admin.get(to) }
}

describe('a review of more members than a page has', () => {
  test('goes through all parts, and only with the last one the role is reviewed', async () => {
    const path = await dueRole('seven', SEVEN)
    const first = await part(path)
    assert.match(first.shown, /This is part 1 of 3\. The role counts as reviewed when the last part is done\./)
    assert.match(first.shown, /Part 1 of 3: 3 of 7 members .*user\.a active .*user\.b active .*user\.c active/)
    assert.match(first.shown, /Decide about these and go on/)
    const second = await after(await first.send('user.b'))
    assert.match(textOf(second.page.text), /Part 1 of 3 is reviewed: 2 stay\. Removed: user\.b\./)
    assert.deepEqual([await isDue('seven'), (await membersOf('seven')).length], [true, 6])
    const { shown, send } = await part(second.to)
    assert.match(shown, /Part 2 of 3: 3 of 6 members .*user\.d active .*user\.f active/)
    const third = await after(await send('user.d', 'user.e', 'user.f'))
    assert.match(textOf(third.page.text), /Part 2 of 3 is reviewed: 0 stay\. Removed: user\.d, user\.e, user\.f\./)
    assert.equal(await isDue('seven'), true)
    const last = await part(third.to)
    assert.match(last.shown, /Part 3 of 3: 1 of 3 members .*user\.g active .*Finish the review of these/)
    const done = await after(await last.send())
    assert.equal(done.to, '/domain/sports/role/seven')
    assert.match(textOf(done.page.text), /Part 3 of 3 is reviewed: 1 stays\. With this, the whole role is reviewed\./)
    assert.deepEqual([await isDue('seven'), await membersOf('seven')], [false, ['user.a', 'user.c', 'user.g']])
    const { reviewReminder } = (await roleNow('seven')).roleMembers?.[0] ?? {}
    assert.ok(Date.parse(reviewReminder ?? '') > Date.now())
  })

  test('is the same for a group', async () => {
    const groupMembers = SEVEN.slice(0, 4).map((memberName) => ({ memberName }))
    await zms.call('putGroup', { domainName: 'sports', groupName: 'four', body: { name: 'four', groupMembers } })
    const reviewed = async () =>
      (await zms.call('getGroup', { domainName: 'sports', groupName: 'four' })).lastReviewedDate
    const second = await after(await (await part('/domain/sports/group/four/review')).send())
    assert.equal(await reviewed(), undefined)
    await after(await (await part(second.to)).send())
    assert.ok(await reviewed())
  })

  test('takes back what a part removed', async () => {
    const path = await dueRole('undone', SEVEN)
    const { page } = await after(await (await part(path)).send('user.a'))
    await admin.undo(page)
    assert.equal((await membersOf('undone')).length, 7)
  })

  test('begins with the first part, wherever a link without the parts before leads', async () => {
    const path = await dueRole('link', SEVEN)
    const { form } = await part(path)
    const skip = form.values.get('next')
    for (const rest of [
      {},
      { part: 2, before: 3 },
      { part: 3, before: 'x', since: 1 },
      { part: 1, before: 0, since: 1 },
    ]) {
      assert.match((await part(withQuery(path, { skip, ...rest }))).shown, /Part 1 of 3/)
    }
  })

  test('ends when somebody else has finished another one meanwhile', async () => {
    const path = await dueRole('overtaken', SEVEN)
    const second = await after(await (await part(path)).send())
    const { send } = await part(second.to)
    // Later by a second for certain: reviews are dated in whole ones.
    const lastReviewedDate = new Date(Date.now() + 1000).toISOString()
    await zms.call('putRoleMeta', { domainName: 'sports', roleName: 'overtaken', body: { lastReviewedDate } })
    const late = await send('user.d')
    assert.equal(late.status, 400)
    assert.match(textOf(late.text), /Somebody has finished a review of this role since this one began/)
    assert.equal((await membersOf('overtaken')).length, 7)
    const page = await admin.get(second.to)
    assert.match(textOf(page.text), /nothing more is decided here\. Begin again/)
    assert.ok(formsOf(page.text).every(({ values }) => values.get('action') !== 'review'))
  })

  test('goes past a part with nothing but requests', async () => {
    const path = await dueRole('asked', ['user.d'], { selfServe: true, reviewEnabled: true })
    for (const memberName of ['user.a', 'user.b', 'user.c']) {
      await zms.call('putMembership', { domainName: 'sports', roleName: 'asked', memberName, body: { memberName } })
    }
    const first = await part(path)
    assert.match(first.shown, /There is nobody to review\./)
    const second = await after(await first.send())
    assert.equal(await isDue('asked'), true)
    await after(await (await part(second.to)).send())
    assert.deepEqual([await isDue('asked'), await membersOf('asked')], [false, ['user.d']])
  })
})

describe('a review', () => {
  test('of a role without members is finished, too', async () => {
    const path = await dueRole('empty', [])
    const { shown, send } = await part(path)
    assert.match(shown, /There is nobody to review\./)
    assert.match(textOf((await after(await send())).page.text), /Reviewed: 0 stay\./)
    assert.equal(await isDue('empty'), false)
  })

  test('that decides about nobody is none, where there are members', async () => {
    const path = await dueRole('filled', [])
    const { send } = await part(path)
    await zms.call('putMembership', {
      domainName: 'sports',
      roleName: 'filled',
      memberName: 'user.a',
      body: { memberName: 'user.a' },
    })
    const late = await send()
    assert.equal(late.status, 400)
    assert.match(textOf(late.text), /Nobody was decided about\. Look at the members again\./)
    assert.equal(await isDue('filled'), true)
  })

  test('of a delegated role is made elsewhere', async () => {
    await zms.call('postTopLevelDomain', { body: { name: 'media', adminUsers: ['user.admin'] } })
    await zms.call('putRole', { domainName: 'sports', roleName: 'lent', body: { name: 'lent', trust: 'media' } })
    const { text } = await admin.get('/domain/sports/role/lent/review')
    assert.match(textOf(text), /This role is delegated: the domain media decides who is in it\./)
    assert.ok(formsOf(text).every(({ values }) => values.get('action') !== 'review'))
  })

  test('says what waits for the approval of somebody else, and takes it back', async () => {
    const path = await dueRole('guarded', ['user.a', 'user.b', 'user.c'], { memberExpiryDays: 30, reviewEnabled: true })
    assert.match((await part(path)).shown, /New dates wait for the approval of somebody else\./)
    const { page } = await after(await (await part(path)).send())
    assert.match(textOf(page.text), /Reviewed: 3 stay\. Their new dates wait for the approval of somebody else\./)
    assert.deepEqual(
      (await requestsOf('guarded')).map(([, state]) => state),
      ['ADD', 'ADD', 'ADD'],
    )
    assert.match(textOf((await admin.undo(page)).text), /Taken back: user\.a, user\.b, user\.c\./)
    assert.deepEqual(await requestsOf('guarded'), [])
    await zms.call('putRoleMeta', {
      domainName: 'sports',
      roleName: 'guarded',
      body: { reviewEnabled: true, deleteProtection: true },
    })
    const { shown, send } = await part(path)
    assert.match(shown, /Removals and new dates wait for the approval of somebody else\./)
    const { page: both } = await after(await send('user.b'))
    assert.match(
      textOf(both.text),
      /Reviewed: 2 stay\. Their new dates wait for .* else\. The removal waits for the approval of somebody else: user\.b\./,
    )
    const states = new Map((await requestsOf('guarded')) as [string, string][])
    assert.deepEqual(
      ['user.a', 'user.b', 'user.c'].map((name) => states.get(name)),
      ['ADD', 'DELETE', 'ADD'],
    )
  })

  test('gives no new dates where nothing limits them: then nothing waits', async () => {
    const path = await dueRole('unlimited', ['user.a'], { reviewEnabled: true, memberReviewDays: 0 })
    const { page } = await after(await (await part(path)).send())
    assert.match(textOf(page.text), /Reviewed: 1 stays\. (?!Their new dates)/)
    assert.deepEqual(await requestsOf('unlimited'), [])
  })
})
