import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formsOf } from '../visitor.ts'
import { callsOf, type Person, repeatedIds, startWebPage, textOf } from '../web-page.ts'

const MINUTE_MILLIS = 60_000
const HOUR_MILLIS = 60 * MINUTE_MILLIS
const DAY_MILLIS = 24 * HOUR_MILLIS
const CALLS = 3
const PAGE_SIZE = 12
/** Rows of each list on the first page. */
const FEW = 10
const { admin, joe, zms } = await startWebPage({ 'athenz.ui.page_size': String(PAGE_SIZE) })
const domainName = 'club'
const inMillis = (millis: number) => Date.now() + millis

await zms.call('postTopLevelDomain', { body: { name: domainName, adminUsers: ['user.admin'] } })
const putRole = (roleName: string, settings: object, members: Readonly<Record<string, number>> = {}) =>
  zms.call('putRole', {
    domainName,
    roleName,
    body: {
      name: roleName,
      ...settings,
      roleMembers: Object.entries(members).map(([memberName, expiration]) => ({ memberName, expiration })),
    },
  })
const endOf = async (roleName: string, memberName: string): Promise<number> =>
  Date.parse(String((await zms.call('getMembership', { domainName, roleName, memberName })).expiration))

/** The form of a page for one role or group, with what it would send. */
async function formFor(person: Person, path: string, name: string): Promise<Readonly<Record<string, string>>> {
  const { text } = await person.get(path)
  const form = formsOf(text).find(({ values }) => values.get('name') === name)
  assert.ok(form, `${path} has no form for ${name}: ${textOf(text)}`)
  const { csrf: _, action: __, ...fields } = Object.fromEntries(form.values)
  return fields
}

/** What a refused form says. */
async function refused(person: Person, path: string, action: string, fields: Readonly<Record<string, string>>) {
  const { status, text } = await person.send(path, action, fields)
  const problem = /<div class="problem" role="alert">(.*?)<\/div>/s.exec(text)?.[1] ?? text
  return { status, problem: textOf(problem) }
}

describe('requests', () => {
  const ask = (roleName: string) =>
    joe.submit(`/domain/${domainName}/role/${roleName}`, 'add', {
      member: 'user.joe',
      expiration: '2038-01-31',
      auditRef: `because of <${roleName}>`,
    })

  for (const [path, action, said] of [
    ['/', 'approve', 'Approved'],
    ['/due', 'approve', 'Approved'],
    ['/', 'reject', 'Rejected'],
    ['/due', 'reject', 'Rejected'],
  ] as const) {
    test(`are shown at ${path} with their reason, and ${said.toLowerCase()} there`, async () => {
      const roleName = `players${path === '/' ? '' : '-due'}-${action}`
      await putRole(roleName, { selfServe: true })
      await ask(roleName)
      const page = await admin.get(path)
      assert.ok(callsOf(page) <= CALLS, `${callsOf(page)} calls`)
      assert.deepEqual(repeatedIds(page.text), [])
      const row = new RegExp(
        `user\\.joe role ${roleName} until 2038-01-31 00:00 UTC club user\\.joe \\S+ \\S+ UTC because of <${roleName}> Approve Reject This cannot be undone`,
      )
      assert.match(textOf(page.text), row)
      const decided = await admin.submit(path, action, await formFor(admin, path, roleName))
      assert.match(textOf(decided.text), new RegExp(`${said}: user\\.joe for role ${roleName} of club\\.`))
      assert.match(decided.text, path === '/' ? /<h1>Home</ : /<h1>What is due</)
      assert.doesNotMatch(textOf(decided.text), row)
      const { isMember } = await zms.call('getMembership', { domainName, roleName, memberName: 'user.joe' })
      assert.equal(isMember, action === 'approve')
    })
  }

  test('of audited domains are decided with a reason, which is asked for in the row', async () => {
    await zms.call('postTopLevelDomain', { body: { name: 'vault', adminUsers: ['user.admin'] } })
    const role = { domainName: 'vault', roleName: 'openers' }
    await zms.call('putRole', { ...role, body: { name: 'openers', selfServe: true } })
    await zms.call('putDomainSystemMeta', { name: 'vault', attribute: 'auditenabled', body: { auditEnabled: true } })
    await joe.submit('/domain/vault/role/openers', 'add', { member: 'user.joe', auditRef: 'x' })
    const fields = await formFor(admin, '/', 'openers')
    assert.deepEqual(Object.keys(fields).sort(), ['auditRef', 'domain', 'kind', 'member', 'name', 'seen'])
    await admin.submit('/', 'approve', { ...fields, auditRef: 'ticket 7' })
    const { roleMembers } = await zms.call('getRole', role)
    assert.deepEqual(
      roleMembers?.map(({ memberName, auditRef }) => [memberName, auditRef]),
      [['user.joe', 'ticket 7']],
    )
  })

  test('are refused with the reason to those who may not decide, and when somebody else was quicker', async () => {
    await putRole('contested', { selfServe: true })
    await ask('contested')
    const fields = await formFor(admin, '/', 'contested')
    assert.deepEqual(await refused(joe, '/', 'approve', fields), {
      status: 403,
      problem:
        'ZMS refuses: principal user.joe is not authorized to approve / reject members. Why, and what would change it .',
    })
    await admin.submit('/', 'reject', fields)
    const again = await refused(admin, '/', 'approve', fields)
    assert.equal(again.status, 400)
    assert.match(again.problem, /^No request for user\.joe waits any more: somebody else has decided it/)
    for (const lost of ['kind', 'domain', 'name'] as const) {
      assert.deepEqual(await refused(admin, '/due', 'approve', { ...fields, [lost]: '' }), {
        status: 400,
        problem: 'The form names no role or group.',
      })
    }
    assert.deepEqual(await refused(admin, '/due', 'reject', { ...fields, member: '' }), {
      status: 400,
      problem: 'The form names no member.',
    })
  })

  test('of the person itself are left to others', async () => {
    await putRole('four-eyes', { reviewEnabled: true })
    await admin.submit(`/domain/${domainName}/role/four-eyes`, 'add', { member: 'user.jane' })
    const { text } = await admin.get('/')
    assert.match(
      text,
      /<a href="\/domain\/club\/role\/four-eyes\/member\/user\.jane">Your own request<\/a>/,
      textOf(text),
    )
    assert.equal(
      formsOf(text).some(({ values }) => values.get('name') === 'four-eyes'),
      false,
    )
    const crafted = { kind: 'role', domain: domainName, name: 'four-eyes', member: 'user.jane' }
    assert.deepEqual(await refused(admin, '/', 'approve', crafted), {
      status: 403,
      problem: 'ZMS refuses: principal user.admin cannot approve / reject own request. Why, and what would change it .',
    })
    await admin.submit('/domain/club/role/four-eyes/member/user.jane', 'withdraw')
  })
})

describe('reviews', () => {
  test('that are due are on the first page, and lead to the review', async () => {
    assert.match(textOf((await admin.get('/')).text), /No role or group waits for a review of yours/)
    await putRole('reviewed', { memberReviewDays: 10, lastReviewedDate: inMillis(-20 * DAY_MILLIS) })
    for (const path of ['/', '/due']) {
      const { text } = await admin.get(path)
      assert.match(textOf(text), /role reviewed club \S+ \S+ UTC \S+ \S+ UTC Review/)
      const to = /<a href="([^"]+)" aria-label="Review club:role\.reviewed">/.exec(text)?.[1] ?? ''
      assert.match((await admin.get(to)).text, /<h1>Review</)
    }
  })
})

describe('memberships that end', () => {
  test('are renewed by the member where the role lets it, from the first page and from what is due', async () => {
    for (const [roleName, path, before] of [
      ['on-call', '/', inMillis(MINUTE_MILLIS)],
      ['was-on-call', '/due', inMillis(-HOUR_MILLIS)],
    ] as const) {
      await putRole(roleName, { selfRenew: true, selfRenewMins: 120 }, { 'user.joe': before })
      const shown = textOf((await joe.get(path)).text)
      const state = before < Date.now() ? 'expired' : 'ends soon'
      assert.match(shown, new RegExp(`role ${roleName} club \\S+ \\S+ UTC ${state} Renew for 2 hours`))
      const asked = Date.now()
      const renewed = await joe.submit(path, 'renew', await formFor(joe, path, roleName))
      assert.match(textOf(renewed.text), new RegExp(`Renewed: your membership in the role ${roleName} of club\\.`))
      const end = await endOf(roleName, 'user.joe')
      assert.ok(
        end >= asked - 1000 + 2 * HOUR_MILLIS && end <= Date.now() + 2 * HOUR_MILLIS,
        new Date(end).toISOString(),
      )
    }
  })

  test('end in the end for those, too, who could go without a date', async () => {
    await putRole('duty', { selfRenew: true, selfRenewMins: 45 }, { 'user.admin': inMillis(MINUTE_MILLIS) })
    const { text } = await admin.get('/')
    assert.match(text, /aria-label="Renew for 45 minutes: club:role\.duty"/)
    await admin.submit('/', 'renew', await formFor(admin, '/', 'duty'))
    assert.ok((await endOf('duty', 'user.admin')) <= Date.now() + 45 * MINUTE_MILLIS)
  })

  test('are not renewed where the role does not let the member, or the membership lasts longer', async () => {
    const plain = { kind: 'role', domain: domainName, member: 'user.joe' }
    await putRole('plain', {}, { 'user.joe': inMillis(MINUTE_MILLIS) })
    await putRole('short', { selfRenew: true, selfRenewMins: 5 }, { 'user.joe': inMillis(HOUR_MILLIS) })
    await putRole('others', { selfRenew: true, selfRenewMins: 5 })
    const names = formsOf((await joe.get('/due')).text).map(({ values }) => values.get('name'))
    assert.deepEqual(
      names.filter((name) => name === 'plain' || name === 'short'),
      [],
    )
    for (const [name, problem] of [
      ['plain', 'Members of the role plain of club may not renew themselves any more.'],
      ['short', 'Your membership in the role short of club lasts longer already. Nothing has been changed.'],
      ['others', 'You are no member of the role others of club any more, so there is nothing to renew.'],
    ]) {
      assert.deepEqual(await refused(joe, '/due', 'renew', { ...plain, name: name ?? '' }), { status: 400, problem })
    }
  })
})

test('the first page has the beginning of each list, and leads to all of it', async () => {
  for (let at = 0; at <= PAGE_SIZE; at++) await putRole(`ends-${at}`, {}, { 'user.joe': inMillis(-HOUR_MILLIS) })
  const page = await joe.get('/')
  assert.ok(callsOf(page) <= CALLS, `${callsOf(page)} calls`)
  const count = Number(/<a href="\/due#memberships">All (\d+) memberships<\/a>/.exec(page.text)?.[1])
  assert.ok(count > PAGE_SIZE)
  assert.equal(page.text.split('>expired<').length - 1, FEW)
  assert.match(textOf(page.text), new RegExp(`Waiting for you \\(${count}\\)`))
  const due = await joe.get('/due')
  assert.match(due.text, new RegExp(`<h2 id="memberships">Memberships of yours that end \\(${count}\\)<`))
  assert.match(due.text, /<nav class="pager" aria-label="Pages of memberships"><a [^>]*rel="next">/)
})
