import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientCertificate } from '../../support/client-certificate.ts'
import { suspend } from '../../support/suspend.ts'
import { describeInBrowser } from './visitor.ts'

describeInBrowser('somebody with a browser', (there) => {
  test('signs in with the password, comes to where it wanted to go, and signs out', async () => {
    await using joe = await there.open()
    await joe.go('/new-domain?parent=user.joe')
    assert.equal(await joe.heading, 'Sign in')
    await joe.assertSound()
    await joe.signIn('joe', 'a wrong one')
    assert.match((await joe.problem) ?? '', /does not accept this name with this password/)
    await joe.assertSound()
    await joe.write({ Name: 'joe', Password: 'joe' })
    await joe.press('Sign in')
    assert.equal(joe.path, '/new-domain?parent=user.joe')
    await joe.assertSound()
    await joe.press('Sign out')
    assert.equal(await joe.heading, 'Sign in')
    await joe.go('/')
    assert.equal(await joe.heading, 'Sign in')
  })

  test('has a session that scripts and other sites do not get', async () => {
    await using joe = await there.signedIn('joe')
    const cookies = await joe.page.context().cookies()
    assert.ok(cookies.length > 0)
    for (const { name, httpOnly, secure, sameSite } of cookies) {
      assert.deepEqual({ name, httpOnly, secure, sameSite }, { name, httpOnly: true, secure: true, sameSite: 'Strict' })
      assert.match(name, /^__Host-/)
    }
  })

  test('signs in as the administrator by the link of the terminal, which is good once', async () => {
    const path = (there.servers.summary.uiSignIn ?? '').slice((there.servers.summary.ui ?? '').length)
    await using admin = await there.open()
    await admin.go(path)
    assert.equal(await admin.heading, 'Home')
    assert.match((await admin.page.locator('header').textContent()) ?? '', /user\.admin/)
    await using thief = await there.open()
    assert.equal(await thief.go(path), 403)
    assert.match((await thief.problem) ?? '', /not good any more/)
  })

  test('signs in with its certificate, and is told when ZMS does not take it', async () => {
    const { summary } = there.servers
    const { origin } = new URL(summary.zms ?? '')
    const certificate = { ...(await clientCertificate(summary, 'user.jane')), origin }
    await using jane = await there.open({ certificate })
    await jane.go('/new-domain?parent=user.jane')
    await jane.press('Sign in with the certificate of this browser')
    assert.equal(await jane.heading, 'Create a domain')
    assert.match((await jane.page.locator('header').textContent()) ?? '', /user\.jane/)
    await jane.assertSound()
    const service = { ...(await clientCertificate(summary, 'sports.api')), origin }
    await using robot = await there.open({ certificate: service })
    await robot.go('/sign-in')
    await robot.page.getByRole('button', { name: 'Sign in with the certificate' }).click()
    await robot.page.getByText('missing certificate of a user').waitFor()
    assert.equal(await robot.heading, 'Sign in')
    await using nobody = await there.open()
    await nobody.go('/sign-in')
    await nobody.page.getByRole('button', { name: 'Sign in with the certificate' }).click()
    await nobody.page.getByText('ZMS did not take a certificate of this browser').waitFor()
  })

  test('creates a domain, and finds what was written when the session ends in the middle of a form', async () => {
    await using joe = await there.signedIn('joe')
    await joe.go('/new-domain')
    await joe.write({ Name: 'user.joe', Description: '<b>Joe</b> & "friends"' })
    await joe.page.context().clearCookies()
    await joe.press('Create')
    assert.equal(await joe.heading, 'Sign in')
    await joe.assertSound()
    await joe.signIn('joe')
    assert.equal(await joe.page.getByLabel('Description').inputValue(), '<b>Joe</b> & "friends"')
    await joe.press('Create')
    assert.match((await joe.notice) ?? '', /^The domain user\.joe was created/)
    assert.equal(await joe.page.getByText('<b>Joe</b> & "friends"').count(), 1)
    await joe.assertSound()
  })

  test('can do without scripts', async () => {
    await using joe = await there.signedIn('jane', { scripts: false })
    await joe.go('/new-domain')
    await joe.write({ Name: 'user.jane' })
    await joe.press('Create')
    assert.match((await joe.notice) ?? '', /^The domain user\.jane was created/)
  })

  test('is told that ZMS is away, and loses nothing', async () => {
    await using joe = await there.signedIn('joe')
    await joe.go('/new-domain')
    await joe.write({ Name: 'user.joe.later', Description: 'written while ZMS was away' })
    {
      using _ = await suspend(there.servers.summary.pids.zms)
      await joe.press('Create')
    }
    assert.match((await joe.problem) ?? (await joe.heading) ?? '', /ZMS/)
    assert.equal(await joe.page.getByLabel('Description').inputValue(), 'written while ZMS was away')
    await joe.assertSound()
    // Whether ZMS still did what it was asked before is not known; pressed again, it is done in any case.
    await joe.press('Create')
    assert.equal(await joe.go('/domain/user.joe.later'), 200)
    assert.equal(await joe.page.getByText('written while ZMS was away').count(), 1)
  })
})
