import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { describeInBrowser, type Visitor } from './visitor.ts'

const DAY_MILLIS = 86_400_000
const dayFromNow = (days: number) => new Date(Date.now() + days * DAY_MILLIS).toISOString().slice(0, 10)

describeInBrowser('people and memberships', (there) => {
  let owner: Visitor
  let jane: Visitor

  before(async () => {
    await using admin = await there.signedIn('admin')
    await admin.go('/new-domain')
    await admin.write({ Name: 'club', Administrators: 'user.owner' })
    await admin.press('Create')
    owner = await there.signedIn('owner')
    jane = await there.signedIn('jane')
  })

  test('a role is created with a member', async () => {
    await owner.go('/domain/club/roles')
    await owner.page.getByText('Create a role').click()
    await owner.write({ Name: 'players', Members: 'user.joe' })
    await owner.press('Create the role')
    assert.match((await owner.notice) ?? '', /^The role players was created/)
    assert.match((await owner.page.locator('tbody').textContent()) ?? '', /user\.joe.*Active/is)
    await owner.assertSound()
  })

  test('who asks for a membership waits, and cannot approve it', async () => {
    await owner.go('/domain/club/role/players/settings')
    await owner.page.getByLabel('Everybody may ask to become a member').check()
    await owner.press('Save')
    await jane.go('/domain/club/role/players')
    await jane.page.getByText('Add members').click()
    await jane.write({ Who: 'user.jane', Until: dayFromNow(30) })
    await jane.press('Add')
    assert.match((await jane.notice) ?? '', /Waiting for the approval of somebody else: user\.jane/)
    await jane.press('Approve user.jane')
    assert.match((await jane.problem) ?? '', /\S/)
    assert.equal(await jane.page.locator('tbody').getByText('waiting for approval', { exact: true }).count(), 1)
    await jane.assertSound()
  })

  test('who may approve finds the request on the first page, and approves it', async () => {
    await owner.go('/')
    assert.match((await owner.page.locator('#waiting').textContent()) ?? '', /Waiting for you \(1\)/)
    await owner.assertSound()
    await owner.follow('role players')
    await owner.press('Approve user.jane')
    assert.match((await owner.notice) ?? '', /^Approved: user\.jane/)
    assert.match(
      (await owner.page.locator('tbody').textContent()) ?? '',
      new RegExp(`user.jane.*${dayFromNow(30)}`, 's'),
    )
    await owner.assertSound()
  })

  test('of two who change the same at once, the second is told', async () => {
    await using second = await there.signedIn('owner')
    for (const each of [owner, second]) await each.go('/domain/club/role/players/member/user.jane')
    await second.write({ Until: dayFromNow(60) })
    await second.press('Save the dates')
    assert.match((await second.notice) ?? '', /user\.jane/)
    await owner.write({ Until: dayFromNow(90) })
    await owner.press('Save the dates')
    assert.match((await owner.problem) ?? '', /Somebody else has changed the dates of user\.jane meanwhile/)
    await owner.assertSound()
  })

  test('a removal is undone', async () => {
    await owner.go('/domain/club/role/players/member/user.joe')
    await owner.press('Remove user.joe')
    assert.match((await owner.notice) ?? '', /^Removed: user\.joe\./)
    assert.equal(await owner.page.locator('tbody').getByText('user.joe').count(), 0)
    await owner.press('Undo')
    assert.match((await owner.notice) ?? '', /^Put back: user\.joe/)
    assert.equal(await owner.page.locator('tbody').getByText('user.joe', { exact: true }).count(), 1)
  })

  test('members are found while one types', async () => {
    await owner.go('/domain/club/role/players')
    await owner.page.getByLabel('Find a member').pressSequentially('JAN')
    await owner.page.locator('#results').getByText('user.joe').waitFor({ state: 'detached' })
    assert.equal(await owner.page.locator('#results').getByText('user.jane').count(), 1)
    assert.match(owner.path, /filter=JAN/)
    await owner.assertSound()
  })

  test('the members are reviewed in one form', async () => {
    await owner.go('/domain/club/role/players/review')
    assert.equal(await owner.heading, 'Review')
    await owner.page.getByLabel('Remove user.joe').check()
    await owner.assertSound()
    await owner.press('Finish the review of these')
    assert.equal(await owner.page.locator('.problem').count(), 0)
    await owner.go('/domain/club/role/players')
    assert.equal(await owner.page.locator('tbody').getByText('user.joe', { exact: true }).count(), 0)
  })
})
