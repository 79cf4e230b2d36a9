import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, describeZmsCli, OWNER } from './describe-zms-cli.ts'

const daysFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

/** Roles and groups have the same commands under different names, and the same messages. */
const KINDS = [
  {
    kind: 'role',
    make: 'add-regular-role',
    add: 'add-member',
    remove: 'delete-member',
    decide: 'put-membership-decision',
    operation: 'Membership',
  },
  {
    kind: 'group',
    make: 'add-group',
    add: 'add-group-member',
    remove: 'delete-group-member',
    decide: 'put-group-membership-decision',
    operation: 'GroupMembership',
  },
] as const

await describeZmsCli('requests, approvals, reviews', (zms) => {
  const club = (who: string, command: string, expected: string) => zms().prints(who, `-d club ${command}`, expected)
  const clubRefuses = (who: string, command: string, code: number, message: string) =>
    zms().refused(who, `-d club ${command}`, code, message)

  for (const { kind, make, add, remove, decide, operation } of KINDS) {
    const setting = (name: string, attribute: string) =>
      club(
        OWNER,
        `set-${kind}-${attribute} ${name} true`,
        `[domain club ${kind} ${name} ${attribute} attribute successfully updated]`,
      )
    const decided = (name: string, member: string, how: string) =>
      `[domain club ${kind} ${name} member ${member} successfully ${how}.]`
    const waiting = (name: string, ...members: string[]) =>
      ['domains:', ...(members.length > 0 ? ['- name: club members:'] : [])]
        .concat(members.map((member) => `- member: ${member} ${kind}s: - ${name}`))
        .join(' ')

    test(`a ${kind} that serves itself: everybody asks, the owner decides`, async () => {
      await club(OWNER, `${make} self`, `${kind}: - name: self`)
      const notYet = `put${operation}: principal is not authorized to add members`
      await clubRefuses('user.bob', `${add} self user.bob`, 403, notYet)
      await setting('self', 'self-serve')
      await club('user.bob', `${add} self user.bob user.carol`, '[Added to self: user.bob,user.carol]')
      const both = 'members: - name: user.bob pending: true - name: user.carol pending: true'
      await club(OWNER, `show-${kind} self pending`, `${kind}: - name: self self_serve: true ${both}`)
      await zms().prints(OWNER, `list-pending-${kind}-members`, waiting('self', 'user.bob', 'user.carol'))
      await club(OWNER, `list-pending-domain-${kind}-members`, waiting('self', 'user.bob', 'user.carol'))
      await zms().prints('user.bob', `list-pending-${kind}-members`, waiting('self'))
      const notBob = 'principal user.bob is not authorized to approve / reject members'
      await clubRefuses('user.bob', `${decide} self user.carol true`, 403, notBob)
      await club(OWNER, `${decide} self user.bob true`, decided('self', 'user.bob', 'approved'))
      await club(OWNER, `${decide} self user.carol false`, decided('self', 'user.carol', 'rejected'))
      await clubRefuses(OWNER, `${decide} self user.carol true`, 404, `Pending ${kind} member user.carol not found`)
      await club(OWNER, `show-${kind} self pending`, `${kind}: - name: self self_serve: true members: - name: user.bob`)
      await zms().prints(OWNER, `list-pending-${kind}-members`, waiting('self'))
      await club('user.bob', `${remove} self user.bob`, '[Deleted from self: user.bob]')
    })

    test(`a ${kind} under review: nobody decides about the own request or membership`, async () => {
      await club(OWNER, `${make} rev`, `${kind}: - name: rev`)
      await setting('rev', 'review-enabled')
      await club(OWNER, `${add} rev user.bob user.admin`, '[Added to rev: user.bob,user.admin]')
      const ownRequest = 'principal user.owner cannot approve / reject own request'
      await clubRefuses(OWNER, `${decide} rev user.bob true`, 403, ownRequest)
      const ownMembership = 'principal user.admin cannot approve / reject own membership'
      await clubRefuses(ADMIN, `${decide} rev user.admin true`, 403, ownMembership)
      await club(ADMIN, `${decide} rev user.bob true`, decided('rev', 'user.bob', 'approved'))

      const request = `/domain/club/${kind}/rev/pendingmember/user.admin`
      const message = `deletePending${operation}: principal is not authorized to delete pending members`
      assert.deepEqual(await zms().rest('user.bob', 'DELETE', request), { status: 403, body: { code: 403, message } })
      assert.deepEqual(await zms().rest(OWNER, 'DELETE', request), { status: 204, body: undefined })
      assert.equal((await zms().rest(OWNER, 'DELETE', request)).status, 404)
      const shown = `${kind}: - name: rev review_enabled: true`
      await club(OWNER, `show-${kind} rev pending`, `${shown} members: - name: user.bob`)

      await setting('rev', 'delete-protection')
      await club(OWNER, `${remove} rev user.bob`, '[Deleted from rev: user.bob]')
      await club(OWNER, `show-${kind} rev`, `${shown} members: - name: user.bob`)
      await zms().prints(ADMIN, `list-pending-${kind}-members`, waiting('rev', 'user.bob'))
      await clubRefuses(OWNER, `${decide} rev user.bob true`, 403, ownRequest)
      await club(ADMIN, `${decide} rev user.bob true`, decided('rev', 'user.bob', 'approved'))
      await club(OWNER, `show-${kind} rev pending`, shown)
    })

    test(`a ${kind} that is audited: only auditors decide, and every change has a reason`, async () => {
      const [domain, judge] = [`audited-${kind}s`, `user.${kind}-judge`]
      const audited = (who: string, command: string, expected: string) =>
        zms().prints(who, `-a reason -d ${domain} ${command}`, expected)
      const flag = `${make} aud -audit-enabled`
      await zms().prints(ADMIN, `add-domain ${domain} 2 user.owner user.second`, `[domain created: ${domain}]`)
      const early = `${kind === 'role' ? 'Role' : 'Group'} cannot be set as audit-enabled if the domain is not audit-enabled`
      await zms().refused(OWNER, `-a reason -d ${domain} ${flag}`, 400, early)
      await audited(ADMIN, 'set-audit-enabled true', `[domain ${domain} metadata successfully updated]`)
      await zms().refused(
        OWNER,
        `-d ${domain} ${flag}`,
        400,
        `put${kind}: Audit reference required for domain: ${domain}`,
      )
      await audited(OWNER, flag, `${kind}: - name: aud audit_enabled: true`)
      await audited(OWNER, `${add} aud user.bob`, '[Added to aud: user.bob]')
      const decision = `-a reason -d ${domain} ${decide} aud user.bob true`
      const notJudge = `principal ${judge} is not authorized to approve / reject members`
      await zms().refused(judge, decision, 403, notJudge)
      for (const command of [
        `add-regular-role ${domain} ${judge}`,
        `add-policy ${domain} grant update to ${domain} on audit.${domain}`,
      ]) {
        const { status, output } = await zms().run(ADMIN, `-d sys.auth.audit.domain ${command}`)
        assert.equal(status, 0, output)
      }
      const listed = `domains: - name: ${domain} members: - member: user.bob ${kind}s: - aud`
      await zms().prints(judge, `list-pending-${kind}-members`, listed)
      const notAdministrator = 'principal user.second is not authorized to approve / reject members'
      await zms().refused('user.second', decision, 403, notAdministrator)
      const approved = `[domain ${domain} ${kind} aud member user.bob successfully approved.]`
      await zms().prints(judge, decision, approved)
      const { status, output } = await zms().run(OWNER, `-d ${domain} show-${kind} aud log`)
      assert.equal(status, 0)
      assert.match(output, new RegExp(`REQUEST\\s+admin: ${OWNER}\\s+member: user.bob\\s+date: .*\\s+ref: reason`, 'i'))
      assert.match(output, new RegExp(`APPROVE\\s+admin: ${judge}\\s+member: user.bob\\s+date: .*\\s+ref: reason`, 'i'))
    })
  }

  test('memberships end, also those that were approved for some time', async () => {
    await club(OWNER, 'add-regular-role ending', 'role: - name: ending')
    await club(OWNER, `add-temporary-member ending user.bob ${daysFromNow(20)}`, '[Added to ending: user.bob]')
    await club(OWNER, `add-temporary-member ending user.carol ${daysFromNow(-2)}`, '[Added to ending: user.carol]')
    await club(OWNER, 'add-policy ending grant use to ending on tools', ENDING_POLICY)
    await club(OWNER, 'check-member ending user.carol', '- member: user.carol expiration: <-2d> result: false')
    await clubRefuses(OWNER, 'check-active-member ending user.carol', 400, 'Member user.carol is not active')
    await club(OWNER, 'check-active-member ending user.bob', '- member: user.bob expiration: <+20d> result: true')
    await club(OWNER, 'show-access use tools user.bob', 'access: granted')
    await club(OWNER, 'show-access use tools user.carol', 'access: denied')
    const shortened = '[domain club role ending member-expiry-days attribute successfully updated]'
    await club(OWNER, 'set-role-member-expiry-days ending 5', shortened)
    await club(
      OWNER,
      'show-role ending',
      'role: - name: ending member_expiry_days: 5 members: - name: user.bob expiration: <+5d> - name: user.carol expiration: <-2d>',
    )
    const reviewed = '[domain club role ending review-enabled attribute successfully updated]'
    await club(OWNER, 'set-role-review-enabled ending true', reviewed)
    await club('user.owner', 'add-member ending user.dave', '[Added to ending: user.dave]')
    const decision = `put-membership-decision ending user.dave ${daysFromNow(3)} true`
    await club(ADMIN, decision, '[domain club role ending member user.dave successfully approved temporarily.]')
    await club(OWNER, 'check-active-member ending user.dave', '- member: user.dave expiration: <+3d> result: true')
    await zms().prints(
      OWNER,
      'show-roles-principal user.dave',
      'member: user.dave roles: - name: ending domain: club expiration: <+3d>',
    )
  })

  test('reviews: what is due is listed, members are kept, extended or removed', async () => {
    const members = ['user.bob', 'user.carol', 'user.dave'].map((memberName) => ({ memberName }))
    const role = { name: 'due', memberExpiryDays: 30, lastReviewedDate: daysFromNow(-25), roleMembers: members }
    assert.equal((await zms().rest(OWNER, 'PUT', '/domain/club/role/due', role)).status, 204)
    const list = (await zms().json(OWNER, 'list-roles-for-review')) as { list: { name: string; domainName: string }[] }
    assert.deepEqual(
      list.list.map(({ name, domainName }) => [domainName, name]),
      [['club', 'due']],
    )
    assert.deepEqual(await zms().json(OWNER, 'list-groups-for-review'), { list: [] })
    assert.deepEqual(await zms().json(ADMIN, 'list-groups-for-review user.owner'), { list: [] })

    const soon = daysFromNow(2)
    const review = {
      name: 'due',
      roleMembers: [
        { memberName: 'user.bob', active: true, expiration: soon },
        { memberName: 'user.carol', active: false },
      ],
    }
    const stranger = await zms().rest('user.erin', 'PUT', '/domain/club/role/due/review', review)
    assert.deepEqual(stranger.body, { code: 403, message: 'principal is not authorized to review role members' })
    assert.equal((await zms().rest(OWNER, 'PUT', '/domain/club/role/due/review', review)).status, 204)
    await club(
      OWNER,
      'show-role due',
      'role: - name: due member_expiry_days: 30 members: - name: user.bob expiration: <+2d> - name: user.dave expiration: <+30d>',
    )
    assert.deepEqual(await zms().json(OWNER, 'list-roles-for-review'), { list: [] })

    await club(OWNER, 'add-regular-role late', 'role: - name: late')
    await club(OWNER, `add-reviewed-member late user.bob ${daysFromNow(-3)}`, '[Added to late: user.bob]')
    await club(OWNER, `add-reviewed-member late user.carol ${daysFromNow(3)}`, '[Added to late: user.carol]')
    const overdue = 'Overdue review members: - name: club members: - member: user.bob roles: - late review: <-3d>'
    await zms().prints(OWNER, 'overdue-review club', overdue)
  })
})

const ENDING_POLICY = 'policy: - name: ending version: 0 active: true assertions: - grant use to ending on tools'
