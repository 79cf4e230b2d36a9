import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AccessQuestion } from '#core/rbac/evaluate.ts'
import { type Explanation, explain } from '#core/rbac/explain.ts'
import { explanationLines } from '#core/rbac/explanation-text.ts'
import { domainOf, lookupOf, NOW, nothingLoaded, PAST, type TestDomain, type TestPolicy } from './fixtures.ts'

type Asked = Partial<Omit<AccessQuestion, 'principal'>> & Partial<AccessQuestion['principal']>

function explained(domain: TestDomain, asked: Asked = {}, ...others: TestDomain[]): Explanation<TestPolicy> {
  const { fullName = 'user.ana', roles, mtlsRestricted, action = 'read', resource = 'sports:article', ...rest } = asked
  const question = { principal: { fullName, roles, mtlsRestricted }, action, resource, now: NOW, ...rest }
  const explanation = explain(domainOf(domain), question, lookupOf(...others.map(domainOf)))
  assert.ok(explanation.outcome === 'explained')
  return explanation
}

const textOf = (explanation: Explanation<TestPolicy>) => explanationLines(explanation, (policy) => policy.name)

const DOMAIN: TestDomain = {
  roles: {
    readers: ['user.ana'],
    writers: ['user.ben', { memberName: 'user.ana', expiration: PAST }],
    editors: [{ memberName: 'sports:group.desk', systemDisabled: 0 }],
    owners: [{ memberName: '*', systemDisabled: 4 }],
    partners: 'weather',
    guests: ['user.guest'],
    night: [{ memberName: 'sports:group.desk', expiration: PAST }],
  },
  groups: { desk: ['user.a*'], empty: [] },
  rules: [
    'ALLOW guests write sports:table',
    'ALLOW writers read sports:article',
    'ALLOW readers write sports:article',
    'ALLOW owners read sports:table',
    'ALLOW guests read sports:article',
    'ALLOW gone read sports:article',
    'DENY guests read sports:article',
    'ALLOW edit* read sports:table',
  ],
}
const WEATHER: TestDomain = {
  name: 'weather',
  roles: { staff: [{ memberName: 'user.ana', expiration: PAST }] },
  rules: ['ALLOW staff assume_role sports:role.partners'],
}

describe('an explanation', () => {
  const explanation = explained(DOMAIN, {}, WEATHER)

  test('tells the roles that are held and those that have lapsed', () => {
    assert.deepEqual(
      explanation.roles.map(({ role, holding, lapses }) => [
        role,
        holding?.via,
        lapses.map((lapse) => `${lapse.domain} ${lapse.role} ${lapse.entry.memberName} ${lapse.state}`),
      ]),
      [
        ['readers', 'direct', []],
        ['writers', undefined, ['sports writers user.ana expired']],
        ['editors', 'group', []],
        ['owners', undefined, ['sports owners * disabled']],
        ['partners', undefined, ['weather staff user.ana expired']],
        ['night', undefined, ['sports night sports:group.desk expired']],
      ],
    )
  })

  test('tells how every assertion fared, in order', () => {
    assert.deepEqual(
      explanation.assertions.map((step) => [step.misses.join(' '), step.role, step.by?.role]),
      [
        ['action resource role', 'not-held', undefined],
        ['role', 'lapsed', 'writers'],
        ['action', 'held', 'readers'],
        ['resource role', 'lapsed', 'owners'],
        ['role', 'not-held', undefined],
        ['role', 'unknown', undefined],
        ['role', 'not-held', undefined],
        ['resource', 'held', 'editors'],
      ],
    )
  })

  test('names what came nearest: lapsed roles first, then what reads most alike, and no DENY', () => {
    assert.deepEqual(
      explanation.nearestMisses.map((step) => explanation.assertions.indexOf(step)),
      [1, 4, 2, 7, 5],
    )
    assert.equal(explanation.decision.outcome, 'no-match')
  })

  test('reads well', () => {
    assert.deepEqual(textOf(explanation), [
      'user.ana asks to read sports:article (domain sports): not granted, no assertion matches',
      'holds role readers: a member',
      'does not hold role writers: the membership of user.ana expired on 2026-08-01T11:59:59.999Z',
      'holds role editors: through group sports:group.desk',
      'does not hold role owners: the membership of * is disabled',
      'does not hold role partners: the membership of user.ana expired on 2026-08-01T11:59:59.999Z',
      'does not hold role night: the membership of sports:group.desk expired on 2026-08-01T11:59:59.999Z',
      'nearest: policy rules: ALLOW sports:role.writers read sports:article (role writers has lapsed)',
      'nearest: policy rules: ALLOW sports:role.guests read sports:article (a role that is not held)',
      'nearest: policy rules: ALLOW sports:role.readers write sports:article (another action)',
      'nearest: policy rules: ALLOW sports:role.edit* read sports:table (another resource)',
      'nearest: policy rules: ALLOW sports:role.gone read sports:article (there is no such role)',
      'to make it pass: renew the membership of user.ana in role sports:role.writers (policy rules: ALLOW sports:role.writers read sports:article)',
      'to make it pass: create role sports:role.gone with user.ana as member (policy rules: ALLOW sports:role.gone read sports:article)',
      'to make it pass: let role sports:role.readers read sports:article',
      'to make it pass: create a role with user.ana as member, and let it read sports:article',
    ])
  })

  test('of an allowed question names what allowed it', () => {
    const partner = { ...WEATHER, roles: { staff: ['user.*'] } }
    const domain = { roles: { partners: 'weather' }, rules: ['ALLOW part* read *'] }
    const allowed = explained(domain, {}, partner)
    assert.deepEqual(allowed.nearestMisses, [])
    assert.deepEqual(textOf(allowed), [
      'user.ana asks to read sports:article (domain sports): granted by policy rules: ALLOW sports:role.part* read * through role partners',
      'holds role partners: delegated to domain weather, whose role staff assumes it: matches the member user.*',
    ])
  })

  test('of a denied question names the DENY', () => {
    const denied = explained({ roles: { readers: ['user.ana'] }, rules: ['ALLOW readers * *', 'DENY readers read *'] })
    assert.deepEqual(denied.nearestMisses, [])
    assert.equal(
      textOf(denied)[0],
      'user.ana asks to read sports:article (domain sports): denied by policy rules: DENY sports:role.readers read * through role readers',
    )
  })

  const REFUSED: readonly (readonly [asked: Asked, enabled: boolean, text: string, remedy: string | undefined])[] = [
    [{}, false, 'the domain is disabled', undefined],
    [
      { mtlsRestricted: true },
      true,
      'the certificate may only authenticate',
      'use a certificate that may do more than authenticate, and renew the membership of user.ana in role sports:role.writers',
    ],
    [
      { roles: ['weather:role.staff'] },
      true,
      'the credential names a role of another domain',
      'use a credential without roles of other domains, and use a credential that names role sports:role.writers',
    ],
    [
      { roles: [], trustDomain: 'x' },
      true,
      'a credential that names roles cannot be used with a trust domain',
      'ask without a trust domain, and use a credential that names role sports:role.writers',
    ],
  ]
  for (const [asked, enabled, text, remedy] of REFUSED) {
    test(`of a refused question says that ${text}`, () => {
      const refused = explained({ ...DOMAIN, enabled }, asked)
      assert.deepEqual([refused.roles, refused.assertions, refused.nearestMisses], [[], [], []])
      const asks = 'user.ana asks to read sports:article (domain sports)'
      const because = ' (policy rules: ALLOW sports:role.writers read sports:article)'
      const remedies = remedy === undefined ? [] : [`to make it pass: ${remedy}${because}`]
      assert.deepEqual(textOf(refused).slice(0, 2), [`${asks}: denied, ${text}`, ...remedies])
    })
  }

  test('for a credential that names roles tells those', () => {
    const lines = textOf(explained(DOMAIN, { roles: ['sports:role.guests'] }))
    assert.match(
      lines[0] ?? '',
      /denied by policy rules: DENY sports:role.guests read sports:article through role guests$/,
    )
    assert.deepEqual(lines.slice(1), [
      'holds role guests: named by the credential',
      'to make it pass: remove from policy rules: DENY sports:role.guests read sports:article (policy rules: ALLOW sports:role.guests read sports:article)',
    ])
  })

  test('says when there are no roles, and survives times beyond all calendars', () => {
    const never = { memberName: 'user.ana', expiration: -1e300 }
    const [, ...lines] = textOf(explained({ roles: { readers: [never] } }))
    assert.equal(lines[0], 'does not hold role readers: the membership of user.ana expired')
    assert.equal(textOf(explained({}))[1], 'holds no role of the domain')
  })

  test('counts the roles beyond twenty', () => {
    const roles = Object.fromEntries(Array.from({ length: 23 }, (_, index) => [`r${index}`, ['user.ana']]))
    const lines = textOf(explained({ roles }))
    assert.deepEqual(lines.slice(20, 22), ['holds role r19: a member', 'and 3 more roles'])
  })

  test('spells out characters that could forge a line', () => {
    const [line] = textOf(explained({}, { fullName: 'user.\u202eana', resource: 'sports:a\n\u001b[2Jgranted\u2028' }))
    assert.equal(
      line,
      'user.\\u{202e}ana asks to read sports:a\\u{a}\\u{1b}[2Jgranted\\u{2028} (domain sports): not granted, no assertion matches',
    )
  })

  test('asks for every domain it needs, also those the decision does not need', () => {
    const domain = domainOf({ roles: { a: ['user.ana'], b: ['news:group.x'], c: 'weather' }, rules: ['ALLOW a * *'] })
    const question = { principal: { fullName: 'user.ana' }, action: 'read', resource: 'sports:article', now: NOW }
    assert.deepEqual(explain(domain, question, nothingLoaded), { outcome: 'needs', domains: ['news', 'weather'] })
  })
})

describe('what would make a question pass', () => {
  const remediesOf = (domain: TestDomain, asked: Asked = {}, ...others: TestDomain[]): string[] =>
    textOf(explained(domain, asked, ...others)).flatMap((line) => line.split('to make it pass: ')[1] ?? [])
  const reads = ['ALLOW readers read sports:article']
  const byReads = ' (policy rules: ALLOW sports:role.readers read sports:article)'

  const cases: readonly (readonly [why: string, domain: TestDomain, asked: Asked, remedies: readonly string[]])[] = [
    [
      'a role that is not held',
      { roles: { readers: [] }, rules: reads },
      {},
      [
        `add user.ana to role sports:role.readers${byReads}`,
        'create a role with user.ana as member, and let it read sports:article',
      ],
    ],
    [
      'both memberships that have expired, when neither alone is enough',
      {
        roles: { readers: [{ memberName: 'sports:group.desk', expiration: PAST }] },
        groups: { desk: [{ memberName: 'user.ana', expiration: PAST }] },
        rules: reads,
      },
      {},
      [
        `renew the membership of user.ana in group sports:group.desk, and renew the membership of sports:group.desk in role sports:role.readers${byReads}`,
        'create a role with user.ana as member, and let it read sports:article',
      ],
    ],
    [
      'the DENY that applies, and leaving the role it is about',
      { roles: { readers: ['user.ana'], banned: ['user.ana'] }, rules: [...reads, 'DENY banned * *'] },
      {},
      [
        `remove from policy rules: DENY sports:role.banned * *${byReads}`,
        `take user.ana out of role sports:role.banned${byReads}`,
      ],
    ],
    ['nothing that a DENY for everybody forbids', { rules: [...reads, 'DENY * * *'] }, { fullName: 'user.*' }, []],
    [
      'only an assertion, for a name that cannot be a member',
      { roles: { all: ['*'], readers: [] }, rules: reads },
      { fullName: 'user.*' },
      ['let role sports:role.all read sports:article'],
    ],
    ['no assertion with control characters', { roles: { all: ['*'] } }, { resource: 'sports:a\nb' }, []],
  ]
  for (const [why, domain, asked, remedies] of cases) {
    test(`names ${why}`, () => assert.deepEqual(remediesOf(domain, asked), remedies))
  }

  test('names the role of the trusted domain that may assume the one that is missing', () => {
    const domain = { roles: { partners: 'weather' }, rules: ['ALLOW partners read *'] }
    const weather = {
      name: 'weather',
      roles: { relayed: 'sports', staff: [] },
      rules: ['ALLOW relayed assume_role sports:role.partners', 'ALLOW staff assume_role sports:role.*'],
    }
    assert.equal(
      remediesOf(domain, {}, weather)[0],
      'add user.ana to role weather:role.staff (policy rules: ALLOW sports:role.partners read *)',
    )
  })

  test('is no more than five remedies', () => {
    const names = Array.from({ length: 30 }, (_, index) => `r${index}`)
    const roles = Object.fromEntries(names.map((name) => [name, ['user.ben']]))
    assert.equal(remediesOf({ roles, rules: names.map((name) => `ALLOW ${name} read *`) }).length, 5)
  })
})
