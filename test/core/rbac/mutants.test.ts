import assert from 'node:assert/strict'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import * as fc from 'fast-check'
import { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import { evaluate } from '#core/rbac/evaluate.ts'
import { Members } from '#core/rbac/members.ts'
import { PROJECT_FOLDER } from '../../architecture/sources.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { decidesAsModel, type Engine } from './engine-property.ts'

/** A fault that somebody could make: what stands there → what would stand there instead. */
interface Mutant {
  readonly fault: string
  readonly file: string
  readonly original: string
  readonly replacement: string
}

const MUTANTS: readonly Mutant[] = [
  {
    fault: 'a DENY does not win',
    file: 'evaluate.ts',
    original: "if (candidate.denies) return { outcome: 'deny', reason: 'assertion', by }",
    replacement: "if (candidate.denies && allowed === undefined) return { outcome: 'deny', reason: 'assertion', by }",
  },
  {
    fault: 'an assertion after an ALLOW is not looked at',
    file: 'evaluate.ts',
    original: 'if (allowed !== undefined && !candidate.denies) continue',
    replacement: 'if (allowed !== undefined) continue',
  },
  {
    fault: 'a restricted certificate is let in',
    file: 'evaluate.ts',
    original: "return principal.mtlsRestricted ? 'mtls-restricted' : undefined",
    replacement: 'return undefined',
  },
  {
    fault: 'roles of other domains in a credential are overlooked',
    file: 'evaluate.ts',
    original: 'if (principal.roles.some(foreign))',
    replacement: 'if (principal.roles.every(foreign))',
  },
  {
    fault: 'a role that the domain no longer has counts in a credential',
    file: 'evaluate.ts',
    original: 'if (domain.roles.has(local) && !this.#holdings.has(local))',
    replacement: 'if (!this.#holdings.has(local))',
  },
  {
    fault: 'letter case counts in actions',
    file: 'compiled-policies.ts',
    original: 'this.action = assertion.action.toLowerCase()',
    replacement: 'this.action = assertion.action',
  },
  {
    fault: 'letter case does not count in what a role may be assumed for',
    file: 'compiled-policies.ts',
    original: 'if (glob === undefined ? resource === fullName : glob.matches(fullName)) found.push(compiled)',
    replacement:
      'if (glob === undefined ? resource.toLowerCase() === fullName : glob.matches(fullName)) found.push(compiled)',
  },
  {
    fault: 'assertions whose action is a glob are lost where there are many',
    file: 'compiled-policies.ts',
    original: 'if (isGlob(action)) {',
    replacement: "if (action === '*') {",
  },
  {
    fault: 'resources that begin with a wildcard are lost where there are some dozens',
    file: 'pattern-keys.ts',
    original: 'keys.push(keyOf(hash, PREFIX))',
    replacement: 'if (length > 0) keys.push(keyOf(hash, PREFIX))',
  },
  {
    fault: 'a question mark stands for nothing too',
    file: 'glob.ts',
    original: 'if (segments.length === 1) return text.length === first.text.length &&',
    replacement: 'if (segments.length === 1) return text.length <= first.text.length + 1 &&',
  },
  {
    fault: 'the beginning of a wildcard member is not looked at',
    file: 'memberships.ts',
    original: 'if (!this.#principal.startsWith(prefix)) continue',
    replacement: "if (!this.#principal.startsWith('user.')) continue",
  },
  {
    fault: 'an entry that does not count hides the wildcard after it',
    file: 'memberships.ts',
    original:
      "if (direct !== undefined && this.#counts(direct, domain, role, group)) return { via: 'direct', entry: direct }",
    replacement:
      "if (direct !== undefined) return this.#counts(direct, domain, role, group) ? { via: 'direct', entry: direct } : undefined",
  },
  {
    fault: 'a suspended group brings no role',
    file: 'memberships.ts',
    original: "return hasExpired(entry, this.#now) ? 'expired' : 'active'",
    replacement: 'return stateOf(entry, this.#now)',
  },
  {
    fault: 'a role that is delegated and has members is held by delegation',
    file: 'memberships.ts',
    original: "return role.trust !== undefined && role.trust !== '' && role.members.size === 0",
    replacement: "return role.trust !== undefined && role.trust !== ''",
  },
  {
    fault: 'the trust domain of the question is not looked at',
    file: 'memberships.ts',
    original: 'return this.#trustDomain === undefined || this.#trustDomain === name ? this.#domainOf(name) : null',
    replacement: 'return this.#domainOf(name)',
  },
  {
    fault: 'suspended members count',
    file: 'holding.ts',
    original: "if (entry.systemDisabled !== undefined && entry.systemDisabled !== 0) return 'disabled'",
    replacement: '',
  },
  {
    fault: 'a membership counts a moment less',
    file: 'holding.ts',
    original: 'return entry.expiration !== undefined && !(entry.expiration >= now)',
    replacement: 'return entry.expiration !== undefined && !(entry.expiration > now)',
  },
  {
    fault: 'a membership counts a moment longer',
    file: 'holding.ts',
    original: 'return entry.expiration !== undefined && !(entry.expiration >= now)',
    replacement: 'return entry.expiration !== undefined && !(entry.expiration >= now - 1)',
  },
  {
    fault: 'of members only the first wildcard counts',
    file: 'members.ts',
    original: 'this.#wildcards = append(this.#wildcards, { entry, prefix: name.slice(0, -1) })',
    replacement: 'this.#wildcards ??= [{ entry, prefix: name.slice(0, -1) }]',
  },
]

/** More tries than are needed to find any of the faults, by far. */
const RUNS = 200_000

/** A copy of the engine with the fault. */
async function engineWith({ file, original, replacement }: Mutant): Promise<Engine> {
  const folder = temporaryFolder()
  for (const room of ['error', 'names', 'rbac']) {
    await cp(join(PROJECT_FOLDER, 'src/core', room), join(folder, 'core', room), { recursive: true })
  }
  const path = (name: string) => join(folder, 'core/rbac', name)
  const text = await readFile(path(file), 'utf8')
  const places = text.split(original).length - 1
  assert.equal(places, 1, `${file} has "${original}" in ${places} places`)
  await writeFile(
    path(file),
    text.replace(original, () => replacement),
  )
  const load = (name: string) => import(pathToFileURL(path(name)).href) as Promise<Record<string, unknown>>
  const parts = await Promise.all(['evaluate.ts', 'compiled-policies.ts', 'members.ts'].map(load))
  return Object.assign({}, ...parts) as Engine
}

describe('the comparison with the naive model finds an engine in which', () => {
  for (const mutant of MUTANTS) {
    test(mutant.fault, async (context) => {
      const details = fc.check(decidesAsModel(await engineWith(mutant)), { numRuns: RUNS, endOnFailure: true })
      assert.ok(details.failed, `nothing found in ${details.numRuns} tries`)
      context.diagnostic(`found at try ${details.numRuns}`)
    })
  }

  test('nothing is wrong: none', () => {
    const details = fc.check(decidesAsModel({ evaluate, CompiledPolicies, Members }), { numRuns: 5_000 })
    assert.equal(details.failed, false, fc.defaultReportMessage(details) ?? '')
  })
})
