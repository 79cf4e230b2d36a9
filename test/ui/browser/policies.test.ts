import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { describeInBrowser, type Visitor } from './visitor.ts'

describeInBrowser('policies and access', (there) => {
  let admin: Visitor

  before(async () => {
    admin = await there.signedIn('admin')
    await admin.go('/new-domain')
    await admin.write({ Name: 'club', Administrators: 'user.admin' })
    await admin.press('Create')
    await admin.go('/domain/club/policies')
    await admin.page.getByText('Create a policy').click()
    await admin.write({ Name: 'games' })
    await admin.press('Create the policy')
  })

  test('what an assertion would do is shown while it is written, and the words stay where they are', async () => {
    await admin.go('/domain/club/policy/games/new-assertion')
    await admin.write({ Role: 'admin', Action: 'play' })
    await admin.page.getByLabel('Resource', { exact: true }).pressSequentially('game.*')
    await admin.page.locator('#preview').getByText('club:game.*').waitFor()
    assert.match((await admin.page.locator('#preview').textContent()) ?? '', /said already by 1 assertion:/)
    assert.equal(await admin.page.getByLabel('Resource', { exact: true }).inputValue(), 'game.*')
    assert.equal(admin.path, '/domain/club/policy/games/new-assertion')
    await admin.page.getByLabel('Effect', { exact: true }).selectOption('DENY')
    await admin.page.locator('#preview').getByText('It takes away something').waitFor()
    await admin.assertSound()
    await admin.page.getByLabel('Effect', { exact: true }).selectOption('ALLOW')
    await admin.press('Add the assertion')
    assert.equal(await admin.notice, 'Added: grant play to club:role.admin on club:game.*.')
    await admin.assertSound()
  })

  test('an assertion is removed and put back', async () => {
    await admin.go('/domain/club/policy/games')
    await admin.press('Remove grant play to club:role.admin on club:game.*')
    assert.match((await admin.notice) ?? '', /^Removed: grant play/)
    await admin.press('Undo')
    assert.match((await admin.notice) ?? '', /^Added again: grant play/)
    await admin.assertSound()
  })

  test('advice is followed until access is granted', async () => {
    await admin.go('/access?principal=user.joe&action=play&resource=club:game.1')
    assert.match((await admin.page.locator('#answer').textContent()) ?? '', /not allowed/)
    await admin.assertSound()
    await admin.page
      .getByRole('button', { name: /^Add user\.joe/ })
      .first()
      .click()
    await admin.page.locator('.notice').waitFor()
    assert.doesNotMatch((await admin.page.locator('#answer').textContent()) ?? '', /not allowed/)
    await admin.assertSound()
  })

  for (const path of [
    '/domain/club/policies',
    '/domain/club/services',
    '/domain/club/templates',
    '/domain/club/template/user_provisioning',
    '/domain/club/template/user_provisioning/delete',
    '/domain/club/policy/games/delete',
    '/access?principal=user.joe',
  ]) {
    test(`${path} can be read by everybody`, async () => {
      assert.equal(await admin.go(path), 200)
      for (const each of await admin.page.locator('details').all())
        await each.evaluate((it) => it.setAttribute('open', ''))
      await admin.assertSound()
    })
  }
})
