import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { declarationsOf, keyWarning } from '#core/config/declarations.ts'
import { KEY_ALIASES, KEY_FAMILIES, type ServerName } from '#core/config/server-tables.ts'
import { ORIGINAL_PROPERTIES } from './original-properties.ts'
import { renderUnsupported, writtenUnsupported } from './unsupported-list.ts'

for (const server of ['zms', 'zts'] satisfies ServerName[]) {
  describe(`the properties of the original's ${server}`, () => {
    const declarations = declarationsOf(server)

    it('are all known', () => {
      const keys = ORIGINAL_PROPERTIES[server].filter((key) => !KEY_ALIASES.has(key))
      const unknown = keys.filter((key) => keyWarning(server, declarations, key, 'x')?.startsWith('is not '))
      assert.deepEqual(unknown, [])
    })

    it('have an effect, or a reason why they have none', () => {
      for (const key of ORIGINAL_PROPERTIES[server]) {
        const declared = declarations.get(key)
        const family = KEY_FAMILIES.find(({ prefix }) => key.startsWith(prefix))
        const supported = declared?.row.supported ?? family?.supported
        const warning = keyWarning(server, declarations, key, 'a value that is no default')
        if (supported === true) assert.equal(warning, undefined, key)
        else if (!KEY_ALIASES.has(key)) assert.match(warning ?? '', /^has no effect\b.* \w/, key)
      }
    })

    it('are listed once', () => {
      const keys = ORIGINAL_PROPERTIES[server]
      assert.equal(new Set(keys).size, keys.length)
    })
  })
}

describe('README.md', () => {
  it('lists what has no effect (bin/run test/core/config/unsupported-list.ts writes it)', () => {
    assert.equal(writtenUnsupported(), renderUnsupported())
  })
})
