import * as fc from 'fast-check'
import type {
  AssertionInput,
  Caller,
  CollectionSettings,
  Conditions,
  Kind,
  MemberInput,
  Operation,
  Request,
} from './requests.ts'

/** Few names, so that requests often meet what others wrote. */
const DOMAINS = ['a', 'b', 'a.sub'] as const
const ROLES = ['r', 'rr', 's', 'admin'] as const
const GROUPS = ['g', 'h'] as const
const POLICIES = ['p', 'q', 'admin'] as const
const VERSIONS = ['0', '1', '2', '3'] as const
/** The only service that exists. */
export const SERVICE = 'sys.auth.zms'
/** Principals that are asked about and may be members. */
export const PRINCIPALS = ['user.x', 'user.xy', 'user.admin', 'a.api', SERVICE] as const
const PAST = '2019-01-01T00:00:00.000Z'
const FUTURE = '2099-01-01T00:00:00.000Z'
export const ADMIN: Caller = { name: 'user.admin' }

/** One of the texts, sometimes in upper case; but the words of full names are always in lower case. */
const anyCase = (text: fc.Arbitrary<string>) =>
  fc
    .tuple(text, fc.integer({ min: 0, max: 9 }))
    .map(([given, dice]) =>
      dice === 0 ? given.toUpperCase().replace(/:(?:GROUP|ROLE)\./, (word) => word.toLowerCase()) : given,
    )

const oneOf = (...names: readonly string[]) => anyCase(fc.constantFrom(...names))
const rarely = <T>(arbitrary: fc.Arbitrary<T>, weight = 4) =>
  fc.oneof({ weight, arbitrary: fc.constant(undefined) }, arbitrary)

const domain = anyCase(
  fc.oneof({ weight: 15, arbitrary: fc.constantFrom<string[]>(...DOMAINS) }, fc.constant<string>('c')),
)
const role = oneOf(...ROLES)
const group = oneOf(...GROUPS)
const groupName = fc
  .tuple(fc.constantFrom(...DOMAINS), fc.constantFrom(...GROUPS, ...GROUPS, 'gone'))
  .map((parts) => parts.join(':group.'))
const OTHER_MEMBERS = ['*', 'user.*', 'user.x*', 'a.*', 'c.api'] as const
const member = anyCase(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<string[]>(...PRINCIPALS) },
    { weight: 2, arbitrary: groupName },
    fc.constantFrom<string[]>(...OTHER_MEMBERS, 'user.*', 'user.x*', 'a.*'),
  ),
)
/** Every name that may be a member: a store that had other worlds before knows them. */
export const KNOWN: readonly string[] = [
  ...PRINCIPALS,
  ...OTHER_MEMBERS,
  ...DOMAINS.flatMap((home) => [...GROUPS, 'gone'].map((name) => `${home}:group.${name}`)),
]
// Only services that exist may be in groups.
const groupMember = oneOf('user.x', 'user.xy', 'user.admin', 'user.x', 'user.xy', SERVICE, SERVICE, 'a.api')
const memberOf = (kind: Kind) => (kind === 'role' ? member : groupMember)
const expiration = rarely(fc.constantFrom(PAST, FUTURE))

const caller: fc.Arbitrary<Caller> = fc.oneof(
  { weight: 14, arbitrary: fc.constant(ADMIN) },
  { weight: 5, arbitrary: fc.record({ name: fc.constantFrom<string[]>(...PRINCIPALS) }) },
  fc.record({ name: fc.constantFrom('user.x', 'user.admin'), mtlsRestricted: fc.constant(true) }),
  fc.record({
    name: fc.constantFrom('a', 'b'),
    roles: fc.array(fc.constantFrom('a:role.r', 'a:role.admin', 'b:role.rr', 'r', 'gone'), { maxLength: 2 }),
  }),
)

/** Patterns that meet each other: wildcards, letter case, cross-domain resources, no domain at all. */
const action = fc.constantFrom(
  'read',
  'write',
  'READ',
  'r*',
  '*',
  '?ead',
  'update',
  'update_members',
  'delete',
  'assume_role',
  'Assume_Role',
)
const resourceIn = (home: string) =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .constantFrom('thing', 'Thing', 'th*', '*', '*ng', 'x.y', 'role.*', 'group.g', 'policy.p', '')
        .map((part) => `${home}:${part}`),
    },
    fc.constantFrom('*:thing', 'b:thing', 'a.sub:*', 'plain', '*:*', 'a*:thing'),
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(...DOMAINS, '*'), fc.constantFrom(...ROLES, '*', 'r*', 'RR'))
        .map((parts) => parts.join(':role.')),
    },
  )
const rolePattern = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<string[]>(...ROLES) },
  fc.constantFrom('*', 'r*', '?', 'gone'),
)
const condition = fc.constantFrom<Conditions['conditionsList'][number]['conditionsMap'][]>(
  {},
  { instances: { operator: 'EQUALS', value: 'Host1,host2' } },
  {
    Enforcement: { operator: 'EQUALS', value: 'report' },
    instances: { operator: 'EQUALS', value: '*' },
  },
)
const conditions = fc.record({
  conditionsList: fc.array(
    condition.map((conditionsMap) => ({ conditionsMap })),
    { minLength: 1, maxLength: 2 },
  ),
})
const assertionIn = (home: string): fc.Arbitrary<AssertionInput> =>
  fc
    .record({
      role: anyCase(rolePattern.map((name) => `${home}:role.${name}`)),
      action,
      resource: resourceIn(home),
      effect: fc.constantFrom<(undefined | 'ALLOW' | 'DENY')[]>(undefined, 'ALLOW', 'ALLOW', 'DENY'),
      conditions: rarely(conditions),
    })
    .map((assertion) => (assertion.resource.startsWith('plain') ? { ...assertion, role: 'other:role.r' } : assertion))

const settings = (kind: Kind): fc.Arbitrary<CollectionSettings> =>
  fc.record(
    {
      ...(kind === 'role' && { trust: rarely(oneOf(...DOMAINS, 'c'), 3) }),
      selfServe: rarely(fc.boolean()),
      reviewEnabled: rarely(fc.boolean()),
      deleteProtection: rarely(fc.boolean()),
    },
    { noNullPrototype: true },
  )

const collection = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant<Kind>('role'), domain, name: role }) },
  fc.record({ kind: fc.constant<Kind>('group'), domain, name: group }),
)
type Place = { kind: Kind; domain: string; name: string }

const putCollection = (place: Place): fc.Arbitrary<Operation> =>
  fc
    .record({
      given: fc.constantFrom(...Array(6).fill(place.name), `${place.domain}:${place.kind}.${place.name}`, 'other'),
      members: fc.array(fc.record({ memberName: memberOf(place.kind), expiration }), { maxLength: 4 }) as fc.Arbitrary<
        MemberInput[]
      >,
      settings: settings(place.kind),
    })
    .map((body) => {
      // A delegated role with members is refused, which needs no more than a few tries.
      const members = body.settings.trust && body.members.length > 1 ? [] : body.members
      return { op: 'putCollection', ...place, ...body, members }
    })

const aboutMember = (place: Place): fc.Arbitrary<Operation> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .record({ op: fc.constant('putMember' as const), member: memberOf(place.kind), expiration })
        .map((body) => ({ ...place, ...body })),
    },
    fc
      .record({
        op: fc.constantFrom('deleteMember' as const, 'deletePending' as const, 'getMember' as const),
        member: memberOf(place.kind),
      })
      .map((body) => ({ ...place, ...body })),
    fc
      .record({ op: fc.constant('decide' as const), member: memberOf(place.kind), approved: fc.boolean() })
      .map((body) => ({ ...place, ...body })),
  )

const policyPlace = fc.record({ domain, policy: oneOf(...POLICIES) })
const putPolicy = policyPlace.chain((place) =>
  fc
    .record({
      version: rarely(fc.constantFrom(...VERSIONS)),
      active: rarely(fc.boolean()),
      caseSensitive: rarely(fc.constant(true)),
      assertions: fc.array(assertionIn(place.domain), { maxLength: 4 }),
    })
    .map((body): Operation => ({ op: 'putPolicy', ...place, ...body })),
)
const aboutPolicy: fc.Arbitrary<Operation> = fc.oneof(
  policyPlace.chain((place) =>
    fc.constantFrom('deletePolicy' as const, 'getPolicy' as const).map((op) => ({ op, ...place })),
  ),
  fc.record({ op: fc.constant('getPolicies' as const), domain }),
  policyPlace.chain((place) =>
    fc
      .record({ version: fc.constantFrom(...VERSIONS), fromVersion: rarely(fc.constantFrom(...VERSIONS)) })
      .map((body): Operation => ({ op: 'putVersion', ...place, ...body })),
  ),
  policyPlace.chain((place) =>
    fc
      .record({
        op: fc.constantFrom('activateVersion' as const, 'activateVersion' as const, 'deleteVersion' as const),
        version: fc.constantFrom(...VERSIONS),
      })
      .map((body) => ({ ...place, ...body })),
  ),
  policyPlace.chain((place) =>
    fc
      .record({
        op: fc.constantFrom('putAssertion' as const, 'deleteAssertion' as const),
        assertion: assertionIn(place.domain),
      })
      .map((body) => ({ ...place, ...body })),
  ),
)

const admins = fc.array(anyCase(fc.constantFrom('user.admin', 'user.x', 'user.admin', 'a.api', 'a:group.g', 'c.api')), {
  maxLength: 2,
})
const aboutDomain: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constant('postTopLevelDomain' as const), name: oneOf('a', 'b', 'c', 'a-sub'), admins }),
  fc.record({
    op: fc.constant('postSubDomain' as const),
    parent: oneOf('a', 'b', 'user.x'),
    name: oneOf('sub'),
    admins,
  }),
  fc.record({ op: fc.constant('deleteTopLevelDomain' as const), name: oneOf('a', 'b', 'c', 'sys') }),
  fc.record({ op: fc.constant('deleteSubDomain' as const), parent: oneOf('a', 'b'), name: oneOf('sub') }),
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('putEnabled' as const),
      domain,
      enabled: fc.constantFrom(true, true, false),
    }),
  },
)

/** A question about a right; more of them are about what the policies speak of than not. */
export const question: fc.Arbitrary<Operation & { op: 'access' }> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('access' as const),
      ext: fc.boolean(),
      action: fc.constantFrom('read', 'READ', 'write', 'update', 'assume_role', 'Assume_Role', 'x'),
      resource: fc.constantFrom(
        'a:thing',
        'A:Thing',
        'a:x.y',
        'b:thing',
        'b:THING',
        'a.sub:thing',
        'a:role.r',
        'b:role.rr',
        'a.sub:role.s',

        'a:policy.p',
        'user.x:thing',
        'c:thing',
        'thing',
      ),
      trustDomain: rarely(fc.constantFrom('a', 'B', 'a.sub', 'c'), 3),
      principal: rarely(fc.constantFrom('user.x', 'USER.XY', 'xy', 'a.api', SERVICE, 'user.z', 'a:group.g'), 1),
    }),
  },
  fc.record({
    op: fc.constant('access' as const),
    ext: fc.constant(true),
    action: fc.constantFrom('read', 'assume_role'),
    resource: fc.constantFrom(
      'a:',
      ':thing',
      '',
      'a:thing/1',
      'a:*',
      'a:th\ning',
      'a:th?ng',
      'a:é',
      'b:thing thing',
      '*:thing',
    ),
    trustDomain: rarely(fc.constantFrom('a', ''), 3),
    principal: rarely(fc.constantFrom('', 'x', 'b!d', 'user.*')),
  }),
)

const request: fc.Arbitrary<Request> = fc
  .tuple(
    caller,
    fc.oneof(
      { weight: 6, arbitrary: collection.chain(putCollection) },
      { weight: 8, arbitrary: collection.chain(aboutMember) },
      {
        weight: 3,
        arbitrary: collection.chain((place) =>
          fc
            .constantFrom('deleteCollection' as const, 'getCollection' as const, 'getCollection' as const)
            .map((op): Operation => ({ op, ...place })),
        ),
      },
      { weight: 5, arbitrary: putPolicy },
      { weight: 6, arbitrary: aboutPolicy },
      { weight: 2, arbitrary: aboutDomain },
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constant('putState' as const),
          principal: oneOf('user.x', 'xy', 'a.api', 'user.never'),
          suspended: fc.boolean(),
        }),
      },
      { weight: 10, arbitrary: question },
    ),
  )
  .map(([as, operation]) => ({ ...operation, as }))

const person: fc.Arbitrary<Caller> = fc.constantFrom(ADMIN, { name: 'user.x' }, { name: 'user.xy' })

/** A membership that is asked for, and what becomes of it. */
const membershipStory = collection.chain((place) =>
  fc
    .record({
      member: memberOf(place.kind),
      settings: fc.constantFrom<CollectionSettings[]>(
        { reviewEnabled: true },
        { selfServe: true },
        { reviewEnabled: true, deleteProtection: true },
        { reviewEnabled: true, selfServe: true },
        {},
      ),
      end: fc.constantFrom('decide' as const, 'decide' as const, 'deleteMember' as const, 'deletePending' as const),
      approved: fc.boolean(),
      first: person,
      second: person,
    })
    .map(({ member: name, settings: given, end, approved, first, second }): Request[] => {
      const about = { ...place, member: name }
      const empty = { op: 'putCollection', ...place, given: place.name, members: [], settings: given } as const
      return [
        { ...empty, as: ADMIN },
        { op: 'putMember', ...about, as: first },
        end === 'decide' ? { op: end, ...about, approved, as: second } : { op: end, ...about, as: second },
        { op: 'getMember', ...about, as: ADMIN },
        { op: 'deleteMember', ...about, as: second },
        { op: 'decide', ...about, approved: true, as: first },
      ]
    }),
)

/** Assertions and versions that come and go. */
const policyStory = fc
  .record({ domain: fc.constantFrom(...DOMAINS), policy: fc.constantFrom('p', 'q') })
  .chain((place) =>
    fc
      .record({ assertion: assertionIn(place.domain), version: fc.constantFrom(...VERSIONS), as: person })
      .map(({ assertion, version, as }): Request[] => [
        { op: 'putPolicy', ...place, assertions: [], as: ADMIN },
        { op: 'putAssertion', ...place, assertion, as },
        { op: 'putVersion', ...place, version, as: ADMIN },
        { op: 'deleteAssertion', ...place, assertion, as },
        { op: 'activateVersion', ...place, version, as: ADMIN },
        { op: 'deleteVersion', ...place, version: '0', as },
        { op: 'getPolicies', domain: place.domain, as },
      ]),
  )

/** Requests in a row, some of which belong together. */
export const sequence: fc.Arbitrary<readonly Request[]> = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: request.map((each) => [each]) },
      { weight: 2, arbitrary: membershipStory },
      policyStory,
    ),
    { minLength: 15, maxLength: 35 },
  )
  .map((parts) => parts.flat())

/** Domains that requests are about: what every sequence and every world begins with. */
export const BEGINNING: readonly Request[] = [
  { op: 'postTopLevelDomain', name: 'a', admins: ['user.admin', 'user.x'], as: ADMIN },
  { op: 'postTopLevelDomain', name: 'b', admins: ['user.admin', 'user.x'], as: ADMIN },
  { op: 'postSubDomain', parent: 'a', name: 'sub', admins: ['user.admin'], as: ADMIN },
]

/** Writes of administrators that fill the domains, so that questions find much to be decided by. */
export const fillingWrites: fc.Arbitrary<readonly Request[]> = fc
  .tuple(
    ...DOMAINS.flatMap((home) => [
      ...GROUPS.map((name) => putCollection({ kind: 'group', domain: home, name })),
      ...ROLES.slice(0, 3).map((name) => putCollection({ kind: 'role', domain: home, name })),
      ...['p', 'q'].map((policy) =>
        fc
          .record({
            caseSensitive: rarely(fc.constant(true)),
            assertions: fc.array(assertionIn(home), { minLength: 2, maxLength: 8 }),
          })
          .map((body): Operation => ({ op: 'putPolicy', domain: home, policy, ...body })),
      ),
    ]),
    fc.array(fc.oneof(collection.chain(aboutMember), aboutPolicy), { maxLength: 6 }),
    fc.array(
      fc.record({
        op: fc.constant('putState' as const),
        principal: fc.constantFrom('user.x', 'a.api'),
        suspended: fc.boolean(),
      }),
      { maxLength: 1 },
    ),
    fc.array(
      fc.record({
        op: fc.constant('putEnabled' as const),
        domain: fc.constantFrom(...DOMAINS),
        enabled: fc.constantFrom(true, true, false),
      }),
      { maxLength: 1 },
    ),
  )
  .map((operations) => (operations.flat() as Operation[]).map((operation) => ({ ...operation, as: ADMIN })))
