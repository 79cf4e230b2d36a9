import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import { evaluate } from '#core/rbac/evaluate.ts'
import { type MemberEntry, Members } from '#core/rbac/members.ts'
import { RolePolicies } from '#core/rbac/role-policies.ts'

/**
 * Decisions per second of the RBAC engine on one core, in memory: each question asks for another assertion of the
 * domain and is granted. `local` decides by the roles of a token, as a policy engine beside an application does.
 * Ends with the memory that members take.
 */

const ROLES = 10
const RUN_MILLIS = 250
const ROUNDS = 3
const NOW = Date.now()

const KINDS: Readonly<Record<string, (i: number) => string>> = {
  exact: (i) => `sports:article.${i}`,
  prefix: (i) => `sports:article.${i}.*`,
  inner: (i) => `sports:article.${i}.*.text`,
  leading: (i) => `*:article.${i}.news.text`,
}

function domainOf(count: number, resource: (i: number) => string): DomainView {
  const assertions = Array.from({ length: count }, (_, i) => ({
    role: `sports:role.r${i % ROLES}`,
    action: 'read',
    resource: resource(i),
  }))
  const roles = Array.from({ length: ROLES }, (_, i) => {
    const members = new Members(['user.a', 'user.b', `user.m${i}`].map((memberName) => ({ memberName })))
    return [`r${i}`, { members }] as const
  })
  const policies = new CompiledPolicies('sports', [{ assertions }])
  return { name: 'sports', enabled: true, roles: new Map(roles), groups: new Map(), policies }
}

/** Best rate of some rounds. */
function perSecond(ask: (i: number) => boolean): number {
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    let asked = 0
    const start = performance.now()
    let millis = 0
    while (millis < RUN_MILLIS) {
      for (let i = 0; i < 100; i++, asked++) if (!ask(asked)) throw new Error('not granted')
      millis = performance.now() - start
    }
    best = Math.max(best, (asked / millis) * 1000)
  }
  return best
}

const rate = (value: number) => Math.round(value).toLocaleString('en').padStart(10)

for (const [kind, resource] of Object.entries(KINDS)) {
  for (const count of [10, 1_000, 10_000]) {
    const domain = domainOf(count, resource)
    const resources = Array.from({ length: count }, (_, i) => resource(i).replace('*:', 'sports:').replace('*', 'news'))
    const principals = Array.from({ length: ROLES }, (_, i) => ({ fullName: `user.m${i}`, roles: [`r${i}`] }))
    const access = perSecond((i) => {
      const asked = i % count
      const fullName = principals[asked % ROLES]?.fullName ?? ''
      const question = { principal: { fullName }, action: 'read', resource: resources[asked] ?? '', now: NOW }
      return evaluate(domain, question, () => null).outcome === 'allow'
    })
    const assertions = domain.policies.assertions.map(({ assertion: { role, ...each } }) => ({
      ...each,
      role: role.slice('sports:role.'.length),
    }))
    const policies = new RolePolicies(assertions)
    const plans = principals.map(({ roles }) => policies.plan(roles))
    const local = perSecond((i) => {
      const asked = i % count
      const plan = plans[asked % ROLES]
      return plan !== undefined && policies.decide(plan, 'read', resources[asked] ?? '') !== undefined
    })
    const name = `${kind.padEnd(8)} ${String(count).padStart(6)} assertions`
    console.log(`${name}  access ${rate(access)}/s  local ${rate(local)}/s`)
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
/** Keeps what is measured alive. */
const kept: Members[][] = []
for (const size of [1, 5]) {
  const entries = Array.from({ length: size }, (_, i): MemberEntry => ({ memberName: `user.u${i}` }))
  kept.push([new Members(entries)])
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const roles = Array.from({ length: 20_000 }, () => new Members(entries))
  kept.push(roles)
  collectGarbage()
  const bytes = (process.memoryUsage().heapUsed - before) / roles.length
  console.log(`the members of a role of ${size} take ${Math.round(bytes)} bytes beside the entries`)
}
