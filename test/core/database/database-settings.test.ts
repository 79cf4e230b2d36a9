import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseJdbcUrl } from '#core/config/jdbc-url.ts'
import { type DatabaseAccess, databaseSettings } from '#core/database/database-settings.ts'

describe('the encryption of a database connection', () => {
  const versions = ['TLSv1.3']
  const newest = ['TLSv1.2', 'TLSv1.3']
  const cases: readonly (readonly [what: string, property: DatabaseAccess['tls'], mode: string, expected: unknown])[] =
    [
      ['is off by default', false, '', undefined],
      ['is what the properties demand', { verifyServer: true, versions }, '', { verifyServer: true, versions }],
      ['is what the address demands', false, '?sslMode=REQUIRED', { verifyServer: false, versions: newest }],
      ['is verified as the address demands', false, '?sslMode=VERIFY_CA', { verifyServer: true, versions: newest }],
      [
        'is verified when only the address demands that',
        { verifyServer: false, versions },
        '?sslMode=VERIFY_IDENTITY',
        { verifyServer: true, versions },
      ],
      [
        'stays verified when the address demands less',
        { verifyServer: true, versions },
        '?sslMode=REQUIRED',
        { verifyServer: true, versions },
      ],
      [
        'stays on when the address switches it off',
        { verifyServer: false, versions },
        '?sslMode=DISABLED',
        { verifyServer: false, versions },
      ],
    ]
  for (const [what, tls, mode, expected] of cases) {
    test(what, () => {
      const parsed = parseJdbcUrl(`jdbc:mysql://db/zms${mode}`)
      assert.ok(parsed.ok)
      const access = { user: 'zms', password: undefined, tls, statementTimeoutMillis: 1 }
      assert.deepEqual(databaseSettings(parsed.url, access).tls, expected)
    })
  }
})
