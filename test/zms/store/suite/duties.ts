import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DueReview, EndingMembership } from '#zms/store/duties.ts'
import type { DomainBase, Group, GroupBase, Role, RoleBase } from '#zms/store/model.ts'
import { Fixture, type OpenStore } from './fixture.ts'
import { domainWith, groupWith, roleWith } from './samples.ts'

const DAY = 86_400_000
const AT = Date.UTC(2031, 4, 1)

const reviewed = (name: string, settings: Partial<RoleBase>): Role => ({ ...roleWith(name), ...settings })
const reviewedGroup = (name: string, settings: Partial<GroupBase>): Group => ({ ...groupWith(name), ...settings })
const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)

export function dutyTests(open: OpenStore): void {
  const fixture = new Fixture(open)

  test('finds the domains in whose role admin somebody is a member that counts', async () => {
    const principal = 'user.duties-admin'
    const create = (stem: string, role: Role) => fixture.create((own) => domainWith(own, { roles: [role] }), stem)
    const later = await create('z-duty', roleWith('admin', [{ memberName: principal, expiration: AT }]))
    const plain = await create('a-duty', roleWith('admin', ['user.other', principal]))
    await create('ended-duty', roleWith('admin', [{ memberName: principal, expiration: AT - 1 }]))
    await create('disabled-duty', roleWith('admin', [{ memberName: principal, systemDisabled: 1 }]))
    await create('reader-duty', roleWith('readers', [principal]))
    await create('wild-duty', roleWith('admin', ['user.*']))
    assert.deepEqual(await fixture.store.administeredDomains({ principal, at: AT }), [plain, later])
    assert.deepEqual(await fixture.store.administeredDomains({ principal, at: AT + 1 }), [plain])
    assert.deepEqual(await fixture.store.administeredDomains({ principal: 'user.nobody-at-all', at: AT }), [])
  })

  test('finds roles and groups whose review is due in the domains that somebody administers', async () => {
    const principal = 'user.duties-reviewer'
    const admin = roleWith('admin', [principal])
    const lastReviewedDate = AT - 10 * DAY
    const domain = await fixture.create((own) =>
      domainWith(own, {
        roles: [
          admin,
          reviewed('due', { lastReviewedDate, memberExpiryDays: 20, serviceReviewDays: 30 }),
          reviewed('shortest', { lastReviewedDate, groupReviewDays: 19, memberReviewDays: 90 }),
          reviewed('not-yet', { lastReviewedDate: lastReviewedDate + 1, serviceExpiryDays: 20 }),
          reviewed('long', { lastReviewedDate, memberExpiryDays: 2_000_000_000 }),
          reviewed('no-period', { lastReviewedDate }),
          { ...reviewed('delegated', { lastReviewedDate, memberExpiryDays: 1 }), trust: 'elsewhere' },
        ],
        groups: [
          reviewedGroup('team', { lastReviewedDate, memberExpiryDays: 20 }),
          reviewedGroup('young', { lastReviewedDate, serviceExpiryDays: 21 }),
        ],
      }),
    )
    await fixture.create((own) =>
      domainWith(own, { roles: [roleWith('admin'), reviewed('others', { lastReviewedDate, memberReviewDays: 1 })] }),
    )
    const due = async (at: number, percent: number) =>
      (await fixture.store.dueReviews({ principal, at, percent })).sort(byName)
    const found = (kind: DueReview['kind'], name: string, dueDays: number): DueReview => ({
      kind,
      domain,
      name,
      due: lastReviewedDate + dueDays * DAY,
      lastReviewedDate,
    })
    assert.deepEqual(await due(AT, 50), [
      found('role', 'due', 10),
      found('role', 'shortest', 9.5),
      found('group', 'team', 10),
    ])
    assert.deepEqual(await due(AT - 1, 50), [found('role', 'shortest', 9.5)])
    assert.deepEqual(
      (await due(AT, 10)).map(({ name }) => name),
      ['due', 'not-yet', 'shortest', 'team', 'young'],
    )
  })

  test('counts from the creation of what was never reviewed', async () => {
    const principal = 'user.duties-creator'
    const roles = [roleWith('admin', [principal]), reviewed('fresh', { memberReviewDays: 1 })]
    const domain = await fixture.create((own) => domainWith(own, { roles }))
    const created = (await fixture.read(domain)).roles.get('fresh')?.created ?? 0
    const due = created + 0.25 * DAY
    const found = { kind: 'role', domain, name: 'fresh', due }
    assert.deepEqual(await fixture.store.dueReviews({ principal, at: due, percent: 25 }), [found])
    assert.deepEqual(await fixture.store.dueReviews({ principal, at: due - 1, percent: 25 }), [])
  })

  test('finds the requests that somebody may decide, as administrator or as auditor', async () => {
    const [administrator, nobody] = ['user.duties-decides', { domains: new Set<string>(), orgs: new Set<string>() }]
    const create = (org: string, admins: readonly string[]) =>
      fixture.create((own) =>
        domainWith(own, {
          settings: { org },
          roles: [roleWith('admin', admins), roleWith('open'), reviewed('audited', { auditEnabled: true })],
          groups: [groupWith('team'), reviewedGroup('auditors', { auditEnabled: true })],
        }),
      )
    const own = await create('duties', [administrator])
    const other = await create('duties', [])
    const third = await create('other-duties', [])
    const requested = (memberName: string) => ({
      memberName,
      requestPrincipal: 'user.asks',
      requestTime: AT - DAY,
      auditRef: 'ticket',
      pendingState: 'DELETE' as const,
    })
    for (const domain of [own, other, third]) {
      await fixture.commit(
        [domain],
        ...['open', 'audited'].map((role) => ({
          kind: 'putPendingRoleMember' as const,
          domain,
          role,
          value: { ...requested('user.role'), reviewReminder: AT },
        })),
        ...['team', 'auditors'].map((group) => ({
          kind: 'putPendingGroupMember' as const,
          domain,
          group,
          value: requested('user.group'),
        })),
      )
    }
    const found = async (principal: string, auditor: Partial<typeof nobody>) => {
      const all = await fixture.store.decidableRequests({ principal, at: AT, auditor: { ...nobody, ...auditor } })
      for (const { kind, pending } of all) {
        const { memberName, requestPrincipal, requestTime, auditRef, pendingState } = pending
        const shown = { memberName, requestPrincipal, requestTime, auditRef, pendingState }
        assert.deepEqual(shown, requested(`user.${kind}`))
      }
      return all.map(({ kind, domain, name }) => `${domain} ${kind} ${name}`).sort()
    }
    const unaudited = (domain: string) => [`${domain} group team`, `${domain} role open`]
    const audited = (domain: string) => [`${domain} group auditors`, `${domain} role audited`]
    assert.deepEqual(await found(administrator, {}), unaudited(own))
    assert.deepEqual(await found('user.duties-none', {}), [])
    assert.deepEqual(await found('user.duties-none', { domains: new Set([other, 'nowhere']) }), audited(other))
    assert.deepEqual(
      await found('user.duties-none', { domains: new Set([own, third]), orgs: new Set(['duties', 'none']) }),
      [own, other, third].flatMap(audited).sort(),
    )
    assert.deepEqual(
      await found(administrator, { domains: new Set([own]) }),
      [...audited(own), ...unaudited(own)].sort(),
    )
  })

  test('finds the memberships of somebody that end', async () => {
    const ending = (memberName: string, expiration: number) => ({ memberName, expiration })
    const principal = 'user.duties-member'
    const domain = await fixture.create((own) =>
      domainWith(own, {
        roles: [
          roleWith('soon', [ending(principal, AT - 1), ending('user.other', AT - 2)]),
          roleWith('ended', [ending(principal, AT - 400 * DAY)]),
          roleWith('later', [ending(principal, AT)]),
          roleWith('endless', [principal]),
        ],
        groups: [groupWith('team', [ending(principal, AT - DAY)]), groupWith('endless', [principal])],
      }),
    )
    const found = (kind: EndingMembership['kind'], name: string, expiration: number) => ({
      kind,
      domain,
      name,
      expiration,
    })
    assert.deepEqual((await fixture.store.endingMemberships(principal, AT)).sort(byName), [
      found('role', 'ended', AT - 400 * DAY),
      found('role', 'soon', AT - 1),
      found('group', 'team', AT - DAY),
    ])
    assert.deepEqual(await fixture.store.endingMemberships('user.nobody-at-all', AT), [])
  })

  test('tells of memberships that end how long the member may renew them, and where a reason is needed', async () => {
    const memberName = 'user.duties-renews'
    const members = [{ memberName, expiration: AT - DAY }]
    const roleOf = (name: string, settings: Partial<RoleBase>): Role => ({ ...roleWith(name, members), ...settings })
    const unaudited = await fixture.create((own) =>
      domainWith(own, {
        roles: [
          roleOf('plain', { selfRenewMins: 90 }),
          roleOf('renewed', { selfRenew: true, selfRenewMins: 90 }),
          roleOf('without-minutes', { selfRenew: true }),
          roleOf('audited', { auditEnabled: true }),
        ],
        groups: [{ ...groupWith('team', members), selfRenew: true, selfRenewMins: 30, auditEnabled: true }],
      }),
    )
    const audited = await fixture.create((own) =>
      domainWith(own, { settings: { auditEnabled: true }, roles: [roleOf('plain', {})] }),
    )
    const told = async (domain: string) =>
      (await fixture.store.endingMemberships(memberName, AT))
        .filter((each) => each.domain === domain)
        .sort(byName)
        .map(({ kind: _, domain: __, expiration: ___, ...rest }) => rest)
    assert.deepEqual(await told(unaudited), [
      { name: 'audited', audited: true },
      { name: 'plain' },
      { name: 'renewed', selfRenewMins: 90 },
      { name: 'team', selfRenewMins: 30, audited: true },
      { name: 'without-minutes' },
    ])
    assert.deepEqual(await told(audited), [{ name: 'plain', audited: true }])
  })

  test('tells of requests until when they ask for membership, and where a reason is needed', async () => {
    const principal = 'user.duties-reasons'
    const create = (settings: Partial<DomainBase>) =>
      fixture.create((own) =>
        domainWith(own, {
          settings,
          roles: [roleWith('admin', [principal]), reviewed('audited', { auditEnabled: true })],
        }),
      )
    const request = { memberName: 'user.asks', requestTime: AT - DAY, pendingState: 'ADD' as const }
    const [unaudited, audited] = [await create({}), await create({ auditEnabled: true })]
    for (const domain of [unaudited, audited]) {
      const add = { kind: 'putPendingRoleMember' as const, domain }
      await fixture.commit(
        [domain],
        { ...add, role: 'admin', value: { ...request, expiration: AT + DAY } },
        { ...add, role: 'audited', value: request },
      )
    }
    const auditor = { domains: new Set([unaudited, audited]), orgs: new Set<string>() }
    const found = await fixture.store.decidableRequests({ principal, at: AT, auditor })
    const told = found.map(({ domain, name, pending, ...reason }) => [domain, name, pending.expiration, reason.audited])
    assert.deepEqual(
      new Set(told),
      new Set([
        [unaudited, 'admin', AT + DAY, undefined],
        [unaudited, 'audited', undefined, true],
        [audited, 'admin', AT + DAY, true],
        [audited, 'audited', undefined, true],
      ]),
    )
  })
}
