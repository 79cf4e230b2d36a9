import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../support/until.ts'
import { describeInBrowser } from './visitor.ts'

const LIFE_SECONDS = 6

describeInBrowser(
  'somebody whose token ends',
  (there) => {
    test('in the middle of a form finds what was written', async () => {
      await using joe = await there.signedIn('joe')
      const browser = joe.page.context()
      const [cookie] = await browser.cookies()
      assert.ok(cookie)
      const endSeconds = Number(/;e=(\d+);/.exec(decodeURIComponent(cookie.value))?.[1])
      await joe.go('/new-domain')
      await joe.write({ Name: 'user.joe', Description: 'written before the end' })
      await until(() => Date.now() >= endSeconds * 1000, { what: 'the end of the token' })
      assert.deepEqual(await browser.cookies(), [])
      // A browser that keeps it nevertheless, or whose clock is late.
      await browser.addCookies([{ ...cookie, expires: -1 }])
      assert.equal(await joe.press('Create'), 401)
      assert.equal(await joe.heading, 'Sign in')
      assert.equal(await joe.problem, 'Your sign-in has ended.')
      await joe.assertSound()
      assert.equal(await joe.signIn('joe'), 200)
      assert.equal(await joe.page.getByLabel('Description').inputValue(), 'written before the end')
      assert.equal(await joe.press('Create'), 200)
      assert.match((await joe.notice) ?? '', /^The domain user\.joe was created/)
    })
  },
  { 'athenz.zms.user_token_timeout': String(LIFE_SECONDS) },
)
