import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { isName } from '#core/names/patterns.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import { rolesOf } from '#core/rbac/memberships.ts'
import { Zpe } from '#zpe/zpe.ts'
import { signedPoliciesService } from '#zts/service/signed-policies.ts'
import { loadWorld, type Policy, type Question, type World } from '../core/rbac/decision-world.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import type { DomainJson } from '../support/zts-domains.ts'
import { sentDomain } from '../zts/service/decision-domains.ts'
import { Harness, START_MILLIS, TEST_KEY } from '../zts/service/harness.ts'
import { TokenServer } from '../zts/service/token-parts.ts'

const FOLDER = new URL('../conformance/decisions/', import.meta.url)
const KEY_ID = 'ec0'

/** Who a question is about, and the domain of its resource. */
const subjectOf = ({ as, principal = as, resource }: Question) => ({
  // As authorities have it.
  principal: (principal.includes('.') ? principal : `user.${principal}`).toLowerCase(),
  domain: resource.slice(0, Math.max(resource.indexOf(':'), 0)).toLowerCase(),
})

/**
 * Whether a token that names roles can express the question: one about its own domain, without delegation to another. A
 * pattern with a final `*` crosses lines for clients, but not for servers.
 */
const isExpressible = (question: Question) => {
  const { action, resource, domain, answer, zts = answer } = question
  const isOfToken = action !== '' && domain === undefined && typeof zts === 'boolean'
  // Who has another name than authorities give gets no token.
  return isOfToken && !/[\n\r]/.test(resource) && isName('CompoundName', subjectOf(question).principal)
}

/**
 * The roles that an access check counts for a principal, which may be more than tokens carry: a delegation by a pattern
 * of roles, for example, counts in access checks only.
 */
function countedRoles(domains: ReadonlyMap<string, DomainView<Policy>>, name: string, principal: string): string[] {
  const domain = domains.get(name)
  if (domain === undefined || !domain.enabled) return []
  // A disabled domain is none for ZTS.
  const lookup = (wanted: string) => {
    const found = domains.get(wanted)
    return found?.enabled ? found : null
  }
  const answer = rolesOf(domain, { principal, now: START_MILLIS }, lookup)
  assert.ok(answer.outcome === 'roles')
  return answer.roles.map(({ role }) => role)
}

/** The engine over policy files that the services of ZTS have signed. */
async function engineOver(domains: readonly DomainJson[], form: 'signed' | 'jws'): Promise<Zpe> {
  const root = temporaryFolder()
  const folder = join(root, 'var', 'zpe')
  mkdirSync(folder, { recursive: true })
  mkdirSync(join(root, 'conf', 'athenz'), { recursive: true })
  const keys = [{ id: KEY_ID, key: encodeYBase64(publicKeyPem(TEST_KEY)) }]
  writeFileSync(join(root, 'conf', 'athenz', 'athenz.conf'), JSON.stringify({ ztsPublicKeys: keys }))
  const policies = await Harness.open({ services: [signedPoliciesService], domains })
  for (const { name } of domains) {
    const { status, body } =
      form === 'signed'
        ? await policies.get(`/domain/${name}/signed_policy_data`)
        : await policies.post(`/domain/${name}/policy/signed`, { policyVersions: {}, signatureP1363Format: true })
    if (status === 200) writeFileSync(join(folder, `${name}.pol`), JSON.stringify(body))
  }
  const zpe = await Zpe.open({ root, jwkFile: join(root, 'none'), clock: () => START_MILLIS })
  after(() => zpe.close())
  return zpe
}

/** The text of a token with all roles of the principal in the domain; undefined when there are none. */
async function tokenOf(zts: TokenServer, kind: 'role token' | 'access token', principal: string, domain: string) {
  const { status, body } =
    kind === 'role token'
      ? await zts.harness.get(`/domain/${domain}/token`, { as: principal })
      : await zts.ask({ scope: `${domain}:domain` }, { as: principal })
  if (status !== 200) return undefined
  return String(kind === 'role token' ? body.token : body.access_token)
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
  const world = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as World
  const views = loadWorld(world)
  const domains = [...views.values()].map(sentDomain)

  describe(`world ${world.world}`, () => {
    for (const [kind, form] of [
      ['role token', 'signed'],
      ['access token', 'jws'],
    ] as const) {
      test(`the engine decides by ${kind}s and policy files (${form}) as the server did`, async () => {
        const zts = await TokenServer.open({ domains })
        const zpe = await engineOver(domains, form)
        const tokens = new Map<string, string | undefined>()
        const wrong: object[] = []
        const outcomes = { granted: 0, refused: 0, withoutToken: 0, missingRole: 0 }
        for (const question of world.questions.filter(isExpressible)) {
          const { principal, domain } = subjectOf(question)
          const { action, resource, answer, zts: expected = answer } = question
          const key = `${principal} ${domain}`
          if (!tokens.has(key)) tokens.set(key, await tokenOf(zts, kind, principal, domain))
          const token = tokens.get(key)
          const check = token === undefined ? undefined : await zpe.allowAccess(token, resource, action)
          // Who has no role gets no token, and nothing is granted.
          const granted = check?.granted ?? false
          if (granted === expected) outcomes[check === undefined ? 'withoutToken' : granted ? 'granted' : 'refused']++
          else {
            const roles = countedRoles(views, domain, principal)
            if (zpe.allowAction(action, domain, resource, roles).granted === expected) outcomes.missingRole++
            else wrong.push({ ...question, check, token, roles })
          }
        }
        assert.deepEqual(wrong, [])
        const { granted, refused, missingRole } = outcomes
        assert.ok(granted > 50 && refused > 50 && missingRole < 30, JSON.stringify(outcomes))
      })
    }
  })
}
