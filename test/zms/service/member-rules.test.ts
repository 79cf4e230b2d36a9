import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Authority, UserType } from '#core/authority/authority.ts'
import { type PrincipalDomains, principalTypes } from '#core/names/principal-name.ts'
import { externalMemberValidators } from '#zms/service/external-member-validators.ts'
import {
  attributesOf,
  type ExternalMemberValidator,
  type MemberCollection,
  MemberRules,
  type MemberSettings,
  memberDomain,
} from '#zms/service/member-rules.ts'
import { newDomain } from '#zms/service/new-domain.ts'
import { admitsEverything, type ResourceValidator } from '#zms/service/resource-validator.ts'
import type { Domain, Group } from '#zms/store/model.ts'

const PRINCIPALS: PrincipalDomains = {
  userDomain: 'user',
  headlessUserDomain: 'machine',
  homeDomain: 'home',
  additionalUserDomains: ['guest'],
}
const EMAIL = 'com.yahoo.athenz.auth.impl.ExternalEmailMemberValidator'

/** A domain with services `api` and the groups given. */
function domain(name: string, settings: Partial<Domain> = {}, groups: Record<string, Partial<Group>> = {}): Domain {
  const base = newDomain({ name, admins: [], requestPrincipal: 'user.admin', settings })
  const stamps = { modified: 0, created: 0 }
  return {
    ...base,
    services: new Map([['api', { name: 'api', ...stamps, publicKeys: new Map() } as never]]),
    groups: new Map(
      Object.entries(groups).map(([group, value]) => [group, { name: group, ...stamps, ...value } as Group]),
    ),
  }
}

const DOMAINS = [
  domain('sports', {}, { plain: {}, audited: { auditEnabled: true } }),
  domain(
    'media',
    {},
    {
      staff: { userAuthorityFilter: 'employee,local', userAuthorityExpiration: 'until' },
      some: { userAuthorityFilter: 'employee' },
    },
  ),
  domain('strict', { userAuthorityFilter: 'employee' }, { bare: {} }),
  domain('mail', { externalMemberValidator: EMAIL }),
  domain('odd', { externalMemberValidator: 'unknown.Validator' }),
  ...['user', 'machine', 'guest', 'sports.hockey', 'skipped', 'skip.one'].map((name) => domain(name)),
]
const lookup = { domain: (name: string) => DOMAINS.find((found) => found.name === name) }

/** Who is not active, and who has which attributes, as the user authority has it. */
const STATES: Readonly<Record<string, UserType>> = {
  'user.gone': 'suspended',
  'user.nobody': 'invalid',
  'user.n*': 'invalid',
  'machine.gone': 'suspended',
}
const ATTRIBUTES: Readonly<Record<string, string[]>> = { 'user.joe': ['employee', 'local'], 'user.eve': ['local'] }
const userAuthority: Authority = {
  id: 'test',
  credentialSource: 'header',
  allowAuthorization: true,
  userType: async (name) => STATES[name] ?? 'active',
  isAttributeSet: async (name, attribute) => ATTRIBUTES[name]?.includes(attribute) ?? false,
}

interface Options {
  settings?: Partial<MemberSettings>
  userAuthority?: Authority
  externalValidators?: ReadonlyMap<string, ExternalMemberValidator>
  resourceValidator?: ResourceValidator
}

const rulesOf = (options: Options = {}) =>
  new MemberRules({
    settings: {
      principals: PRINCIPALS,
      validateUsers: () => false,
      validateServices: () => false,
      skipServiceDomains: new Set(),
      filterDocumentationUrl: 'https://docs.example.com',
      ...options.settings,
    },
    userAuthority: options.userAuthority,
    externalValidators: options.externalValidators ?? externalMemberValidators(new Set(['example.com'])),
    resourceValidator: options.resourceValidator ?? admitsEverything,
  })

const users = rulesOf({ settings: { validateUsers: () => true }, userAuthority })
const services = rulesOf({
  settings: { validateServices: () => true, skipServiceDomains: new Set(['skipped', 'skip.*']) },
})
const plain = rulesOf()

const collection = (kind: 'role' | 'group', more: Partial<MemberCollection> = {}): MemberCollection => ({
  kind,
  name: 'r1',
  domain: { name: 'sports' },
  ...more,
})
const ROLE = collection('role')
const GROUP = collection('group')

async function admits(rules: MemberRules, to: MemberCollection, ...members: string[]): Promise<void> {
  for (const member of members) await rules.check(lookup, to, member)
}

const refuses = (rules: MemberRules, to: MemberCollection, member: string, status: number, message: string) =>
  assert.rejects(rules.check(lookup, to, member), { status, message })

describe('kinds of members', () => {
  const kinds: [string, keyof typeof principalTypes][] = [
    ['*', 'all'],
    ['sports:group.plain', 'group'],
    ['mail:ext.joe@example.com', 'external'],
    ['user.joe', 'user'],
    ['user.*', 'user'],
    ['guest.joe', 'user'],
    ['machine.bot', 'userHeadless'],
    ['user.joe.api', 'service'],
    ['sports.api', 'service'],
    ['sports.*', 'service'],
  ]
  for (const [member, kind] of kinds) {
    test(`${member}: ${kind}`, () => assert.equal(plain.typeOf(member), principalTypes[kind]))
  }

  test('the domain in a name ends before the colon, or before the last dot', () => {
    assert.equal(memberDomain('sports.hockey:group.a.b'), 'sports.hockey')
    assert.equal(memberDomain('mail:ext.joe@example.com'), 'mail')
    assert.equal(memberDomain('sports.hockey.api'), 'sports.hockey')
    assert.equal(memberDomain('sports.*'), 'sports')
    assert.equal(memberDomain('*'), '')
  })

  test('attributes of several lists count once, and empty ones not at all', () => {
    assert.deepEqual(attributesOf('a,b', undefined, 'b,,c', ''), ['a', 'b', 'c'])
  })
})

describe('wildcards', () => {
  test('roles take everybody and prefixes', () =>
    admits(users, ROLE, '*', 'user.*', 'user.j*', 'sports.*', 'sports.a*'))

  for (const member of ['*', 'user.*', 'user.j*', 'sports.*', 'mail:ext.*@example.com']) {
    test(`groups refuse ${member}`, () => refuses(plain, GROUP, member, 400, `Principal ${member} is not valid`))
  }

  test('the user authority judges prefixes of users', () =>
    refuses(users, ROLE, 'user.n*', 400, 'Principal user.n* is not valid'))

  const message = 'Wildcard member is not allowed with user authority filter or expiration'
  const demanding: [string, Partial<MemberCollection>][] = [
    ['a filter of the role', { userAuthorityFilter: 'employee' }],
    ['a filter of the domain', { domain: { name: 'sports', userAuthorityFilter: 'employee' } }],
    ['an expiration', { userAuthorityExpiration: 'until' }],
  ]
  for (const [title, more] of demanding) {
    test(`${title} refuses them where users are validated`, async () => {
      const role = collection('role', more)
      await refuses(users, role, '*', 400, message)
      await refuses(users, role, 'user.j*', 400, message)
      await admits(plain, role, '*', 'user.j*')
    })
  }
})

describe('users', () => {
  test('roles take any without validation', async () => {
    await admits(plain, ROLE, 'user.nobody', 'user.gone')
    await admits(rulesOf({ userAuthority }), ROLE, 'user.nobody', 'user.gone', 'machine.gone')
    await admits(rulesOf({ settings: { validateUsers: () => true } }), ROLE, 'user.nobody')
  })

  test('roles take those the authority knows with validation', async () => {
    await admits(users, ROLE, 'user.joe', 'machine.bot', 'guest.joe')
    await refuses(users, ROLE, 'user.nobody', 400, 'Principal user.nobody is not valid')
  })

  test('groups take those the authority knows, where there is one', async () => {
    await refuses(rulesOf({ userAuthority }), GROUP, 'user.nobody', 400, 'Principal user.nobody is not valid')
    await admits(rulesOf({ userAuthority }), GROUP, 'user.joe')
    await admits(plain, GROUP, 'user.nobody')
  })

  test('suspended ones are refused, also headless ones, unless they are suspended members', async () => {
    await refuses(users, ROLE, 'user.gone', 403, 'User is suspended: user.gone')
    await refuses(users, ROLE, 'machine.gone', 403, 'User is suspended: machine.gone')
    await refuses(rulesOf({ userAuthority }), GROUP, 'user.gone', 403, 'User is suspended: user.gone')
    await users.check(lookup, ROLE, 'user.gone', { suspended: true })
    await assert.rejects(users.check(lookup, ROLE, 'user.gone', { suspended: false }), { status: 403 })
    await assert.rejects(users.check(lookup, ROLE, 'user.nobody', { suspended: true }), { status: 400 })
  })

  test('the switch may change at any time', async () => {
    let validate = false
    const switched = rulesOf({ settings: { validateUsers: () => validate }, userAuthority })
    await admits(switched, ROLE, 'user.nobody')
    validate = true
    await refuses(switched, ROLE, 'user.nobody', 400, 'Principal user.nobody is not valid')
  })

  test('their state is known without a rule', async () => {
    assert.equal(await users.userType('user.gone'), 'suspended')
    assert.equal(await plain.userType('user.gone'), 'active')
  })
})

describe('attributes of users', () => {
  const rules = rulesOf({ userAuthority })
  const lacking = (filter: string) =>
    `Required user authority filter ${filter} not valid for the member. ` +
    'For more information, see https://docs.example.com'

  test('all those of the role and its domain are demanded', async () => {
    const role = collection('role', {
      userAuthorityFilter: 'employee',
      domain: { name: 'sports', userAuthorityFilter: 'local' },
    })
    await admits(rules, role, 'user.joe')
    await refuses(rules, role, 'user.eve', 400, lacking('local,employee'))
  })

  test('groups demand them as well', () =>
    refuses(rules, collection('group', { userAuthorityFilter: 'employee' }), 'user.eve', 400, lacking('employee')))

  test('services and everybody need none', () =>
    admits(rules, collection('role', { userAuthorityFilter: 'employee' }), 'sports.api', '*'))

  test('an authority that tells nothing has nobody with an attribute', () => {
    const silent: Authority = { id: 'test', credentialSource: 'header', allowAuthorization: true }
    const role = collection('role', { userAuthorityFilter: 'employee' })
    return refuses(rulesOf({ userAuthority: silent }), role, 'user.joe', 400, lacking('employee'))
  })
})

describe('services', () => {
  test('roles take any without validation', () => admits(plain, ROLE, 'sports.nosuch', 'sports.hockey.nosuch'))

  test('roles take those that exist with validation', async () => {
    await admits(services, ROLE, 'sports.api')
    await refuses(services, ROLE, 'sports.nosuch', 400, 'Principal sports.nosuch is not a valid service')
    await refuses(services, ROLE, 'nosuch.api', 400, 'Principal nosuch.api is not a valid service')
  })

  test('groups take those that exist', async () => {
    await admits(plain, GROUP, 'sports.api')
    await refuses(plain, GROUP, 'sports.nosuch', 400, 'Principal sports.nosuch is not a valid service')
    await refuses(plain, GROUP, 'nosuch.api', 400, 'Principal nosuch.api is not a valid service')
  })

  test('domains may be left out, by name or prefix', async () => {
    await admits(services, ROLE, 'skipped.nosuch', 'skip.one.nosuch')
    await admits(services, GROUP, 'skipped.nosuch')
    await refuses(services, ROLE, 'sports.hockey.nosuch', 400, 'Principal sports.hockey.nosuch is not a valid service')
  })

  test('names with a wildcard are not looked up', () => admits(services, ROLE, 'sports.nosuch*', 'sports.*'))
})

describe('groups', () => {
  test('roles take those that exist', async () => {
    await admits(plain, ROLE, 'sports:group.plain')
    for (const member of ['sports:group.nosuch', 'nosuch:group.plain']) {
      await refuses(plain, ROLE, member, 400, `Principal ${member} is not valid`)
    }
  })

  test('groups refuse them', () =>
    refuses(plain, GROUP, 'sports:group.plain', 400, 'Principal sports:group.plain is not valid'))

  test('a role may refuse them all', () => {
    const admin = collection('role', { refuseGroups: true })
    return refuses(plain, admin, 'sports:group.plain', 400, 'Group principals are not allowed in the role')
  })

  test('an audit-enabled role takes audit-enabled ones', async () => {
    const audited = collection('role', { auditEnabled: true })
    await admits(plain, audited, 'sports:group.audited')
    await refuses(plain, audited, 'sports:group.plain', 400, 'Group sports:group.plain must be audit enabled')
  })

  test('they carry the filter of the role, themselves or by their domain', async () => {
    const filtered = collection('role', { userAuthorityFilter: 'employee' })
    await admits(plain, filtered, 'media:group.staff', 'media:group.some', 'strict:group.bare')
    const lacking = 'Group sports:group.plain does not have same user authority filter employee configured'
    await refuses(plain, filtered, 'sports:group.plain', 400, lacking)
    const both = collection('role', {
      userAuthorityFilter: 'employee',
      domain: { name: 'sports', userAuthorityFilter: 'local' },
    })
    await admits(plain, both, 'media:group.staff')
    const message = 'Group media:group.some does not have same user authority filter local,employee configured'
    await refuses(plain, both, 'media:group.some', 400, message)
  })

  test('they carry the expiration of the role', async () => {
    const expiring = collection('role', { userAuthorityExpiration: 'until' })
    await admits(plain, expiring, 'media:group.staff')
    const message = 'Group media:group.some does not have same user authority expiration until configured'
    await refuses(plain, expiring, 'media:group.some', 400, message)
  })
})

describe('external members', () => {
  for (const to of [ROLE, GROUP]) {
    test(`${to.kind}s take those that the validator of their domain admits`, async () => {
      await admits(plain, to, 'mail:ext.joe@example.com')
      for (const member of ['mail:ext.joe@example.org', 'mail:ext.joe']) {
        const message = `Member ${member} is not valid according to the external member validator for domain mail`
        await refuses(plain, to, member, 400, message)
      }
    })

    test(`${to.kind}s refuse those without a validator`, async () => {
      for (const name of ['sports', 'nosuch', 'odd']) {
        const message = `External member validator for domain ${name} is not available`
        await refuses(plain, to, `${name}:ext.joe@example.com`, 400, message)
      }
    })
  }

  test('a validator is told the domain of the role, and what follows the mark', async () => {
    const asked: unknown[] = []
    const validator = { validateMember: async (...args: unknown[]) => asked.push(args) > 0 }
    const rules = rulesOf({ externalValidators: new Map([[EMAIL, validator]]) })
    await admits(rules, ROLE, 'mail:ext.a:ext.b.c')
    assert.deepEqual(asked, [['sports', 'a:ext.b.c']])
  })
})

describe('the filter of principal domains', () => {
  const cases: [string, string[], string[]][] = [
    ['user', ['user.joe', 'user.*'], ['sports.api', 'sports.hockey.api', '*', 'mail:ext.joe@example.com']],
    ['user, sports', ['user.joe', 'sports.api', 'sports:group.plain'], ['sports.hockey.api']],
    ['+sports', ['sports.api', 'sports.hockey.api', 'sports:group.plain'], ['user.joe', 'sportsx.api', '*']],
    ['-sports', ['user.joe', 'sports.hockey.api'], ['sports.api', 'sports:group.plain', '*']],
    ['+sports,-sports.hockey', ['sports.api'], ['sports.hockey.api', 'user.joe']],
    ['+sports,-sports', [], ['sports.api']],
    ['mail', ['mail:ext.joe@example.com'], ['user.joe']],
  ]
  for (const [principalDomainFilter, inside, outside] of cases) {
    test(principalDomainFilter, async () => {
      const role = collection('role', { principalDomainFilter })
      await admits(plain, role, ...inside)
      for (const member of outside) {
        await refuses(plain, role, member, 400, `Principal ${member} is not allowed for the role`)
      }
    })
  }

  test('groups have it too', async () => {
    const group = collection('group', { principalDomainFilter: 'sports' })
    await admits(plain, group, 'sports.api')
    await refuses(plain, group, 'user.joe', 400, 'Principal user.joe is not allowed for the group')
  })

  test('it counts before what is known of the member', async () => {
    const filter = { principalDomainFilter: 'media' }
    const [missing, service] = ['sports:group.nosuch', 'sports.nosuch']
    await refuses(plain, collection('role', filter), missing, 400, `Principal ${missing} is not allowed for the role`)
    await refuses(plain, collection('group', filter), service, 400, `Principal ${service} is not allowed for the group`)
  })
})

describe('the domain of a member', () => {
  test('it exists when the member is new', async () => {
    await refuses(plain, ROLE, 'nosuch.api', 404, 'unknown domain - nosuch.api')
    await refuses(plain, ROLE, 'nosuch.*', 404, 'unknown domain - nosuch.*')
    await refuses(plain, ROLE, 'api', 404, 'unknown domain - api')
    await admits(plain, ROLE, '*')
  })

  test('it may be gone when the member is there', () => plain.check(lookup, ROLE, 'nosuch.api', { suspended: false }))
})

describe('the resource validator', () => {
  test('it is asked last, and by kind', async () => {
    const asked: unknown[] = []
    const rules = rulesOf({
      resourceValidator: {
        ...admitsEverything,
        validateRoleMember: async (...args) => asked.push(['role', ...args]) > 0,
        validateGroupMember: (...args) => asked.push(['group', ...args]) > 0,
      },
    })
    await admits(rules, ROLE, 'user.joe')
    await admits(rules, GROUP, 'user.joe')
    await refuses(rules, ROLE, 'nosuch.api', 404, 'unknown domain - nosuch.api')
    assert.deepEqual(asked, [
      ['role', 'sports', 'r1', 'user.joe'],
      ['group', 'sports', 'r1', 'user.joe'],
    ])
  })

  test('its refusal counts, for those who are there as well', async () => {
    const rules = rulesOf({
      resourceValidator: {
        ...admitsEverything,
        validateRoleMember: () => false,
        validateGroupMember: async () => false,
      },
    })
    const message = 'Principal user.joe is not allowed by external resource validator'
    await refuses(rules, ROLE, 'user.joe', 400, message)
    await refuses(rules, GROUP, 'user.joe', 400, message)
    await assert.rejects(rules.check(lookup, ROLE, 'user.joe', { suspended: false }), { status: 400, message })
  })
})
