import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { accessService } from '#zts/service/access.ts'
import { loadWorld, type Question, type TokenQuestion, type World } from '../../core/rbac/decision-world.ts'
import { sentDomain } from './decision-domains.ts'
import { Harness } from './harness.ts'

const FOLDER = new URL('../../conformance/decisions/', import.meta.url)

/** What ZTS answers to a question of a world. */
async function ask(zts: Harness, { as, action, resource, ext, principal, domain }: Question) {
  const query = new URLSearchParams({
    ...(ext && { resource }),
    ...(principal !== undefined && { principal }),
    ...(domain !== undefined && { domain }),
  })
  const path = `/access/${encodeURIComponent(action)}${ext ? '' : `/${encodeURIComponent(resource)}`}`
  const { status, body } = await zts.get(`${path}?${query.toString()}`, { as })
  return status === 200 ? body.granted : status
}

/** The roles of a role token, sorted; the status without any. */
function tokenRoles(
  { domains, parts }: Harness,
  { as, domain: name, role }: TokenQuestion,
): readonly string[] | number {
  const domain = domains.get(name)
  if (domain === undefined) return 404
  const requested = role === undefined ? undefined : { names: role.toLowerCase().split(','), match: 'loose' as const }
  const roles = parts.roleAccess.rolesOf(domain, as, requested)
  return roles.length > 0 ? roles.toSorted() : 403
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
  const world = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as World
  const open = () =>
    Harness.open({ services: [accessService], domains: [...loadWorld(world).values()].map(sentDomain) })

  describe(`world ${world.world}`, () => {
    test('access checks are answered as by the original', async () => {
      const zts = await open()
      const wrong: object[] = []
      for (const question of world.questions) {
        // An empty segment of a path is refused before the operation sees it.
        if (question.action === '') continue
        const expected = question.zts ?? question.answer
        const got: unknown = await ask(zts, question)
        if (got !== expected) wrong.push({ ...question, got })
      }
      assert.deepEqual(wrong, [])
    })

    test('role tokens carry the roles that the original gave', async () => {
      const zts = await open()
      const wrong = world.tokens
        .map((question) => ({ ...question, got: tokenRoles(zts, question) }))
        .filter(({ roles, got }) => String(roles) !== String(got))
      assert.deepEqual(wrong, [])
    })
  })
}
