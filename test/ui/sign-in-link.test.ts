import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { newSignInLink, redeemSignInLink } from '#ui/sign-in-link.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function linkFile(endMillis = 2000): { file: string; code: string } {
  const file = join(temporaryFolder(), 'link.json')
  const { code, link } = newSignInLink('the token', endMillis)
  writeFileSync(file, JSON.stringify(link))
  return { file, code }
}

describe('a link to sign in', () => {
  it('is good once, also for those who come at the same time', async () => {
    const { file, code } = linkFile()
    assert.ok(!readFileSync(file, 'utf8').includes(code))
    const tokens = await Promise.all([1, 2, 3, 4].map(() => redeemSignInLink(file, code, 1000)))
    assert.deepEqual(
      tokens.filter((token) => token !== undefined),
      ['the token'],
    )
    assert.ok(!existsSync(file))
    assert.equal(await redeemSignInLink(file, code, 1000), undefined)
  })

  it('stays good after a wrong code, and is not good when its time is over', async () => {
    const { file, code } = linkFile()
    for (const wrong of ['', 'x', `${code}x`, code.toUpperCase()]) {
      assert.equal(await redeemSignInLink(file, wrong, 1000), undefined)
    }
    assert.equal(await redeemSignInLink(file, code, 2000), undefined)
    assert.equal(await redeemSignInLink(file, code, 1999), 'the token')
  })

  it('is not good when the file is absent or damaged', async () => {
    const file = join(temporaryFolder(), 'link.json')
    assert.equal(await redeemSignInLink(file, 'x', 0), undefined)
    for (const text of ['', '{}', '{"digest":"x","endMillis":9,"token":"t"}']) {
      writeFileSync(file, text)
      assert.equal(await redeemSignInLink(file, 'x', 0), undefined)
    }
  })
})
