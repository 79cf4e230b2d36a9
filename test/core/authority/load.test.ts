import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { builtInAuthorities, unsupportedAuthorities } from '#core/authority/built-in.ts'
import { AuthorityChain } from '#core/authority/chain.ts'
import { loadAuthorities } from '#core/authority/load.ts'
import { ConfigError } from '#core/config/config-error.ts'
import { contextOf, requestOf } from './support.ts'

const PREFIX = 'com.yahoo.athenz.auth.impl.'
const directory = mkdtempSync(join(tmpdir(), 'load-authorities-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** Writes a module into the directory; `body` is the class behind its default export. */
function moduleOf(name: string, body: string): string {
  writeFileSync(join(directory, name), `export default class { ${body} }`)
  return `./${name}`
}
const good = `
  id = 'Auth-SITE'; credentialSource = 'header'; header = 'X-Site'; challenge = 'Site'; allowAuthorization = true
  initialize({ property }) { this.realm = property('site.realm') }
  authenticateHeader(credential) {
    return { domain: this.realm, name: credential, fullName: this.realm + '.' + credential, authority: this, issueTimeSeconds: 0 }
  }`

const load = (classNames: readonly string[], properties: Readonly<Record<string, string>> = {}) =>
  loadAuthorities({ property: 'athenz.zms.authority_classes', classNames, directory }, contextOf(properties))

async function problemsOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const error = await loading.then(
    () => assert.fail('it loads'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ConfigError, String(error))
  return error.problems
}

describe('the list of authorities', () => {
  test('selects ours by the class names of existing configurations, in order', async () => {
    const names = ['RoleAuthority', 'PrincipalAuthority', 'CertificateAuthority', 'TestUserAuthority']
    const { list } = await load(names.map((name) => PREFIX + name))
    assert.deepEqual(
      list.map(({ id }) => id),
      ['Auth-ROLE', 'Auth-NTOKEN', 'Auth-X509', 'Auth-TESTUSER'],
    )
  })

  test('gives the properties to the authorities', async () => {
    const { list } = await load([`${PREFIX}PrincipalAuthority`], { 'athenz.auth.principal.header': 'X-Auth' })
    assert.equal(list[0]?.header, 'X-Auth')
  })

  test('may be empty', async () => assert.deepEqual((await load([])).list, []))

  test('may have a module of the site, which then authenticates', async () => {
    const { list } = await load([moduleOf('site.mjs', good)], { 'site.realm': 'site' })
    const { principal } = await new AuthorityChain(list).authenticate(
      requestOf({ rawHeaders: ['X-Site', 'joe'] }),
      false,
    )
    assert.equal(principal?.fullName, 'site.joe')
  })
})

describe('an authority named by another setting', () => {
  test('is the one with that entry in the list', async () => {
    const site = moduleOf('site.mjs', good)
    const loaded = await load([`${PREFIX}PrincipalAuthority`, site])
    assert.equal(loaded.named('athenz.zms.user_authority_class', site).id, 'Auth-SITE')
    assert.equal(loaded.named('athenz.zms.principal_authority_class', `${PREFIX}PrincipalAuthority`).id, 'Auth-NTOKEN')
  })

  test('must be in the list', async () => {
    const loaded = await load([`${PREFIX}PrincipalAuthority`])
    assert.throws(
      () => loaded.named('athenz.zms.user_authority_class', `${PREFIX}UserAuthority`),
      (error) =>
        error instanceof ConfigError &&
        error.message ===
          `athenz.zms.user_authority_class: "${PREFIX}UserAuthority" is not in athenz.zms.authority_classes (add it there)`,
    )
  })
})

describe('the start fails', () => {
  for (const [className, reason] of unsupportedAuthorities) {
    test(`with a sentence of its own for ${className}`, async () => {
      assert.deepEqual(await problemsOf(load([className])), [`athenz.zms.authority_classes: "${className}" ${reason}`])
      assert.equal(builtInAuthorities.has(className), false)
    })
  }

  const cases: readonly [behaviour: string, className: () => string, problem: RegExp][] = [
    [
      'on an unknown class',
      () => 'com.example.OurAuthority',
      /: "com\.example\.OurAuthority" is neither a known class nor a module /,
    ],
    ['on a module that is not there', () => './none.mjs', /: "\.\/none\.mjs" cannot be loaded: /],
    [
      'on a module that is no authority',
      () => moduleOf('empty.mjs', ''),
      /: "\.\/empty\.mjs" is no authority: it lacks id \(text for the access log\), allowAuthorization \(true or false\), credentialSource \('header', 'certificate' or 'request'\)/,
    ],
    [
      'on a header authority without method and header',
      () => moduleOf('headless.mjs', "id = 'a'; allowAuthorization = true; credentialSource = 'header'"),
      /it lacks method authenticateHeader, header \(its name\)/,
    ],
    [
      'on a certificate authority without method',
      () => moduleOf('certless.mjs', "id = 'a'; allowAuthorization = true; credentialSource = 'certificate'"),
      /it lacks method authenticateCertificate/,
    ],
    [
      'on a switch that is no switch',
      () =>
        moduleOf(
          'vague.mjs',
          "id = 'a'; allowAuthorization = 'no'; credentialSource = 'request'; authenticateRequest() {}",
        ),
      /it lacks allowAuthorization \(true or false\)/,
    ],
    [
      'on an authority that cannot start',
      () =>
        moduleOf(
          'broken.mjs',
          `${good.replace('initialize', 'other')}; async initialize() { throw new Error('no directory server') }`,
        ),
      /^athenz\.zms\.authority_classes: "\.\/broken\.mjs" cannot start: no directory server$/,
    ],
  ]
  for (const [behaviour, className, problem] of cases) {
    test(behaviour, async () => {
      const problems = await problemsOf(load([className()]))
      assert.equal(problems.length, 1)
      assert.match(problems[0] as string, problem)
    })
  }

  test('with every problem at once, and closes what had started', async () => {
    const closing = moduleOf(
      'closing.mjs',
      `${good}; close() { globalThis.closedAuthorities = (globalThis.closedAuthorities ?? 0) + 1 }`,
    )
    const problems = await problemsOf(
      load([closing, `${PREFIX}PrincipalAuthority`, './none.mjs'], {
        'athenz.token_no_expiry': 'maybe',
        'site.realm': 'site',
      }),
    )
    assert.equal(problems.length, 2)
    assert.equal(
      problems[0],
      `athenz.zms.authority_classes: "${PREFIX}PrincipalAuthority" cannot start: ` +
        'athenz.token_no_expiry: "maybe" is neither true nor false',
    )
    assert.match(problems[1] as string, /none\.mjs/)
    assert.equal(Reflect.get(globalThis, 'closedAuthorities'), 1)
  })
})
