import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { roleService } from '#zms/service/role.ts'
import { Harness, refusal } from './harness.ts'
import { commit, role } from './objects.ts'
import { body, historyOf, names, type ShownMember } from './role-answers.ts'

const services = [roleService]
const returned = { headers: { 'Athenz-Return-Object': 'true' } }
const R1 = '/domain/sports/role/r1'
const DAY_MILLIS = 86_400_000

const zms = await Harness.open({ services })
beforeEach(async () => {
  await zms.createDomain('media')
  await zms.createDomain('sports')
})

const membersNow = async () => names((await zms.get(`${R1}?pending=true`)).body)
const dateIn = (millis: number) => new Date(zms.clock.millis + millis).toISOString()

describe('roles whose members need approval', () => {
  test('new members become requests, and those missing go', async () => {
    await zms.put(R1, body(['user.joe', 'user.tom']))
    const { body: answer } = await zms.put(R1, body(['user.joe', 'user.eve'], { reviewEnabled: true }), returned)
    assert.deepEqual(names(answer), ['user.eve ADD', 'user.joe'])
    const { requestTime, ...request } = answer.roleMembers.find(({ pendingState }: ShownMember) => pendingState)
    assert.ok(requestTime)
    assert.deepEqual(request, { memberName: 'user.eve', active: false, approved: false, pendingState: 'ADD' })
    assert.ok(answer.auditLog.map(historyOf).includes('REQUEST user.eve by user.admin'))
  })

  test('those missing become requests under delete protection', async () => {
    await zms.put(R1, body(['user.joe', 'user.tom']))
    await zms.put(R1, body(['user.joe'], { reviewEnabled: true, deleteProtection: true }))
    assert.deepEqual(await membersNow(), ['user.joe', 'user.tom', 'user.tom DELETE'])
  })

  test('delete protection alone protects nobody', async () => {
    await zms.put(R1, body(['user.joe']))
    await zms.put(R1, body([], { deleteProtection: true }))
    assert.deepEqual(await membersNow(), [])
  })

  test('dates of those who stay are kept, others asked for', async () => {
    const expiration = new Date(Math.floor(zms.clock.millis / 1000) * 1000 + DAY_MILLIS).toISOString()
    await zms.put(R1, body(['user.joe', 'user.tom']))
    const wanted = [{ memberName: 'user.joe', expiration }, 'user.tom']
    const { body: answer } = await zms.put(R1, body(wanted, { reviewEnabled: true }), returned)
    assert.deepEqual(names(answer), ['user.joe', 'user.joe ADD', 'user.tom'])
    assert.deepEqual(
      answer.roleMembers.map((member: Record<string, string>) => member['expiration']),
      [undefined, undefined, expiration],
    )
  })

  test('the contrary of what is asked for already is refused', async () => {
    const reviewed = { reviewEnabled: true, deleteProtection: true }
    await commit(
      zms,
      role('sports', 'r1', ['user.joe'], reviewed),
      ...['user.joe', 'user.eve'].map((memberName) => ({
        kind: 'putPendingRoleMember' as const,
        domain: 'sports',
        role: 'r1',
        value: {
          memberName,
          requestTime: 0,
          pendingState: memberName === 'user.joe' ? ('ADD' as const) : ('DELETE' as const),
        },
      })),
    )
    const message = (name: string) => `The user ${name} already has a pending request in a different state`
    assert.deepEqual(await zms.put(R1, body([], reviewed)), refusal(400, message('user.joe')))
    assert.deepEqual(await zms.put(R1, body(['user.joe', 'user.eve'], reviewed)), refusal(400, message('user.eve')))
  })
})

describe('audit-enabled roles', () => {
  const reference = { 'Y-Audit-Ref': 'ticket' }
  const audited = { auditEnabled: true }
  beforeEach(() => zms.createDomain('sports', audited))

  test('new ones may have members, which become requests', async () => {
    assert.equal((await zms.put(R1, body(['user.joe'], audited), { headers: reference })).status, 204)
    assert.deepEqual(await membersNow(), ['user.joe ADD'])
  })

  test('the flag comes without members only, and does not go', async () => {
    await zms.put(R1, body(['user.joe']), { headers: reference })
    const put = (members: string[], more: object) => zms.put(R1, body(members, more), { headers: reference })
    assert.deepEqual(
      await put(['user.joe'], audited),
      refusal(400, 'Only system admins can set the role as audit-enabled if it has members'),
    )
    await put([], {})
    assert.equal((await put([], audited)).status, 204)
    const removed = refusal(400, 'Only system admins can remove the audit-enabled flag from a role')
    assert.deepEqual(await put([], {}), removed)
    assert.deepEqual(await put([], { auditEnabled: false }), removed)
  })

  test('their domain needs a reference for every change', async () => {
    const needed = (api: string) => refusal(400, `${api}: Audit reference required for domain: sports`)
    assert.deepEqual(await zms.put(R1, body()), needed('putrole'))
    assert.deepEqual(await zms.put(R1, body(), { headers: { 'Y-Audit-Ref': '' } }), needed('putrole'))
    await zms.put(R1, body(['user.joe']), { headers: reference })
    assert.deepEqual(await zms.delete(R1), needed('deleterole'))
    assert.equal((await zms.delete(R1, { headers: reference })).status, 204)
  })

  test('what is missing, and who owns it, matters before the reference', async () => {
    assert.deepEqual(await zms.delete(R1), refusal(404, 'Role does not exist'))
    await commit(zms, role('sports', 'r1', [], { ...audited, resourceOwnership: new Map([['object', 'tf']]) }))
    const message = 'Invalid resource owner for role: sports:role.r1, tf vs. null'
    assert.deepEqual(await zms.put(R1, body([], audited)), refusal(409, message))
    assert.deepEqual(await zms.delete(R1), refusal(409, 'Invalid resource owner for object: tf vs. null'))
  })

  test('members and history carry the reference', async () => {
    const headers = { ...reference, ...returned.headers }
    const { roleMembers, auditLog } = (await zms.put(R1, body(['user.joe']), { headers })).body
    assert.deepEqual([roleMembers[0].auditRef, auditLog[0].auditRef], ['ticket', 'ticket'])
    assert.equal(zms.audit.at(-1)?.why, 'ticket')
  })

  test('they need one of their own where their domain needs none', async () => {
    await zms.createDomain('sports')
    await commit(zms, role('sports', 'r1', [], audited))
    const needed = (api: string) => refusal(400, `${api}: Audit reference required for object: sports:role.r1`)
    assert.deepEqual(await zms.put(R1, body([], audited)), needed('putrole'))
    assert.deepEqual(await zms.delete(R1), needed('deleterole'))
  })

  test('a server may not look at roles', async () => {
    const free = await Harness.open({ services, properties: { audit_ref_check_objects: 'group' } })
    await free.createDomain('sports', audited)
    assert.equal((await free.put(R1, body())).status, 204)
  })
})

describe('the date of the last review', () => {
  const put = (millis: number) => zms.put(R1, body([], { lastReviewedDate: dateIn(millis) }))
  const refused = (millis: number, why: string) => refusal(400, `Last reviewed date: ${dateIn(millis)} is ${why}`)

  test('it is at most 5 minutes ahead', async () => {
    assert.equal((await put(5 * 60_000)).status, 204)
    assert.deepEqual(await put(5 * 60_000 + 1000), refused(5 * 60_000 + 1000, 'in the future'))
  })

  test('it is at most 365 days ago for a new role, 7 days for another, or unchanged', async () => {
    assert.deepEqual(await put(-366 * DAY_MILLIS), refused(-366 * DAY_MILLIS, 'too far in the past'))
    assert.equal((await put(-364 * DAY_MILLIS)).status, 204)
    assert.equal((await put(-364 * DAY_MILLIS)).status, 204)
    assert.deepEqual(await put(-8 * DAY_MILLIS), refused(-8 * DAY_MILLIS, 'too far in the past'))
    assert.equal((await put(-6 * DAY_MILLIS)).status, 204)
  })
})

test('the date of the last review stays where a whole write has none', async () => {
  const lastReviewedDate = dateIn(-DAY_MILLIS)
  await zms.put(R1, body([], { lastReviewedDate }))
  const { body: answer } = await zms.put(R1, body([], { memberExpiryDays: 5 }), returned)
  assert.deepEqual([answer.lastReviewedDate, answer.memberExpiryDays], [lastReviewedDate, 5])
})

describe('attributes of users', () => {
  const userAuthority: Authority = {
    id: 'test',
    credentialSource: 'header',
    allowAuthorization: true,
    booleanAttributes: () => new Set(['employee', 'local']),
    dateAttributes: () => new Set(['until']),
    isAttributeSet: (name) => name === 'user.joe',
    dateAttribute: (name) => (name === 'user.joe' ? Date.UTC(2040, 0, 1) : undefined),
  }
  const open = async () => {
    const knowing = await Harness.open({ services, userAuthority })
    await knowing.createDomain('sports')
    return knowing
  }

  test('settings name those the authority knows', async () => {
    const knowing = await open()
    assert.deepEqual(
      await knowing.put(R1, body([], { userAuthorityFilter: 'employee,until' })),
      refusal(400, 'until is not a valid user authority attribute'),
    )
    assert.deepEqual(
      await knowing.put(R1, body([], { userAuthorityExpiration: 'employee' })),
      refusal(400, 'employee is not a valid user authority date attribute'),
    )
    const both = { userAuthorityFilter: 'employee,local', userAuthorityExpiration: 'until' }
    assert.equal((await knowing.put(R1, body([], both))).status, 204)
  })

  test('users have them, those who stay as well', async () => {
    const knowing = await open()
    await knowing.put(R1, body(['user.joe', 'user.eve']))
    const filtered = await knowing.put(R1, body(['user.joe', 'user.eve'], { userAuthorityFilter: 'employee' }))
    assert.equal(filtered.status, 400)
    assert.match(filtered.body.message, /^Required user authority filter employee not valid for the member\. /)
    assert.deepEqual(
      await knowing.put(R1, body(['user.joe', 'user.eve'], { userAuthorityExpiration: 'until' })),
      refusal(400, 'Invalid member: user.eve. No expiry date attribute specified in user authority'),
    )
    const dated = await knowing.put(R1, body(['user.joe'], { userAuthorityExpiration: 'until' }), returned)
    assert.equal(dated.body.roleMembers[0].expiration, '2040-01-01T00:00:00.000Z')
  })
})
