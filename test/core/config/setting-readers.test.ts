import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Declaration, declarationsOf } from '#core/config/declarations.ts'
import type { ServerName } from '#core/config/server-tables.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** The sources without comments, in which a setting may be mentioned although nobody reads it, by path. */
const sources: ReadonlyMap<string, string> = new Map(
  globSync('src/**/*.ts', { cwd: ROOT })
    .filter((file) => !/^src\/core\/config\/.*-properties\.ts$/.test(file))
    .map((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8')
      return [file, text.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*/g, '')]
    }),
)
const everything = [...sources.values()].join('\n')

/** Beginnings of keys, and the source that puts the rest of a key behind one when it reads it. */
const PREFIXES: readonly (readonly [prefix: string, file: string])[] = [
  ['athenz.auth.private_key_store.', 'src/core/crypto/file-private-key-store.ts'],
  ['athenz.auth.certificate.', 'src/core/authority/certificate-rules.ts'],
  ['athenz.auth.oidc.', 'src/core/authority/oidc-authority.ts'],
  ['athenz.auth.oauth.jwt.', 'src/core/authority/oauth-access-token-authority.ts'],
  ['athenz.auth.oauth.jwt.cert.', 'src/core/authority/certificate-rules.ts'],
  ['athenz.auth.kerberos.', 'src/core/authority/kerberos-authority.ts'],
  ['athenz.ts.vault_', 'src/core/crypto/vault-private-key-store.ts'],
  ['athenz.aws.zms.', 'src/core/crypto/aws-private-key-store.ts'],
  ['athenz.aws.zts.', 'src/core/crypto/aws-private-key-store.ts'],
]

/** Whether a source names the rest of a key as a text, or its beginning when `_id` is put behind that. */
const isReadBehindPrefix = (key: string) =>
  PREFIXES.some(([prefix, file]) => {
    if (!key.startsWith(prefix)) return false
    const rest = key.slice(prefix.length)
    const text = sources.get(file) ?? ''
    const named = (name: string) => new RegExp(`['.}]${name}['\`]`).test(text)
    return named(rest) || (rest.endsWith('_id') && text.includes('_id`') && named(rest.slice(0, -'_id'.length)))
  })

/** Settings that there are once for each kind of records, read by a name with the kind in it. */
const isReadByKind = (field: string) => {
  const rest = /^(?:cert|ssh|workload)([A-Z]\w*)$/.exec(field)?.[1]
  return rest !== undefined && everything.includes(`\`\${kind}${rest}\``)
}

/** The file that has the properties is named by one. */
const namesFile = (key: string) =>
  /^athenz\.(?:zms|zts|ui)\.prop_file$/.test(key) && everything.includes('`athenz.${options.server}.prop_file`')

/** Whether some source takes the setting out of the configuration object, or asks for its text. */
function isRead(key: string, { group, field }: Declaration): boolean {
  if (everything.includes(`'${key}'`) || namesFile(key) || isReadBehindPrefix(key) || isReadByKind(field)) return true
  const owner = group === '' ? 'config' : group
  if (new RegExp(`\\b${owner}\\??\\.${field}\\b`).test(everything)) return true
  // A name of several words is not used for anything else; one of a single word must come out of its group.
  if (/[A-Z]/.test(field)) return new RegExp(`\\b${field}\\b`).test(everything)
  return new RegExp(`\\{[^{}]*\\b${field}\\b[^{}]*\\}\\s*=\\s*[\\w.]*\\b${owner}\\b`).test(everything)
}

describe('a setting that counts as supported', () => {
  for (const server of ['zms', 'zts', 'ui'] satisfies ServerName[]) {
    it(`is read by something in ${server}`, () => {
      const unread = [...declarationsOf(server)]
        .filter(([key, declaration]) => declaration.row.supported === true && !isRead(key, declaration))
        .map(([key]) => key)
      assert.deepEqual(unread, [])
    })
  }
})
