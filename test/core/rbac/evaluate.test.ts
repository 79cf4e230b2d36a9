import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AccessQuestion, type Decision, domainOfQuestion, evaluate } from '#core/rbac/evaluate.ts'
import { homeDomain } from '#core/rbac/home-domain.ts'
import { domainOf, FUTURE, lookupOf, NOW, nothingLoaded, PAST, type TestDomain, type TestPolicy } from './fixtures.ts'

type Asked = Partial<Omit<AccessQuestion, 'principal'>> & Partial<AccessQuestion['principal']>

/** By default: may user.ana read sports:article? */
function ask(domain: TestDomain, asked: Asked = {}, others: readonly TestDomain[] = []): Decision<TestPolicy> {
  const { fullName = 'user.ana', roles, mtlsRestricted, action = 'read', resource = 'sports:article', ...rest } = asked
  const principal = { fullName, roles, mtlsRestricted }
  return evaluate(
    domainOf(domain),
    { principal, action, resource, now: NOW, ...rest },
    lookupOf(...others.map(domainOf)),
  )
}

const READERS = { roles: { readers: ['user.ana'] }, rules: ['ALLOW readers read sports:article'] }

describe('a decision', () => {
  test('names the assertion, its policy, the role and the member that made it', () => {
    const entry = { memberName: 'user.ana', expiration: FUTURE }
    const decision = ask({ ...READERS, roles: { readers: ['user.ben', entry] } })
    assert.ok(decision.outcome === 'allow')
    const { policy, assertion, role, holding } = decision.by
    assert.equal(policy.name, 'rules')
    assert.equal(assertion, policy.assertions[0])
    assert.equal(role, 'readers')
    assert.deepEqual(holding, { via: 'direct', entry })
  })

  const OUTCOMES: readonly (readonly [behaviour: string, rules: readonly string[], outcome: string])[] = [
    ['is not granted without assertions', [], 'no-match'],
    ['is not granted when the action differs', ['ALLOW readers write sports:article'], 'no-match'],
    ['is not granted when the resource differs', ['ALLOW readers read sports:articles'], 'no-match'],
    ['is not granted when the role is not held', ['ALLOW writers read sports:article'], 'no-match'],
    ['is not granted through a role that is not there', ['ALLOW gone read sports:article'], 'no-match'],
    ['is granted by globs', ['ALLOW read* r??d sports:*'], 'allow'],
    ['is granted in any letter case', ['ALLOW readers READ Sports:Article'], 'allow'],
    ['is denied by a DENY alone', ['DENY readers read sports:article'], 'deny'],
    ['is denied by a DENY after an ALLOW', ['ALLOW readers * *', 'DENY readers read sports:article'], 'deny'],
    ['is denied by a DENY before an ALLOW', ['DENY * * *', 'ALLOW readers read sports:article'], 'deny'],
    ['is not denied by a DENY for others', ['ALLOW readers * *', 'DENY writers * *'], 'allow'],
    ['is not denied by a DENY of another action', ['ALLOW readers * *', 'DENY readers write *'], 'allow'],
    ['is not denied by a DENY on another resource', ['ALLOW readers * *', 'DENY readers * sports:table'], 'allow'],
  ]
  for (const [behaviour, rules, outcome] of OUTCOMES) {
    const domain = { roles: { readers: ['user.ana'], writers: ['user.ben'] }, rules }
    test(behaviour, () => assert.equal(ask(domain).outcome, outcome))
    test(`${behaviour}, among many assertions`, () => {
      const more = Array.from({ length: 30 }, (_, i) => `DENY readers none.${i} sports:none.${i}*`)
      assert.equal(ask({ ...domain, rules: [...more, ...rules, ...more] }).outcome, outcome)
    })
  }

  test('folds the letter case of action, resource and principal', () => {
    const asked = { fullName: 'USER.Ana', action: 'READ', resource: 'SPORTS:Article' }
    assert.equal(ask(READERS, asked).outcome, 'allow')
  })

  test('is denied with the deciding assertion and reason', () => {
    const decision = ask({ roles: READERS.roles, rules: ['ALLOW readers * *', 'DENY readers read *'] })
    assert.ok(decision.outcome === 'deny' && decision.reason === 'assertion')
    assert.equal(decision.by.assertion, decision.by.policy.assertions[1])
  })

  test('names the first of several assertions that allow', () => {
    const rules = ['ALLOW readers write *', 'ALLOW r* read *', 'ALLOW readers read sports:article']
    const decision = ask({ roles: READERS.roles, rules })
    assert.ok(decision.outcome === 'allow')
    assert.equal(decision.by.assertion, decision.by.policy.assertions[1])
  })

  test('by a disabled domain is a denial', () => {
    assert.deepEqual(ask({ ...READERS, enabled: false }), { outcome: 'deny', reason: 'domain-disabled' })
  })

  test('about a restricted certificate is a denial', () => {
    assert.deepEqual(ask(READERS, { mtlsRestricted: true }), { outcome: 'deny', reason: 'mtls-restricted' })
  })

  test('keeps the trust domain to delegated roles', () => {
    assert.equal(ask(READERS, { trustDomain: 'weather' }).outcome, 'allow')
  })
})

describe('a principal that carries roles', () => {
  const domain = { roles: { readers: ['user.ben'], writers: ['user.ana'] }, rules: READERS.rules }

  test('holds those by full name, and no others', () => {
    const decision = ask(domain, { roles: ['sports:role.editors', 'sports:role.readers'] })
    assert.ok(decision.outcome === 'allow')
    assert.equal(decision.by.role, 'readers')
    assert.deepEqual(decision.by.holding, { via: 'credential', role: 'sports:role.readers' })
    assert.equal(ask(domain, { fullName: 'user.ben', roles: ['sports:role.writers'] }).outcome, 'no-match')
    assert.equal(ask(domain, { fullName: 'user.ben', roles: [] }).outcome, 'no-match')
  })

  test('holds those by local name if it is the domain itself', () => {
    assert.equal(ask(domain, { fullName: 'sports', roles: ['readers'] }).outcome, 'allow')
    assert.deepEqual(ask(domain, { fullName: 'user.ana', roles: ['readers'] }), {
      outcome: 'deny',
      reason: 'role-of-other-domain',
    })
  })

  test('holds them for role globs too', () => {
    const rules = ['ALLOW *:role.read?rs read *']
    const decision = ask({ ...domain, rules: ['ALLOW *er? read *'] }, { roles: ['sports:role.readers'] })
    assert.equal(decision.outcome, 'allow')
    assert.equal(ask({ ...domain, rules }, { roles: ['sports:role.writers'] }).outcome, 'no-match')
  })

  test('does not hold a role that the domain no longer has', () => {
    assert.equal(ask({ rules: ['ALLOW * * *'] }, { roles: ['sports:role.readers'] }).outcome, 'no-match')
  })

  test('is denied with any role of another domain', () => {
    for (const role of ['weather:role.readers', 'sports.api:role.readers', 'sport:role.readers', ':role.readers']) {
      const decision = ask(domain, { fullName: 'sports', roles: ['sports:role.readers', role] })
      assert.deepEqual(decision, { outcome: 'deny', reason: 'role-of-other-domain' }, role)
    }
  })

  test('is denied with a trust domain', () => {
    const decision = ask(domain, { roles: ['sports:role.readers'], trustDomain: 'sports' })
    assert.deepEqual(decision, { outcome: 'deny', reason: 'trust-domain-with-roles' })
  })

  test('is denied with a restricted certificate', () => {
    const decision = ask(domain, { roles: ['sports:role.readers'], mtlsRestricted: true })
    assert.deepEqual(decision, { outcome: 'deny', reason: 'mtls-restricted' })
  })
})

const askedUnloaded = (rules: readonly string[]) => {
  const roles = {
    readers: ['user.ana'],
    viaGroups: ['weather:group.a', 'news:group.b', { memberName: 'old:group.c', expiration: PAST }],
    viaTrust: 'traffic',
    others: ['user.ben'],
  }
  const question = { principal: { fullName: 'user.ana' }, action: 'read', resource: 'sports:article', now: NOW }
  return evaluate(domainOf({ roles, rules }), question, nothingLoaded)
}

describe('a decision that hangs on other domains', () => {
  const NEEDS: readonly (readonly [behaviour: string, rules: readonly string[], answer: string[] | string])[] = [
    ['asks for all domains at once', ['ALLOW viaGroups read *', 'ALLOW viaTrust * *'], ['weather', 'news', 'traffic']],
    ['asks for each domain once', ['ALLOW viaGroups read *', 'ALLOW via* * *'], ['weather', 'news', 'traffic']],
    ['asks only for what assertions select', ['ALLOW viaTrust read *', 'ALLOW viaGroups write *'], ['traffic']],
    ['asks only for what role globs select', ['ALLOW *Trust read *'], ['traffic']],
    ['does not ask when it is allowed anyway', ['ALLOW viaGroups read *', 'ALLOW readers read *'], 'allow'],
    ['does not ask when it is denied anyway', ['DENY viaGroups read *', 'DENY readers read *'], 'deny'],
    ['asks when a DENY hangs on it', ['ALLOW readers * *', 'DENY viaTrust * *'], ['traffic']],
    [
      'asks for the DENY alone when it is allowed',
      ['ALLOW readers * *', 'ALLOW viaGroups * *', 'DENY viaTrust * *'],
      ['traffic'],
    ],
    [
      'asks for both while nothing is known',
      ['ALLOW viaTrust * *', 'DENY viaGroups * *'],
      ['weather', 'news', 'traffic'],
    ],
    ['does not ask for roles that are not concerned', ['ALLOW others * *', 'ALLOW viaTrust * sports:b'], 'no-match'],
  ]
  for (const [behaviour, rules, answer] of NEEDS) {
    test(behaviour, () => {
      const decision = askedUnloaded(rules)
      assert.deepEqual(decision.outcome === 'needs' ? decision.domains : decision.outcome, answer)
    })
  }

  test('counts a domain that does not exist as known', () => {
    const roles = { viaGroups: ['weather:group.a'], viaTrust: 'traffic' }
    assert.equal(ask({ roles, rules: ['ALLOW * * *'] }).outcome, 'no-match')
  })

  test('asks again for what it finds out later', () => {
    const domain = domainOf({ roles: { viaTrust: 'traffic' }, rules: ['ALLOW viaTrust * *'] })
    const traffic = domainOf({
      name: 'traffic',
      roles: { jam: ['weather:group.a', 'sports:group.own'] },
      rules: ['ALLOW jam assume_role sports:role.viaTrust'],
    })
    const question = { principal: { fullName: 'user.ana' }, action: 'read', resource: 'sports:article', now: NOW }
    const decision = evaluate(domain, question, (name) => (name === 'traffic' ? traffic : undefined))
    // Not the domain of the question itself, which the caller has handed over.
    assert.deepEqual(decision, { outcome: 'needs', domains: ['weather'] })
  })
})

describe('the domain of a question', () => {
  const DOMAINS: readonly (readonly [args: Parameters<typeof domainOfQuestion>, domain: string | undefined])[] = [
    [['read', 'Sports.API:article'], 'sports.api'],
    [['read', 'sports:a:b'], 'sports'],
    [['read', 'sports:', 'weather'], 'sports'],
    [['assume_role', 'sports:role.x'], 'sports'],
    [['Assume_Role', 'sports:role.x', 'Weather'], 'weather'],
    [['assume_role', 'nothing', 'weather'], 'weather'],
    [['read', 'sports'], undefined],
    [['read', ''], undefined],
    [['read', ':article'], undefined],
  ]
  for (const [args, domain] of DOMAINS) {
    test(`${args.join(' ')} is ${domain}`, () => assert.equal(domainOfQuestion(...args), domain))
  }
})

const mayAtHome = (fullName: string, action: string, resource: string) => {
  const question = { principal: { fullName }, action, resource, now: NOW }
  return evaluate(homeDomain('home.ana', 'user.ana'), question, nothingLoaded).outcome
}

describe('a home domain that nobody has created', () => {
  test('belongs to its user alone', () => {
    assert.equal(mayAtHome('user.ana', 'create', 'home.ana:domain'), 'allow')
    assert.equal(mayAtHome('user.ben', 'create', 'home.ana:domain'), 'no-match')
    assert.equal(mayAtHome('user.ana', 'create', 'home.ben:domain'), 'no-match')
  })
})
