import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DomainView } from '#core/rbac/domain-view.ts'
import { evaluate } from '#core/rbac/evaluate.ts'
import { Members } from '#core/rbac/members.ts'
import { isMember } from '#core/rbac/memberships.ts'
import { domainOf, lookupOf, NOW, type TestPolicy } from './fixtures.ts'

const ASSERTIONS = 1_000
const LIMIT_MILLIS = 5

/** Shapes that make a backtracking matcher take exponential or quadratic time; all different, none matches. */
const HOSTILE: Readonly<Record<string, (i: number) => string>> = {
  'stars and letters': (i) => `*a*a*a*a*a*${'a*'.repeat(i % 40)}b${i}`,
  'stars and letters that end as the text does': (i) => `*a*a*a*a*a*b${i}*a`,
  'stars and jokers': (i) => `*a?*a?*a?*a?*b${i}*a`,
  'a long stretch': (i) => `*${'a'.repeat(60 + (i % 60))}b*a`,
  'a long stretch with jokers': (i) => `*${'a?'.repeat(10 + (i % 20))}b*a`,
}

const TEXT = 'a'.repeat(120)

function decide(domain: DomainView<TestPolicy>, ...others: DomainView<TestPolicy>[]): string {
  const question = { principal: { fullName: 'user.ana' }, action: TEXT, resource: `sports:${TEXT}`, now: NOW }
  return evaluate(domain, question, lookupOf(...others)).outcome
}

/** Best of some runs, so that a busy machine does not count. */
function bestMillis(job: () => void): number {
  const runs = Array.from({ length: 10 }, () => {
    const start = performance.now()
    job()
    return performance.now() - start
  })
  return Math.min(...runs)
}

const rules = (rule: (i: number) => string): string[] => Array.from({ length: ASSERTIONS }, (_, i) => rule(i))

/** Roles with long names, some of them held. */
const ROLES = Object.fromEntries(
  Array.from({ length: 20 }, (_, i) => ['a'.repeat(60 + i), [i % 6 === 0 ? 'user.ana' : 'user.ben']]),
)

describe(`a decision over ${ASSERTIONS} hostile globs takes less than ${LIMIT_MILLIS} ms`, () => {
  for (const [shape, pattern] of Object.entries(HOSTILE)) {
    test(`${shape}, in actions`, () => {
      const domain = domainOf({ roles: ROLES, rules: rules((i) => `DENY * ${pattern(i)} *`) })
      assert.equal(decide(domain), 'no-match')
      assert.ok(bestMillis(() => decide(domain)) < LIMIT_MILLIS)
    })

    test(`${shape}, in resources`, () => {
      const domain = domainOf({ roles: ROLES, rules: rules((i) => `DENY * * sports:${pattern(i)}`) })
      assert.equal(decide(domain), 'no-match')
      assert.ok(bestMillis(() => decide(domain)) < LIMIT_MILLIS)
    })

    test(`${shape}, in roles`, () => {
      const domain = domainOf({ roles: ROLES, rules: rules((i) => `DENY ${pattern(i)} * *`) })
      assert.equal(decide(domain), 'no-match')
      assert.ok(bestMillis(() => decide(domain)) < LIMIT_MILLIS)
    })

    test(`${shape}, in what may be assumed`, () => {
      const domain = domainOf({ roles: { [TEXT]: 'weather' }, rules: ['ALLOW * * *'] })
      const weather = domainOf({
        name: 'weather',
        roles: ROLES,
        rules: rules((i) => `ALLOW ${pattern(i)} assume_role sports:role.${pattern(i)}`),
      })
      assert.equal(decide(domain, weather), 'no-match')
      assert.ok(bestMillis(() => decide(domain, weather)) < LIMIT_MILLIS)
    })
  }
})

const withMembers = (size: number): DomainView => {
  const members = new Members(Array.from({ length: size }, (_, i) => ({ memberName: `user.u${i}` })))
  return { ...domainOf({}), roles: new Map([['readers', { members }]]) }
}

const findMany = (domain: DomainView, principal: string) => () => {
  for (let i = 0; i < 1_000; i++) isMember(domain, 'readers', { principal, now: NOW }, () => null)
}

const withResources = (count: number, end: string) =>
  domainOf({
    roles: { readers: ['user.ana'] },
    rules: Array.from({ length: count }, (_, i) => `ALLOW readers read sports:article.${i}${end}`),
  })

const askMany = (domain: DomainView<TestPolicy>, end: string) => () => {
  for (let i = 0; i < 1_000; i++) {
    const resource = `sports:article.${i % 100}${end}`
    const question = { principal: { fullName: 'user.ana' }, action: 'read', resource, now: NOW }
    assert.ok(evaluate(domain, question, () => null).outcome === 'allow')
  }
}

describe('cost does not grow with what a question does not touch', () => {
  for (const principal of ['user.u99', 'user.nobody']) {
    test(`${principal} is looked for among 100,000 members as fast as among 100`, () => {
      const [few, many] = [withMembers(100), withMembers(100_000)]
      assert.ok(bestMillis(findMany(many, principal)) < 10 * bestMillis(findMany(few, principal)))
    })
  }

  test('one of 10,000 names of resources is found as fast as one of 100', () => {
    const [few, many] = [withResources(100, ''), withResources(10_000, '')]
    assert.ok(bestMillis(askMany(many, '')) < 10 * bestMillis(askMany(few, '')))
  })

  test('one of 10,000 prefixes of resources is found as fast as one of 100', () => {
    const [few, many] = [withResources(100, '.*'), withResources(10_000, '.*')]
    assert.ok(bestMillis(askMany(many, '.text')) < 10 * bestMillis(askMany(few, '.text')))
  })
})
