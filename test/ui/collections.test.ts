import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { certificateFiles } from '#client/certificate-files.ts'
import { ZmsClient } from '#client/zms-client.ts'
import type { DevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startPages } from './pages-of-dev.ts'
import { type FormOnPage, formsOf, type Shown, unescaped, Visitor } from './visitor.ts'

const dir = temporaryFolder()
let servers: DevServers
let zms: ZmsClient
/** Administrators of the domain, and somebody who is none. */
let admin: Visitor
let jane: Visitor
let joe: Visitor

before(async () => {
  servers = await startPages(dir, { 'athenz.ui.page_size': '10' })
  const { summary } = servers
  const identity = await certificateFiles({ key: summary.adminKey, certificate: summary.adminCert })
  zms = new ZmsClient({ url: summary.zms ?? '', caFile: summary.ca, identity })
  admin = await Visitor.signedIn(summary)
  jane = await signedIn('jane')
  joe = await signedIn('joe')
  await zms.call('postTopLevelDomain', { body: { name: 'sports', adminUsers: ['user.admin', 'user.jane'] } })
})
after(async () => {
  await zms?.close()
  await servers[Symbol.asyncDispose]()
})

async function signedIn(name: string): Promise<Visitor> {
  const visitor = new Visitor(servers.summary)
  assert.equal((await visitor.post('/sign-in', { user: name, password: name })).status, 303)
  return visitor
}

const NASTY = '<img src=x onerror=alert(1)>"\'&'
const DAY_MILLIS = 86_400_000
const day = (days: number) => new Date(Date.now() + days * DAY_MILLIS).toISOString().slice(0, 10)

/** What somebody reads on a page. */
const textOf = ({ text }: Shown): string =>
  unescaped(text.replaceAll(/<[^>]*>/g, ' '))
    .replaceAll(/\s+/g, ' ')
    .trim()

const callsOf = ({ headers }: Shown): number => Number(/desc="(\d+) calls"/.exec(String(headers['server-timing']))?.[1])

/** A page that is shown with no more calls than any page may make, and with nothing of others in it. */
async function page(visitor: Visitor, path: string): Promise<Shown> {
  const shown = await visitor.get(path)
  assert.equal(shown.status, 200, textOf(shown))
  assert.ok(callsOf(shown) <= 3, `${path}: ${callsOf(shown)} calls`)
  assert.doesNotMatch(shown.text, /<(?:img|iframe|svg)\b|<script(?!\ssrc="\/assets)/)
  const ids = [...shown.text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
  assert.deepEqual(new Set(ids).size, ids.length, `${path}: an id comes twice`)
  return shown
}

/** Sends a form that must be carried out, and gives the page it leads to. */
async function submit(visitor: Visitor, path: string, action: string, fields: Readonly<Record<string, string>> = {}) {
  return visitor.goOn(await visitor.submit(path, action, fields))
}

const csrfOf = async (visitor: Visitor): Promise<string> =>
  formsOf((await visitor.get('/')).text)[0]?.values.get('csrf') ?? ''

/** Sends a form that is not asked for first. */
async function send(visitor: Visitor, path: string, action: string, fields: readonly (readonly [string, string])[]) {
  return visitor.post(path, [['csrf', await csrfOf(visitor)], ['action', action], ...fields])
}

/** Takes back what was done just before. */
async function undo(visitor: Visitor, { text }: Shown): Promise<Shown> {
  const box = /<div class="notice".*?<\/div>/s.exec(text)?.[0] ?? ''
  const [form] = formsOf(box) as [FormOnPage?]
  assert.ok(form, `no undo: ${box}`)
  return visitor.goOn(await visitor.post(form.to, Object.fromEntries(form.values)))
}

const membersOf = async (roleName: string) =>
  ((await zms.call('getRole', { domainName: 'sports', roleName, pending: true })).roleMembers ?? [])
    .filter(({ approved }) => approved)
    .map(({ memberName }) => memberName)
    .sort()

const putRole = async (roleName: string, members: readonly string[], settings: object = {}) => {
  const roleMembers = members.map((memberName) => ({ memberName }))
  await zms.call('putRole', { domainName: 'sports', roleName, body: { name: roleName, roleMembers, ...settings } })
}

describe('the list of roles', () => {
  test('shows a part, filters by the text in the name and by tag, and tells what is special', async () => {
    for (let at = 0; at < 12; at++) await putRole(`list-${String(at).padStart(2, '0')}`, ['user.joe'])
    await putRole('list-tagged', [], {
      selfServe: true,
      description: NASTY,
      tags: { team: { list: ['blue'] } },
      memberExpiryDays: 30,
    })
    const first = await page(admin, '/domain/sports/roles?filter=LIST')
    assert.match(textOf(first), /13 roles/)
    assert.match(first.text, /list-09/)
    assert.doesNotMatch(first.text, /list-10</)
    const next = /href="([^"]*)" rel="next"/.exec(first.text)?.[1] ?? ''
    const second = await page(admin, unescaped(next))
    assert.match(textOf(second), /list-10 .*list-11 .*list-tagged <img src=x/)
    assert.match(textOf(second), /self-serve/)
    const tagged = await page(admin, '/domain/sports/roles?tagKey=team&tagValue=blue')
    assert.match(textOf(tagged), /One role .*list-tagged/)
    assert.match(textOf(await page(admin, '/domain/sports/roles?filter=nothing-like-it')), /No role fits\./)
    assert.match(textOf(first), /athenz role list sports/)
  })

  test('makes roles, and does not replace one that is there', async () => {
    const made = await submit(admin, '/domain/sports/roles', 'create', {
      name: 'Made',
      description: 'new',
      members: 'user.joe\nuser.jane',
    })
    assert.match(textOf(made), /The role made was created\./)
    assert.deepEqual(await membersOf('made'), ['user.jane', 'user.joe'])
    const again = await admin.submit('/domain/sports/roles', 'create', { name: 'made', description: 'other' })
    assert.deepEqual([again.status, callsOf(again)], [400, 3])
    assert.match(textOf(again), /The role made is there already\./)
    assert.match(again.text, /value="other"/)
    assert.deepEqual(await membersOf('made'), ['user.jane', 'user.joe'])
  })

  test('says why ZMS refuses', async () => {
    const refused = await joe.submit('/domain/sports/roles', 'create', { name: 'mine' })
    assert.equal(refused.status, 403)
    assert.match(textOf(refused), /ZMS refuses: .*Why, and what would change it/)
    assert.equal((await admin.get('/domain/nowhere/roles')).status, 404)
    assert.match(textOf(await admin.get('/domain/nowhere/roles')), /Domain not found: 'nowhere'/)
  })
})

describe('the members of a role', () => {
  test('are shown with how they stand, with few calls, whatever their names and reasons are', async () => {
    await putRole('states', ['user.bill', 'sports.api'])
    const membership = { domainName: 'sports', roleName: 'states', auditRef: NASTY }
    const put = (memberName: string, more: object) =>
      zms.call('putMembership', { ...membership, memberName, body: { memberName, ...more } })
    await put('user.ends', { expiration: Date.now() + 30 * DAY_MILLIS })
    await put('user.late', { expiration: Date.now() + 1000 })
    const shown = await page(admin, '/domain/sports/role/states')
    assert.match(textOf(shown), /4 members .*user\.bill active/)
    assert.match(textOf(shown), /user\.ends active .* UTC <img src=x onerror=alert\(1\)>"'&/)
    assert.match(textOf(shown), /athenz role add-member sports states user\.jane --until 2030-01-31/)
    assert.match(textOf(await page(admin, '/domain/sports/role/states?filter=ENDS')), /One member/)
    const states = await admin.get('/domain/sports/role/states?state=lost')
    assert.equal(states.status, 400)
    assert.match(textOf(states), /state must be one of active, expired, disabled, pending, overdue: lost/)
  })

  test('are added with dates, and taken back', async () => {
    await putRole('adding', ['user.bill'])
    const added = await submit(admin, '/domain/sports/role/adding', 'add', {
      member: 'User.New sports:group.none\n',
      expiration: day(30),
      auditRef: 'ticket 1',
    }).catch((error: unknown) => error)
    assert.ok(added instanceof Error, 'a group that is not there is refused')
    assert.deepEqual(await membersOf('adding'), ['user.bill', 'user.new'])
    await zms.call('deleteMembership', { domainName: 'sports', roleName: 'adding', memberName: 'user.new' })
    const shown = await submit(admin, '/domain/sports/role/adding', 'add', {
      member: 'user.new, user.other',
      expiration: day(30),
    })
    assert.match(textOf(shown), /Added: user\.new, user\.other\./)
    const { expiration } = await zms.call('getMembership', {
      domainName: 'sports',
      roleName: 'adding',
      memberName: 'user.new',
    })
    assert.equal(expiration, `${day(30)}T00:00:00.000Z`)
    assert.match(textOf(await undo(admin, shown)), /Taken back: user\.new, user\.other\./)
    assert.deepEqual(await membersOf('adding'), ['user.bill'])
  })

  test('what is refused half way is told, with what is done', async () => {
    await putRole('half', ['user.bill'])
    const refused = await admin.submit('/domain/sports/role/half', 'add', {
      member: 'user.new sports:group.none user.x',
    })
    assert.equal(refused.status, 400)
    assert.match(
      textOf(refused),
      /2 of 3 are done: user\.new, user\.x\. Then, for sports:group\.none: .*The others are as they were\./,
    )
    assert.match(refused.text, /<details open>/)
    assert.deepEqual(await membersOf('half'), ['user.bill', 'user.new', 'user.x'])
  })

  for (const [what, fields, problem] of [
    ['nobody', { member: ' ' }, /Write who is to be a member\./],
    ['a member', { member: 'user.bill' }, /user\.bill is a member already/],
    ['a day of the past', { member: 'user.x', expiration: '2020-01-01' }, /this day has begun already/],
    ['a day that is none', { member: 'user.x', expiration: '2030-02-31' }, /“2030-02-31” is no date/],
  ] as const) {
    test(`${what} is not added`, async () => {
      await putRole('refusing', ['user.bill'])
      const refused = await admin.submit('/domain/sports/role/refusing', 'add', fields)
      assert.equal(refused.status, 400)
      assert.match(textOf(refused), problem)
      assert.deepEqual(await membersOf('refusing'), ['user.bill'])
    })
  }

  test('are removed after one question, and put back with their dates', async () => {
    await putRole('removing', ['user.bill'])
    const place = { domainName: 'sports', roleName: 'removing', memberName: 'user.ends' }
    const expiration = `${day(20)}T10:11:12.000Z`
    await zms.call('putMembership', { ...place, body: { memberName: 'user.ends', expiration } })
    const question = await page(admin, '/domain/sports/role/removing/member/user.ends')
    assert.match(textOf(question), /user\.ends loses at once what this role grants\./)
    const removed = await submit(admin, '/domain/sports/role/removing/member/user.ends', 'remove')
    assert.match(textOf(removed), /Removed: user\.ends\./)
    assert.deepEqual(await membersOf('removing'), ['user.bill'])
    await undo(admin, removed)
    assert.equal((await zms.call('getMembership', place)).expiration, expiration)
  })

  test('are renewed one by one; a day that stays keeps its time', async () => {
    await putRole('renewing', ['user.bill'])
    const place = { domainName: 'sports', roleName: 'renewing', memberName: 'user.ends' }
    const expiration = `${day(20)}T10:11:12.000Z`
    await zms.call('putMembership', { ...place, body: { memberName: 'user.ends', expiration } })
    const path = '/domain/sports/role/renewing/member/user.ends'
    await submit(admin, path, 'save', { reviewReminder: day(5) })
    const after_ = await zms.call('getMembership', place)
    assert.deepEqual([after_.expiration, after_.reviewReminder], [expiration, `${day(5)}T00:00:00.000Z`])
    const saved = await submit(admin, path, 'save', { expiration: day(50) })
    assert.equal((await zms.call('getMembership', place)).expiration, `${day(50)}T00:00:00.000Z`)
    await undo(admin, saved)
    assert.equal((await zms.call('getMembership', place)).expiration, expiration)
  })

  test('several at once are renewed and removed in one form', async () => {
    await putRole('several', ['user.a', 'user.b', 'user.c'])
    const list = await page(admin, '/domain/sports/role/several')
    assert.match(list.text, /<form id="selection" method="get" action="\/domain\/sports\/role\/several\/members"/)
    const chosen = '/domain/sports/role/several/members?member=user.a&member=user.b'
    assert.match(textOf(await page(admin, chosen)), /Remove these 2 members/)
    const both = [
      ['member', 'user.a'],
      ['member', 'user.b'],
    ] as const
    const renewed = await admin.goOn(await send(admin, chosen, 'renew', [...both, ['expiration', day(9)]]))
    assert.match(textOf(renewed), /Renewed: user\.a, user\.b\./)
    const removed = await admin.goOn(await send(admin, chosen, 'remove', both))
    assert.match(textOf(removed), /Removed: user\.a, user\.b\./)
    assert.deepEqual(await membersOf('several'), ['user.c'])
    await undo(admin, removed)
    assert.deepEqual(await membersOf('several'), ['user.a', 'user.b', 'user.c'])
    const { expiration } = await zms.call('getMembership', {
      domainName: 'sports',
      roleName: 'several',
      memberName: 'user.b',
    })
    assert.equal(expiration, `${day(9)}T00:00:00.000Z`)
    assert.match(textOf(await page(admin, '/domain/sports/role/several/members')), /Nobody was chosen/)
  })

  test('of groups, and of a delegated role, are shown with how they come', async () => {
    await zms.call('putGroup', {
      domainName: 'sports',
      groupName: 'team',
      body: { name: 'team', groupMembers: [{ memberName: 'user.tim' }] },
    })
    await putRole('grouped', ['sports:group.team'])
    const own = await page(admin, '/domain/sports/role/grouped')
    assert.match(own.text, /<a href="\/domain\/sports\/group\/team">sports:group\.team<\/a>/)
    assert.match(
      textOf(await page(admin, '/domain/sports/role/grouped?expand=true')),
      /user\.tim active through sports:group\.team/,
    )
    await zms.call('postTopLevelDomain', { body: { name: 'tenant', adminUsers: ['user.admin'] } })
    await submit(admin, '/domain/sports/roles', 'create', { name: 'lent', trust: 'tenant' })
    const body = { name: 'borrowers', roleMembers: [{ memberName: 'user.tess' }] }
    await zms.call('putRole', { domainName: 'tenant', roleName: 'borrowers', body })
    const assertion = { role: 'tenant:role.borrowers', action: 'assume_role', resource: 'sports:role.lent' }
    await zms.call('putPolicy', {
      domainName: 'tenant',
      policyName: 'assume',
      body: { name: 'assume', assertions: [assertion] },
    })
    const lent = await page(admin, '/domain/sports/role/lent')
    assert.match(textOf(lent), /delegated to tenant .*This role has no members of its own\./)
    assert.match(
      textOf(await page(admin, '/domain/sports/role/lent?expand=true')),
      /user\.tess active through tenant:role\.borrowers/,
    )
  })
})

describe('requests', () => {
  const request = async (roleName: string, ...names: string[]) => {
    await putRole(roleName, ['user.bill'])
    const body = { selfServe: true, reviewEnabled: true }
    await zms.call('putRoleMeta', { domainName: 'sports', roleName, body })
    for (const name of names) {
      const asked = await submit(jane, `/domain/sports/role/${roleName}`, 'add', {
        member: name,
        expiration: day(40),
        auditRef: NASTY,
      })
      assert.match(textOf(asked), /Waiting for the approval of somebody else: /)
    }
  }

  test('are approved by another person with the dates that were asked for', async () => {
    await request('approving', 'user.new')
    const list = await page(admin, '/domain/sports/role/approving?state=pending')
    assert.match(textOf(list), /user\.new waiting for approval/)
    const detail = await page(admin, '/domain/sports/role/approving/member/user.new')
    assert.match(textOf(detail), /user\.jane asks that user\.new be a member of this role\./)
    assert.match(textOf(detail), /<img src=x onerror=alert\(1\)>/)
    const approved = await submit(admin, '/domain/sports/role/approving', 'approve')
    assert.match(textOf(approved), /Approved: user\.new\./)
    const place = { domainName: 'sports', roleName: 'approving', memberName: 'user.new' }
    assert.equal((await zms.call('getMembership', place)).expiration, `${day(40)}T00:00:00.000Z`)
  })

  test('of one’s own are not approved, and the reason is shown', async () => {
    await request('own', 'user.jane', 'user.friend')
    const own = await jane.submit('/domain/sports/role/own/member/user.jane', 'approve')
    assert.equal(own.status, 403)
    assert.match(textOf(own), /ZMS refuses: .*user\.jane cannot approve \/ reject own membership/)
    const asked = await jane.submit('/domain/sports/role/own/member/user.friend', 'approve')
    assert.equal(asked.status, 403)
    assert.match(textOf(asked), /ZMS refuses: .*user\.jane cannot approve \/ reject own request/)
    assert.deepEqual(await membersOf('own'), ['user.bill'])
    await submit(jane, '/domain/sports/role/own/member/user.friend', 'withdraw')
    await submit(admin, '/domain/sports/role/own/member/user.jane', 'reject')
    assert.equal((await admin.get('/domain/sports/role/own/member/user.jane')).status, 404)
  })

  test('several are approved at once; one that was decided meanwhile is told of', async () => {
    await request('bulk', 'user.a', 'user.b')
    const chosen = [
      ['member', 'user.a'],
      ['member', 'user.b'],
    ] as const
    const done = await admin.goOn(await send(admin, '/domain/sports/role/bulk/members', 'approve', chosen))
    assert.match(textOf(done), /Approved: user\.a, user\.b\./)
    const late = await send(admin, '/domain/sports/role/bulk/members', 'approve', chosen)
    assert.equal(late.status, 400)
    assert.match(
      textOf(late),
      /No request for user\.a waits any more: somebody else has decided it, or it was withdrawn\./,
    )
  })

  test('that were made anew since they were looked at are not approved', async () => {
    await request('anew', 'user.a')
    for (const [path, field] of [
      ['/domain/sports/role/anew', 'seen'],
      ['/domain/sports/role/anew/members', 'shown'],
    ] as const) {
      const fields = [
        ['member', 'user.a'],
        [field, '2020-01-01T00:00:00.000Z'],
      ] as const
      const refused = await send(admin, path, 'approve', fields)
      assert.equal(refused.status, 400)
      assert.match(textOf(refused), /Something else is requested for user\.a by now\./)
    }
    assert.deepEqual(await membersOf('anew'), ['user.bill'])
  })

  test('are rejected after one question, wherever they are shown', async () => {
    await putRole('asking', ['user.bill'], { selfServe: true })
    await submit(joe, '/domain/sports/role/asking', 'add', { member: 'user.joe' })
    const role = '/domain/sports/role/asking'
    for (const path of [role, `${role}/member/user.joe`, `${role}/members?member=user.joe`]) {
      const { text } = await page(admin, path)
      const rejections = formsOf(text).filter(({ values }) => values.get('action') === 'reject')
      const asked = /<details class="ask"><summary[^>]*>Reject<\/summary><p>This cannot be undone: [^<]*<\/p>\s*<form /g
      assert.deepEqual([rejections.length, text.match(asked)?.length], [1, 1], path)
    }
    assert.match(textOf(await submit(admin, role, 'reject')), /Rejected: user\.joe\./)
  })

  test('are made for removals, and for what is put back, where these need approval', async () => {
    await putRole('guarded', ['user.a', 'user.bill'])
    const body = { reviewEnabled: true, deleteProtection: true }
    await zms.call('putRoleMeta', { domainName: 'sports', roleName: 'guarded', body })
    const asked = await submit(admin, '/domain/sports/role/guarded/member/user.a', 'remove')
    assert.match(textOf(asked), /The removal waits for the approval of somebody else: user\.a\./)
    assert.match(textOf(asked), /user\.a active removal requested/)
    assert.match(textOf(await undo(admin, asked)), /Taken back: user\.a\./)
    assert.deepEqual(await membersOf('guarded'), ['user.a', 'user.bill'])
    await zms.call('putRoleMeta', { domainName: 'sports', roleName: 'guarded', body: { reviewEnabled: true } })
    const removed = await submit(admin, '/domain/sports/role/guarded/member/user.a', 'remove')
    assert.match(textOf(removed), /Removed: user\.a\./)
    assert.match(textOf(await undo(admin, removed)), /Waiting for the approval of somebody else: user\.a\./)
    assert.deepEqual(await membersOf('guarded'), ['user.bill'])
  })

  test('are made by people who may not change the role, where it is self-serve', async () => {
    await putRole('open', ['user.bill'], { selfServe: true })
    const asked = await submit(joe, '/domain/sports/role/open', 'add', { member: 'user.joe' })
    assert.match(textOf(asked), /Waiting for the approval of somebody else: user\.joe\./)
    assert.match(textOf(await undo(joe, asked)), /Taken back: user\.joe\./)
    await putRole('closed', ['user.bill'])
    const refused = await joe.submit('/domain/sports/role/closed', 'add', { member: 'user.joe' })
    assert.equal(refused.status, 403)
    assert.match(textOf(refused), /ZMS refuses: .*principal is not authorized to add members/)
  })
})

describe('two people at once', () => {
  test('the second is told that a member was removed by somebody else', async () => {
    await putRole('race', ['user.a', 'user.bill'])
    const path = '/domain/sports/role/race/member/user.a'
    const forms = formsOf((await page(jane, path)).text)
    await submit(admin, path, 'remove')
    const formOf = (action: string) => forms.find(({ values }) => values.get('action') === action) as FormOnPage
    const removal = await jane.post(formOf('remove').to, Object.fromEntries(formOf('remove').values))
    assert.equal(removal.status, 400)
    assert.match(
      textOf(removal),
      /user\.a is no member of this role any more: somebody else has removed it meanwhile\./,
    )
    const dates = await jane.post(formOf('save').to, {
      ...Object.fromEntries(formOf('save').values),
      expiration: day(3),
    })
    assert.equal(dates.status, 400)
    assert.match(textOf(dates), /user\.a was removed by somebody else meanwhile\. Nothing has been changed\./)
    assert.deepEqual(await membersOf('race'), ['user.bill'])
  })

  test('the second is told of dates and settings that somebody else has changed', async () => {
    await putRole('race2', ['user.a'], { memberExpiryDays: 90 })
    const path = '/domain/sports/role/race2/member/user.a'
    const [form] = formsOf((await page(jane, path)).text).filter(({ values }) => values.get('action') === 'save')
    await submit(admin, path, 'save', { expiration: day(7) })
    const late = await jane.post(form?.to ?? '', { ...Object.fromEntries(form?.values ?? []), expiration: day(3) })
    assert.equal(late.status, 400)
    assert.match(textOf(late), new RegExp(`Somebody else has changed the dates of user\\.a meanwhile: until ${day(7)}`))
    const settings = '/domain/sports/role/race2/settings'
    const [mine] = formsOf((await page(jane, settings)).text).filter(({ values }) => values.get('action') === 'save')
    await submit(admin, settings, 'save', { memberExpiryDays: '30' })
    const lost = await jane.post(mine?.to ?? '', { ...Object.fromEntries(mine?.values ?? []), memberExpiryDays: '60' })
    assert.equal(lost.status, 400)
    assert.match(
      textOf(lost),
      /Somebody else has changed “People stay members for days” meanwhile: it is “30” now\. Nothing has been changed/,
    )
    assert.equal((await zms.call('getRole', { domainName: 'sports', roleName: 'race2' })).memberExpiryDays, 30)
  })
})

describe('settings, review, history and end of a role', () => {
  test('settings and tags are changed, and changed back; what is not shown stays', async () => {
    await putRole('settings', ['user.a'], { selfServe: true, reviewEnabled: true, tags: { team: { list: ['blue'] } } })
    const changed = await submit(admin, '/domain/sports/role/settings/settings', 'save', {
      description: NASTY,
      memberExpiryDays: '45',
      tags: 'team=red,green\nzone=eu',
    })
    assert.match(textOf(changed), /3 settings were changed\./)
    const read = () => zms.call('getRole', { domainName: 'sports', roleName: 'settings' })
    const now = await read()
    assert.deepEqual(
      [now.description, now.memberExpiryDays, now.selfServe, now.reviewEnabled, now.tags],
      [NASTY, 45, true, true, { team: { list: ['red', 'green'] }, zone: { list: ['eu'] } }],
    )
    await page(admin, '/domain/sports/role/settings')
    await undo(admin, changed)
    const before_ = await read()
    assert.deepEqual(
      [before_.description, before_.memberExpiryDays, before_.tags],
      [undefined, undefined, { team: { list: ['blue'] } }],
    )
    assert.match(textOf(await submit(admin, '/domain/sports/role/settings/settings', 'save')), /Nothing was changed\./)
    const wrong = await admin.submit('/domain/sports/role/settings/settings', 'save', { memberExpiryDays: 'x' })
    assert.equal(wrong.status, 400)
    assert.match(textOf(wrong), /People stay members for days: “x” is no whole number\./)
  })

  test('all members of a page are reviewed in one form', async () => {
    await putRole('review', ['user.a', 'user.b', 'user.c'], { memberExpiryDays: 30 })
    const shown = await page(admin, '/domain/sports/role/review/review')
    assert.match(textOf(shown), /user\.a active .*user\.b active .*user\.c active/)
    const members = [...shown.text.matchAll(/name="member" value="([^"]*)"/g)].map(([, value = '']) => unescaped(value))
    assert.equal(members.length, 3)
    const done = await send(admin, '/domain/sports/role/review/review', 'review', [
      ...members.map((value) => ['member', value] as const),
      ['remove', 'user.b'],
    ])
    const after_ = await admin.goOn(done)
    assert.match(textOf(after_), /Reviewed: 2 stay\. Removed: user\.b\./)
    assert.match(textOf(after_), /Last reviewed/)
    assert.deepEqual(await membersOf('review'), ['user.a', 'user.c'])
    await undo(admin, after_)
    assert.deepEqual(await membersOf('review'), ['user.a', 'user.b', 'user.c'])
    assert.match(textOf(await page(admin, '/domain/sports/role/review/history')), /DELETE user\.b user\.admin/)
  })

  test('history comes in parts, the newest first, and is filtered', async () => {
    await putRole('told', [])
    for (let at = 0; at < 12; at++) {
      const memberName = `user.m${at}`
      await zms.call('putMembership', {
        domainName: 'sports',
        roleName: 'told',
        memberName,
        auditRef: NASTY,
        body: { memberName },
      })
    }
    const first = await page(admin, '/domain/sports/role/told/history')
    assert.equal(callsOf(first), 1)
    assert.match(textOf(first), /the newest first .*ADD user\.m11 user\.admin <img src=x/)
    assert.doesNotMatch(textOf(first), /user\.m1 /)
    const next = /href="([^"]*)" rel="next"/.exec(first.text)?.[1] ?? ''
    assert.match(textOf(await page(admin, unescaped(next))), /user\.m1 .*user\.m0 /)
    const found = textOf(await page(admin, '/domain/sports/role/told/history?filter=M11'))
    assert.match(found, /user\.m11/)
    assert.doesNotMatch(found, /user\.m10/)
  })

  test('a role is deleted after one question that names what is lost', async () => {
    await putRole('ending', ['user.a', 'user.b'])
    const question = await page(admin, '/domain/sports/role/ending/delete')
    assert.match(textOf(question), /its 2 memberships are lost, 0 requests, the history of its members/)
    const gone = await submit(admin, '/domain/sports/role/ending/delete', 'delete')
    assert.match(textOf(gone), /The role ending was deleted\./)
    const missing = await admin.get('/domain/sports/role/ending')
    assert.equal(missing.status, 404)
    assert.match(textOf(missing), /Role not found: 'sports:role\.ending'/)
  })
})

test('where changes are audited, ZMS says when the reason is missing, and takes it from the form', async () => {
  await zms.call('postTopLevelDomain', { body: { name: 'audited', adminUsers: ['user.admin'], auditEnabled: true } })
  const roleName = 'readers'
  const body = { name: roleName, roleMembers: [{ memberName: 'user.a' }] }
  await zms.call('putRole', { domainName: 'audited', roleName, auditRef: 'setup', body })
  const path = '/domain/audited/role/readers/member/user.a'
  assert.match(textOf(await page(admin, path)), /Reason \(needed: this domain is audited\)/)
  const refused = await admin.submit(path, 'remove')
  assert.equal(refused.status, 400)
  assert.match(textOf(refused), /Audit reference required for domain: audited/)
  const removed = await submit(admin, path, 'remove', { auditRef: 'ticket 7' })
  assert.match(textOf(await undo(admin, removed)), /Put back: user\.a\./)
})

describe('groups', () => {
  test('are made, filled, reviewed and deleted like roles', async () => {
    await submit(admin, '/domain/sports/groups', 'create', { name: 'crew', members: 'user.a' })
    const added = await submit(admin, '/domain/sports/group/crew', 'add', { member: 'user.b', expiration: day(10) })
    assert.match(textOf(added), /Added: user\.b\./)
    assert.match(textOf(await page(admin, '/domain/sports/groups?filter=cre')), /One group .*crew/)
    const removed = await submit(admin, '/domain/sports/group/crew/member/user.b', 'remove')
    await undo(admin, removed)
    const { groupMembers = [] } = await zms.call('getGroup', { domainName: 'sports', groupName: 'crew' })
    const kept = groupMembers.map(({ memberName, expiration }) => [memberName, expiration])
    assert.deepEqual(kept, [
      ['user.a', undefined],
      ['user.b', `${day(10)}T00:00:00.000Z`],
    ])
    await submit(admin, '/domain/sports/group/crew/settings', 'save', { selfServe: 'on', tags: 'team=blue' })
    assert.match(textOf(await page(admin, '/domain/sports/group/crew')), /self-serve .*team=blue/)
    const asked = await submit(joe, '/domain/sports/group/crew', 'add', { member: 'user.joe' })
    assert.match(textOf(asked), /Waiting for the approval of somebody else: user\.joe\./)
    assert.match(textOf(await submit(admin, '/domain/sports/group/crew', 'approve')), /Approved: user\.joe\./)
    assert.match(textOf(await page(admin, '/domain/sports/group/crew/history')), /APPROVE user\.joe user\.admin/)
    await page(admin, '/domain/sports/group/crew/review')
    assert.match(
      textOf(await submit(admin, '/domain/sports/group/crew/delete', 'delete')),
      /The group crew was deleted\./,
    )
  })
})
