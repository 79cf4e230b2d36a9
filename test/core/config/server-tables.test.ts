import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Declarations, declarationsOf } from '#core/config/declarations.ts'
import { fieldName } from '#core/config/property.ts'
import { KEY_ALIASES, OBSOLETE_KEYS, type ServerName, tablesOf } from '#core/config/server-tables.ts'

const SERVERS: readonly ServerName[] = ['zms', 'zts', 'ui']

/** The default as text, with the places of the server filled in. */
const defaultText = (declarations: Declarations, key: string): string | undefined => {
  const value = declarations.get(key)?.row.default
  if (typeof value === 'object')
    return value.from((other) => defaultText(declarations, other.replace('{server}', 'zms')))
  return value === undefined ? undefined : String(value).replace(/\{(root|server|hostname)\}/g, 'x')
}

for (const server of SERVERS) {
  const declarations = declarationsOf(server)

  describe(`the tables of ${server}`, () => {
    it('hold every key once', () => {
      const keys = tablesOf(server).flatMap(({ prefix, sections }) =>
        sections.flatMap(([, rows]) => Object.keys(rows).map((key) => prefix + key)),
      )
      assert.deepEqual(
        keys.filter((key, at) => keys.indexOf(key) !== at),
        [],
      )
    })

    it('give every property a name of its own in the configuration object', () => {
      const names = [...declarations.values()].map(({ group, field }) => `${group}.${field}`)
      assert.equal(new Set(names).size, names.length)
    })

    it('have defaults that parse to a value of the kind they are written as', () => {
      const bad: string[] = []
      for (const [key, { row }] of declarations) {
        const text = defaultText(declarations, key)
        const parsed = row.type.safeParse(text)
        const written = row.default
        const same = typeof written === 'number' || typeof written === 'boolean' ? parsed.data === written : true
        if (!parsed.success || !same || (text !== undefined && parsed.data === undefined)) bad.push(key)
      }
      assert.deepEqual(bad, [])
    })

    it('say in one sentence what each property means, and why one has no effect', () => {
      for (const [key, { row }] of declarations) {
        assert.match(row.meaning, /^[A-Z].*[^.]\.$/, key)
        assert.ok(!/\. [A-Z]/.test(row.meaning), key)
        assert.ok(row.meaning.length <= 100, key)
        if (row.supported !== true) assert.match(row.supported, /^[a-zJ].*[^.]$/, key)
      }
    })

    it('point derived defaults at keys that exist', () => {
      for (const { row } of declarations.values()) {
        if (typeof row.default !== 'object') continue
        row.default.from((key) => {
          const named = key.replace('{server}', server)
          assert.ok(declarations.has(named) || named === 'athenz.zts.user_authority_class', named)
          return 'x'
        })
      }
    })
  })
}

describe('aliases and obsolete keys', () => {
  it('do not shadow keys that exist', () => {
    const known = new Set(SERVERS.flatMap((server) => [...declarationsOf(server).keys()]))
    for (const key of [...KEY_ALIASES.keys(), ...OBSOLETE_KEYS.keys()]) assert.ok(!known.has(key), key)
    for (const key of KEY_ALIASES.values()) assert.ok(known.has(key), key)
  })
})

describe('the name in the configuration object', () => {
  const cases: readonly (readonly [key: string, unit: string, name: string])[] = [
    ['domain_name_max_len', '', 'domainNameMaxLen'],
    ['user_token_timeout', 'Seconds', 'userTokenTimeoutSeconds'],
    ['db_health_check_frequency_seconds', 'Seconds', 'dbHealthCheckFrequencySeconds'],
    ['provider.client.max_pool_total', '', 'providerClientMaxPoolTotal'],
    ['http.www-authenticate.multiple-headers', '', 'httpWwwAuthenticateMultipleHeaders'],
    ['reload-configs-seconds', 'Seconds', 'reloadConfigsSeconds'],
    ['x509_ca_cert_fname', '', 'x509CaCertFname'],
    ['keystore_signer.keystore_ca_alias', '', 'keystoreSignerKeystoreCaAlias'],
  ]
  for (const [key, unit, name] of cases) it(`of ${key} is ${name}`, () => assert.equal(fieldName(key, unit), name))
})
