import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { tellOfRequests } from '#zms/notification/request-notices.ts'
import { groupMembershipService } from '#zms/service/group-membership.ts'
import { roleService } from '#zms/service/role.ts'
import { roleMembershipService } from '#zms/service/role-membership.ts'
import { type CallOptions, Harness } from '../service/harness.ts'
import { commit, group, role } from '../service/objects.ts'
import { KeepingSender, outboxTo } from './fixture.ts'

const zms = await Harness.open({ services: [roleService, roleMembershipService, groupMembershipService] })
const sender = new KeepingSender()
const requests = tellOfRequests(zms.deps, outboxTo(sender, zms.deps))

beforeEach(async () => {
  await zms.createDomain('sports', { auditEnabled: true })
  for (const name of ['sys.auth.audit.domain', 'sys.auth.audit.org']) await zms.createDomain(name)
  await commit(zms, ...role('sys.auth.audit.domain', 'sports', ['user.auditor']))
  await commit(
    zms,
    ...role('sports', 'self', ['user.old'], { selfServe: true }),
    ...role('sports', 'review', ['user.old'], {
      reviewEnabled: true,
      deleteProtection: true,
      notifyRoles: 'reviewers',
    }),
    ...role('sports', 'audit', [], { auditEnabled: true }),
    ...role('sports', 'plain', ['user.old']),
    ...role('sports', 'reviewers', ['user.reviewer']),
    ...group('sports', 'team', ['user.old'], { selfServe: true }),
  )
  await told()
})

/** What people were told meanwhile. */
async function told(): Promise<string[]> {
  await requests.idle()
  return sender.take()
}

const ADMINS = 'user.admin user.owner'
const place = (name: string, member: string, kind = 'role') => `/domain/sports/${kind}/${name}/member/${member}`
const put = async (target: string, body: object, options?: CallOptions) => {
  const { status } = await zms.put(target, body, { headers: { 'Y-Audit-Ref': 'because' }, ...options })
  assert.equal(status, 204)
}
const ask = (name: string, member: string, as = 'user.asker', kind = 'role') =>
  put(place(name, member, kind), { memberName: member }, { as })
const decide = (name: string, member: string, approved: boolean, as = 'user.owner', kind = 'role') =>
  put(`${place(name, member, kind)}/decision`, { memberName: member, approved }, { as })

describe('a request', () => {
  const cases: readonly (readonly [what: string, name: string, as: string, people: string, kind?: string])[] = [
    ['for a self-serve role goes to the administrators', 'self', 'user.joe', ADMINS],
    ['for a role that names others goes to those', 'review', 'user.admin', 'user.reviewer'],
    ['for an audited role goes to the auditors', 'audit', 'user.admin', 'user.auditor'],
    ['for a group goes to the administrators', 'team', 'user.joe', ADMINS, 'group'],
  ]
  for (const [what, name, as, people, kind = 'role'] of cases) {
    test(what, async () => {
      await ask(name, 'user.joe', as, kind)
      await requests.idle()
      const [notification] = sender.sent
      assert.deepEqual(await told(), [`${people}: ${kind}Approval sports:${name} user.joe`])
      const { requester, reason, pendingState } = notification?.sections[0]?.items[0] ?? {}
      assert.deepEqual([requester, reason, pendingState], [as, 'because', 'ADD'])
    })
  }

  test('to end a membership is told of too', async () => {
    const { status } = await zms.delete(place('review', 'user.old'), { headers: { 'Y-Audit-Ref': 'because' } })
    assert.equal(status, 204)
    await requests.idle()
    assert.equal(sender.sent[0]?.sections[0]?.items[0]?.pendingState, 'DELETE')
    assert.deepEqual(await told(), ['user.reviewer: roleApproval sports:review user.old'])
  })

  test('that is none is not told of', async () => {
    await put(place('plain', 'user.joe'), { memberName: 'user.joe' })
    assert.deepEqual(await told(), [])
  })

  test('among others in one write is told of', async () => {
    await put('/domain/sports/role/review', {
      name: 'review',
      reviewEnabled: true,
      notifyRoles: 'reviewers',
      roleMembers: [{ memberName: 'user.old' }, { memberName: 'user.new' }, { memberName: 'user.newer' }],
    })
    assert.deepEqual(await told(), ['user.reviewer: roleApproval sports:review user.new, sports:review user.newer'])
  })

  test('that nobody could store is not told of', async () => {
    const { status } = await zms.put(place('nothing', 'user.joe'), { memberName: 'user.joe' }, { as: 'user.joe' })
    assert.equal(status, 400)
    assert.deepEqual(await told(), [])
  })
})

describe('a decision', () => {
  test('is told to the member and who asked', async () => {
    await ask('self', 'user.joe', 'user.asker')
    await told()
    await decide('self', 'user.joe', true)
    await requests.idle()
    const { requester, membershipDecision, actionPrincipal, reason } = sender.sent[0]?.sections[0]?.items[0] ?? {}
    assert.deepEqual(
      [requester, membershipDecision, actionPrincipal, reason],
      ['user.asker', 'approve', 'user.owner', 'because'],
    )
    assert.deepEqual(await told(), ['user.asker user.joe: roleApproved sports:self user.joe'])
  })

  test('may be a rejection', async () => {
    await ask('self', 'user.joe', 'user.joe')
    await told()
    await decide('self', 'user.joe', false)
    assert.deepEqual(await told(), ['user.joe: roleRejected sports:self user.joe'])
  })

  test('about the end of a membership names it', async () => {
    await zms.delete(place('review', 'user.old'), { headers: { 'Y-Audit-Ref': 'because' } })
    await told()
    await decide('review', 'user.old', true)
    await requests.idle()
    assert.equal(sender.sent[0]?.sections[0]?.items[0]?.pendingState, 'DELETE')
    assert.deepEqual(await told(), ['user.admin user.old: roleApproved sports:review user.old'])
  })

  test('about a service is told to its administrators', async () => {
    await zms.createDomain('music')
    await commit(zms, { kind: 'deleteRoleMember', domain: 'music', role: 'admin', member: 'user.owner' })
    await ask('team', 'user.joe', 'user.asker', 'group')
    await told()
    await decide('team', 'user.joe', true, 'user.owner', 'group')
    assert.deepEqual(await told(), ['user.asker user.joe: groupApproved sports:team user.joe'])
    await ask('self', 'music.api', 'user.asker')
    await told()
    await decide('self', 'music.api', true)
    assert.deepEqual(await told(), ['user.admin user.asker: roleApproved sports:self music.api'])
  })

  test('that is refused is not told of', async () => {
    await ask('self', 'user.joe', 'user.joe')
    await told()
    const body = { memberName: 'user.joe', approved: true }
    const { status } = await zms.put(`${place('self', 'user.joe')}/decision`, body, { as: 'user.stranger' })
    assert.equal(status, 403)
    assert.deepEqual(await told(), [])
  })

  test('by whoever withdraws a request is none', async () => {
    await ask('self', 'user.joe', 'user.joe')
    await told()
    const { status } = await zms.delete('/domain/sports/role/self/pendingmember/user.joe', {
      as: 'user.joe',
      headers: { 'Y-Audit-Ref': 'because' },
    })
    assert.equal(status, 204)
    assert.deepEqual(await told(), [])
  })
})

describe('after the end', () => {
  test('nobody is told anything', async () => {
    const other = new KeepingSender()
    await tellOfRequests(zms.deps, outboxTo(other, zms.deps)).close()
    await ask('self', 'user.joe', 'user.joe')
    await told()
    assert.deepEqual(other.sent, [])
  })
})
