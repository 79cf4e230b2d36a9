import { Members } from '#core/rbac/members.ts'
import type { Change } from '#zms/store/change.ts'
import type { Assertion, Domain, DomainBase, GroupMember, PendingRoleMember, RoleMember } from '#zms/store/model.ts'
import { fullQuota } from '../suite/samples.ts'

/** Numbers that depend on the seed alone (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Makes changes of all kinds over few names, so that they meet. Objects may be missing: such changes must do nothing. */
export class RandomChanges {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  #maybe<T>(make: () => T): T | undefined {
    return this.#random() < 0.5 ? make() : undefined
  }

  #time(): number {
    return (1_700_000_000 + this.below(1e9)) * 1000
  }

  #text(): string {
    return this.#pick([
      'a',
      'Grüße',
      '日本語',
      "it's",
      '"q"',
      'back\\slash',
      'x'.repeat(200),
      'per%cent_',
      'line\nfeed',
    ])
  }

  #member(): string {
    return this.#pick([
      'user.alice',
      'user.bob',
      'user.*',
      '*',
      'sports.api',
      'sports:group.team',
      `user.u${this.below(40)}`,
    ])
  }

  #tags() {
    const keys = ['a', 'b', 'C'].filter(() => this.#random() < 0.4)
    return keys.length > 0 ? new Map(keys.map((key) => [key, this.#values()])) : undefined
  }

  #values(): string[] {
    return ['v1', 'v2', 'größe'].filter(() => this.#random() < 0.6).concat('always')
  }

  #ownership() {
    return this.#maybe(
      () =>
        new Map(
          [
            ['object', 'tf'],
            ['meta', 'a:b'],
          ].slice(this.below(2)) as [string, string][],
        ),
    )
  }

  roleMember(memberName = this.#member()): RoleMember {
    return present({
      memberName,
      expiration: this.#maybe(() => this.#time()),
      reviewReminder: this.#maybe(() => this.#time()),
      auditRef: this.#maybe(() => this.#text()),
      requestPrincipal: this.#maybe(() => 'user.admin'),
      systemDisabled: this.#maybe(() => 1 + this.below(7)),
      lastNotifiedTime: this.#maybe(() => this.#time() + 123),
      reviewLastNotifiedTime: this.#maybe(() => this.#time()),
      server: this.#maybe(() => 'zms-1'),
      reviewServer: this.#maybe(() => 'zms-2'),
    })
  }

  groupMember(memberName = this.#member()): GroupMember {
    const { reviewReminder: _, reviewLastNotifiedTime: __, reviewServer: ___, ...member } = this.roleMember(memberName)
    return member
  }

  #pending(): PendingRoleMember {
    const {
      lastNotifiedTime: _,
      reviewLastNotifiedTime: __,
      reviewServer: ___,
      systemDisabled: ____,
      ...member
    } = this.roleMember()
    return { ...member, requestTime: this.#time() + 7, pendingState: this.#pick(['ADD', 'DELETE']) }
  }

  assertion(): Assertion {
    return present({
      role: this.#pick(['admin', 'readers', 'Writers']),
      resource: `sports:${this.#text()}`,
      action: this.#pick(['read', 'Write', '*']),
      effect: this.#pick(['ALLOW', 'DENY'] as const),
      conditions: this.#maybe(
        () => new Map([1, 2].map((id) => [id, new Map([['instances', { operator: 'EQUALS', value: this.#text() }]])])),
      ),
    })
  }

  base(name: string, id: string): DomainBase {
    return present({
      name,
      id,
      modified: 0,
      created: 0,
      enabled: this.#random() < 0.8,
      auditEnabled: this.#random() < 0.2,
      autoDeleteTenantAssumeRoleAssertions: this.#random() < 0.5,
      clientIdSelfUpdate: this.#random() < 0.5,
      ypmId: this.below(3),
      description: this.#maybe(() => this.#text()),
      account: this.#maybe(() => '111,222'),
      memberExpiryDays: this.#maybe(() => 1 + this.below(100)),
      featureFlags: this.#maybe(() => 5),
      tags: this.#tags(),
      contacts: this.#maybe(
        () =>
          new Map(
            [
              ['owner', 'user.alice'],
              ['security', 'user.bob'],
            ].slice(this.below(2)) as [string, string][],
          ),
      ),
      resourceOwnership: this.#ownership(),
    })
  }

  /** A new domain that holds one of everything. */
  domain(name: string, id: string): Domain {
    const stamps = { modified: 0, created: 0 }
    return {
      ...this.base(name, id),
      roles: new Map([
        [
          'admin',
          {
            name: 'admin',
            ...stamps,
            members: new Members(
              ['user.alice', 'user.bob', 'user.carol', 'user.*'].map((each) => this.roleMember(each)),
            ),
            pending: new Map([
              ['user.zoe', { memberName: 'user.zoe', requestTime: this.#time(), pendingState: 'ADD' }],
            ]),
          },
        ],
      ]),
      groups: new Map([
        ['team', { name: 'team', ...stamps, members: new Members([this.groupMember('user.bob')]), pending: new Map() }],
      ]),
      policies: new Map([
        [
          'admin',
          new Map([
            [
              '0',
              {
                name: 'admin',
                version: '0',
                active: true,
                ...stamps,
                assertions: new Map([-1, -2, -3, -4].map((key) => [key, this.assertion()])),
              },
            ],
          ]),
        ],
      ]),
      services: new Map([
        ['api', { name: 'api', ...stamps, publicKeys: new Map([['0', 'key0']]), hosts: new Set(['h1', 'h2']) }],
      ]),
      entities: new Map([['e', { name: 'e', value: '{"a":1}', ...stamps }]]),
      templates: new Map([['platform', 3]]),
      policiesRevision: 0,
    }
  }

  /** One change of a domain; `ids` are assertions that exist. */
  change(domain: string, id: string, ids: readonly { policy: string; version: string; id: number }[]): Change {
    const stamps = { modified: 0, created: 0 }
    const role = this.#pick(['admin', 'readers', 'big'])
    const group = this.#pick(['team', 'bench'])
    const policy = this.#pick(['admin', 'read'])
    const version = this.#pick(['0', '1'])
    const service = this.#pick(['api', 'feeds'])
    const meta = () =>
      present({
        ...stamps,
        tags: this.#tags(),
        selfServe: this.#maybe(() => true),
        maxMembers: this.#maybe(() => 9),
        notifyRoles: this.#maybe(() => this.#text()),
        lastReviewedDate: this.#maybe(() => this.#time()),
        resourceOwnership: this.#ownership(),
      })
    const makers: (() => Change)[] = [
      () => ({ kind: 'putDomain', domain, value: this.base(domain, id) }),
      () => ({ kind: 'touchDomain', domain }),
      () => ({
        kind: 'putRole',
        domain,
        value: { ...meta(), name: role, ...present({ trust: this.#maybe(() => 'labs') }) },
      }),
      () => ({ kind: 'deleteRole', domain, role }),
      () => ({ kind: 'putRoleMember', domain, role, value: this.roleMember() }),
      () => ({ kind: 'putRoleMember', domain, role, value: this.roleMember() }),
      () => ({ kind: 'deleteRoleMember', domain, role, member: this.#member() }),
      () => ({ kind: 'putPendingRoleMember', domain, role, value: this.#pending() }),
      () => ({ kind: 'deletePendingRoleMember', domain, role, member: this.#member() }),
      () => ({
        kind: 'addRoleAudit',
        domain,
        role,
        value: present({
          admin: 'user.admin',
          member: this.#member(),
          created: this.#time(),
          action: 'ADD' as const,
          auditRef: this.#maybe(() => this.#text()),
        }),
      }),
      () => ({ kind: 'putGroup', domain, value: { ...meta(), name: group } }),
      () => ({ kind: 'deleteGroup', domain, group }),
      () => ({ kind: 'putGroupMember', domain, group, value: this.groupMember() }),
      () => ({ kind: 'deleteGroupMember', domain, group, member: this.#member() }),
      () => {
        const { reviewReminder: _, ...value } = this.#pending()
        return { kind: 'putPendingGroupMember', domain, group, value }
      },
      () => ({ kind: 'deletePendingGroupMember', domain, group, member: this.#member() }),
      () => ({
        kind: 'putPolicy',
        domain,
        value: {
          name: policy,
          version,
          active: this.#random() < 0.5,
          ...stamps,
          ...present({
            tags: this.#tags(),
            description: this.#maybe(() => this.#text()),
            resourceOwnership: this.#ownership(),
          }),
        },
      }),
      () => ({ kind: 'deletePolicy', domain, policy, ...present({ version: this.#maybe(() => version) }) }),
      () => ({ kind: 'putAssertion', domain, policy, version, value: this.assertion() }),
      () => ({ kind: 'putAssertion', domain, policy, version, value: this.assertion() }),
      () =>
        ids.length === 0 ? { kind: 'touchDomain', domain } : { kind: 'deleteAssertion', domain, ...this.#pick(ids) },
      () =>
        ids.length === 0
          ? { kind: 'touchDomain', domain }
          : { kind: 'putConditions', domain, ...this.#pick(ids), value: this.assertion().conditions ?? new Map() },
      () => {
        const known = ids.length === 0 ? undefined : this.#pick(ids)
        if (!known) return { kind: 'touchDomain', domain }
        const value = { ...this.assertion(), id: known.id }
        return { kind: 'putAssertion', domain, policy: known.policy, version: known.version, value }
      },
      () => ({
        kind: 'putService',
        domain,
        value: present({
          name: service,
          ...stamps,
          tags: this.#tags(),
          description: this.#maybe(() => this.#text()),
          creds: this.#maybe(() => 'secret'),
        }),
      }),
      () => ({ kind: 'deleteService', domain, service }),
      () => ({ kind: 'putPublicKey', domain, service, keyId: this.#pick(['0', 'v1']), key: this.#text() }),
      () => ({ kind: 'deletePublicKey', domain, service, keyId: this.#pick(['0', 'v1']) }),
      () => ({
        kind: 'putHosts',
        domain,
        service,
        hosts: new Set(['h1', 'h2', 'h3'].filter(() => this.#random() < 0.5)),
      }),
      () => ({
        kind: 'putEntity',
        domain,
        value: { name: this.#pick(['e', 'f']), value: JSON.stringify({ a: this.#text() }) },
      }),
      () => ({ kind: 'deleteEntity', domain, entity: this.#pick(['e', 'f']) }),
      () => ({ kind: 'putTemplate', domain, template: this.#pick(['t1', 't2']), version: this.below(5) }),
      () => ({ kind: 'deleteTemplate', domain, template: this.#pick(['t1', 't2']) }),
      () => ({ kind: 'putQuota', domain, value: fullQuota() }),
      () => ({ kind: 'deleteQuota', domain }),
    ]
    return this.#pick(makers)()
  }

  /** Many changes of one kind to one object, which stores may write together. */
  crowd(domain: string): Change[] {
    const size = 3 + this.below(300)
    const members = Array.from({ length: size }, () => `user.crowd${this.below(400)}`)
    return this.#pick<() => Change[]>([
      () => members.map((name) => ({ kind: 'putRoleMember', domain, role: 'big', value: this.roleMember(name) })),
      () => members.map((member) => ({ kind: 'deleteRoleMember', domain, role: 'big', member })),
      () => members.map((name) => ({ kind: 'putGroupMember', domain, group: 'team', value: this.groupMember(name) })),
      () =>
        members.map(() => ({ kind: 'putAssertion', domain, policy: 'admin', version: '0', value: this.assertion() })),
    ])()
  }
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The object without its undefined members. */
function present<T extends object>(object: T): Present<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>
}
