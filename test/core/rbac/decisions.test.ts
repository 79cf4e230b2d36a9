import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { isName } from '#core/names/patterns.ts'
import { isGroupName } from '#core/names/principal-name.ts'
import type { DomainLookup, DomainView } from '#core/rbac/domain-view.ts'
import { domainOfQuestion, evaluate } from '#core/rbac/evaluate.ts'
import { explain } from '#core/rbac/explain.ts'
import { homeDomain } from '#core/rbac/home-domain.ts'
import { isMember, type MemberAnswer, rolesOf } from '#core/rbac/memberships.ts'
import { loadWorld, type Policy, type Question, type TokenQuestion, type World } from './decision-world.ts'

const FOLDER = new URL('../../conformance/decisions/', import.meta.url)
/** Between the recorded expirations, 2019 and 2099. */
const NOW = Date.parse('2026-08-01T00:00:00Z')

type Domains = ReadonlyMap<string, DomainView<Policy>>
type Server = 'zms' | 'zts'

const worlds = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file): World => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')))

test('there are recorded worlds', () => {
  assert.ok(worlds.length > 0)
})

for (const world of worlds) {
  describe(`world ${world.world}`, () => {
    const domains = loadWorld(world)

    for (const server of ['zms', 'zts'] as const) {
      test(`the evaluator answers as ${server} did`, () => {
        const wrong = world.questions
          .map((question) => ({
            ...question,
            got: ask(domains, server, question),
            expected: expected(server, question),
          }))
          .filter(({ got, expected }) => got !== expected)
        assert.deepEqual(wrong, [])
      })
    }

    test('the answers are the same when other domains are loaded on demand', () => {
      const wrong = world.questions.filter(
        (question) => ask(domains, 'zms', question, loadedOnDemand(domains)) !== question.answer,
      )
      assert.deepEqual(wrong, [])
    })

    test('explanations have the decision of the evaluator', () => {
      for (const question of world.questions) {
        const domain = domains.get(domainOfQuestion(question.action, question.resource, question.domain) ?? '')
        if (domain === undefined) continue
        const asked = accessQuestion(question)
        const explanation = explain(domain, asked, (name) => domains.get(name) ?? null)
        assert.ok(explanation.outcome === 'explained')
        assert.deepEqual(
          explanation.decision,
          evaluate(domain, asked, (name) => domains.get(name) ?? null),
        )
      }
    })

    test('tokens carry the roles that the server gave', () => {
      const wrong = world.tokens
        .map((token) => ({ ...token, got: tokenRoles(domains, token) }))
        .filter(({ roles, got }) => String(roles) !== String(got))
      assert.deepEqual(wrong, [])
    })
  })
}

const expected = (server: Server, { answer, zts }: Question) => (server === 'zts' && zts !== undefined ? zts : answer)

const accessQuestion = ({ as, principal = as, action, resource, domain }: Question) => ({
  principal: { fullName: principal.includes('.') ? principal : `user.${principal}` },
  action,
  resource,
  trustDomain: domain,
  now: NOW,
})

/** What the access check of a server answers: its own refusals around the decision of the evaluator. */
function ask(domains: Domains, server: Server, question: Question, lookup?: DomainLookup<Policy>): boolean | number {
  const { action, resource, principal, ext } = question
  if (action === '') return 404
  if (!isName('ActionName', action) || (!ext && !isName('ResourceName', resource))) return 400
  if (principal !== undefined && isGroupName(principal)) return 400
  const asked = accessQuestion(question)
  const name = domainOfQuestion(action, resource, question.domain)
  if (name === undefined) return 404
  const domain = domains.get(name)
  if (domain === undefined) {
    const synthesized = server === 'zms' && principal === undefined && name === asked.principal.fullName
    return synthesized ? evaluate(homeDomain(name, name), asked, () => null).outcome === 'allow' : 404
  }
  if (!domain.enabled) return server === 'zms' ? 403 : 404
  return decide(domain, asked, lookup ?? lookupOf(domains, server))
}

/** A disabled domain is none for ZTS. */
const lookupOf =
  (domains: Domains, server: Server): DomainLookup<Policy> =>
  (name) => {
    const domain = domains.get(name)
    return domain && (domain.enabled || server === 'zms') ? domain : null
  }

/** Asks again with what was needed, until the evaluator decides. */
function decide(
  domain: DomainView<Policy>,
  question: ReturnType<typeof accessQuestion>,
  lookup: DomainLookup<Policy> & { load?: (name: string) => void },
): boolean {
  for (let rounds = 0; rounds < 10; rounds++) {
    const decision = evaluate(domain, question, lookup)
    if (decision.outcome !== 'needs') return decision.outcome === 'allow'
    for (const name of decision.domains) lookup.load?.(name)
  }
  throw new Error('the evaluator does not settle')
}

function loadedOnDemand(domains: Domains): DomainLookup<Policy> & { load: (name: string) => void } {
  const loaded = new Map<string, DomainView<Policy> | null>()
  return Object.assign((name: string) => loaded.get(name), {
    load: (name: string) => void loaded.set(name, domains.get(name) ?? null),
  })
}

/** Role names of a role token: the full names that end with one of the requested texts, as ZTS filters them. */
function tokenRoles(domains: Domains, { as, domain: domainName, role }: TokenQuestion): string[] | number {
  const domain = domains.get(domainName)
  if (domain === undefined || !domain.enabled) return 404
  const requested = role?.toLowerCase().split(',')
  const among = [...domain.roles.keys()].filter(
    (name) => requested?.some((text) => `${domainName}:role.${name}`.endsWith(text)) ?? true,
  )
  const question = { principal: as, now: NOW, rules: 'token' as const }
  const lookup = lookupOf(domains, 'zts')
  const answer = rolesOf(domain, question, lookup, among)
  assert.ok(answer.outcome === 'roles')
  for (const name of among) {
    const member: MemberAnswer<Policy> = isMember(domain, name, question, lookup)
    assert.equal(
      member.outcome === 'member',
      answer.roles.some((held) => held.role === name),
    )
  }
  return answer.roles.length === 0 ? 403 : answer.roles.map((held) => held.role).sort()
}
