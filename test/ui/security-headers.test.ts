import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSameOrigin } from '#ui/security-headers.ts'

const OWN = 'https://page.example:9443'

describe('isSameOrigin', () => {
  const rows: readonly (readonly [origin: string | undefined, site: string | undefined, same: boolean])[] = [
    [OWN, 'same-origin', true],
    [OWN, undefined, true],
    ['HTTPS://PAGE.example:9443', undefined, true],
    ['null', 'same-origin', true],
    [undefined, 'same-origin', true],
    [undefined, undefined, false],
    ['null', undefined, false],
    ['null', 'cross-site', false],
    [OWN, 'cross-site', false],
    [OWN, 'same-site', false],
    [OWN, 'none', false],
    ['https://page.example', 'same-origin', false],
    ['https://page.example:9443.evil.example', undefined, false],
    ['http://page.example:9443', undefined, false],
    ['', undefined, false],
  ]
  for (const [origin, secFetchSite, same] of rows) {
    it(`${same ? 'takes' : 'refuses'} origin ${origin} from ${secFetchSite}`, () => {
      assert.equal(isSameOrigin({ origin, secFetchSite }, OWN), same)
    })
  }
})
