import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'
import { ZmsCli } from '../../support/zms-cli.ts'
import { describeInBrowser, type Visitor } from './visitor.ts'

const DAY_MILLIS = 86_400_000
const dayFromNow = (days: number) => new Date(Date.now() + days * DAY_MILLIS).toISOString().slice(0, 10)

describeInBrowser('people and memberships', (there) => {
  let owner: Visitor
  let jane: Visitor
  let zms: ZmsCli
  const folder = temporaryFolder()

  /** Writes what pages have no form for. */
  async function put(who: string, path: string, body: object): Promise<void> {
    const { status } = await zms.rest(who, 'PUT', path, body)
    assert.ok(status < 300, `${path}: ${status}`)
  }

  before(async () => {
    zms = new ZmsCli('', there.servers.summary, folder)
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
    assert.equal(await jane.press('Approve user.jane'), 403)
    assert.equal(
      await jane.problem,
      'ZMS refuses: principal user.jane is not authorized to approve / reject members. Why, and what would change it.',
    )
    assert.equal(await jane.page.locator('tbody').getByText('waiting for approval', { exact: true }).count(), 1)
    await jane.assertSound()
  })

  test('who may approve finds the request on the first page, and approves it', async () => {
    await owner.go('/')
    assert.match((await owner.page.locator('#waiting').textContent()) ?? '', /Waiting for you \(1\)/)
    await owner.assertSound()
    await owner.press('Approve user.jane in club:role.players')
    assert.equal(await owner.notice, 'Approved: user.jane for role players of club.')
    assert.equal(await owner.heading, 'Home')
    assert.match((await owner.page.locator('#waiting').textContent()) ?? '', /^Waiting for you$/)
    await owner.go('/domain/club/role/players')
    assert.match(
      (await owner.page.locator('tbody').textContent()) ?? '',
      new RegExp(`user.jane.*${dayFromNow(30)}`, 's'),
    )
    await owner.assertSound()
  })

  test('nobody approves what it has asked for, as a second person has to', async () => {
    await owner.go('/domain/club/roles')
    await owner.page.getByText('Create a role').click()
    await owner.write({ Name: 'treasurers' })
    await owner.press('Create the role')
    await owner.go('/domain/club/role/treasurers/settings')
    await owner.page.getByLabel('Members need the approval of a second person').check()
    await owner.press('Save')
    await owner.go('/domain/club/role/treasurers')
    await owner.page.getByText('Add members').click()
    await owner.write({ Who: 'user.jane' })
    await owner.press('Add')
    assert.equal(await owner.press('Approve user.jane'), 403)
    assert.equal(
      await owner.problem,
      'ZMS refuses: principal user.owner cannot approve / reject own request. Why, and what would change it.',
    )
    assert.equal(await owner.page.locator('tbody').getByText('waiting for approval', { exact: true }).count(), 1)
    await owner.go('/')
    await owner.follow('Your own request')
    await owner.press('Withdraw the request')
    assert.equal(await owner.notice, 'The request for user.jane was withdrawn.')
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

  test('a membership expires, is found as such, and is renewed by the member', async () => {
    const path = '/domain/club/role/keepers'
    const role = { name: 'club:role.keepers', selfRenew: true, selfRenewMins: 90 }
    const expiration = new Date(Date.now() + 1500).toISOString()
    const roleMembers = [{ memberName: 'user.jane', expiration }, { memberName: 'user.max' }]
    await put('user.owner', path, { ...role, roleMembers })
    const rowOf = async (name: string) => (await owner.page.locator('tbody tr', { hasText: name }).textContent()) ?? ''
    await until(
      async () => {
        await owner.go(path)
        return /expired/.test(await rowOf('user.jane'))
      },
      { what: 'the end of the membership' },
    )
    await owner.assertSound()
    await owner.follow('Expired (1)')
    assert.equal(await owner.page.locator('tbody tr').count(), 1)
    assert.match(await rowOf('user.jane'), /expired/)
    await owner.go('/domain/club/roles')
    assert.match(await rowOf('keepers'), /1 expired/)

    await jane.go('/due')
    const due = jane.page.locator('tbody tr', { hasText: 'keepers' })
    assert.match((await due.textContent()) ?? '', /expired/)
    await jane.assertSound()
    await jane.go('/')
    await jane.press('Renew for 90 minutes: club:role.keepers')
    assert.equal(await jane.notice, 'Renewed: your membership in the role keepers of club.')
    assert.match((await due.textContent()) ?? '', /ends soon/)
    await jane.assertSound()
    await owner.go(path)
    assert.match(await rowOf('user.jane'), /active/)
  })

  test('memberships that are suspended, or to be reviewed, are found as such', async () => {
    const path = '/domain/club/role/watchers'
    const reviewReminder = new Date(Date.now() - DAY_MILLIS).toISOString()
    const roleMembers = [{ memberName: 'user.suspended' }, { memberName: 'user.late', reviewReminder }]
    await put('user.owner', path, { name: 'club:role.watchers', roleMembers })
    await put('user.admin', '/principal/user.suspended/state', { suspended: true })
    for (const [state, badge, memberName] of [
      ['Disabled (1)', 'disabled by operator', 'user.suspended'],
      ['Review overdue (1)', 'review overdue', 'user.late'],
    ] as const) {
      await owner.go(path)
      await owner.follow(state)
      const row = owner.page.locator('tbody tr')
      assert.equal(await row.count(), 1)
      assert.equal(await row.getByText(badge, { exact: true }).count(), 1)
      assert.equal(await row.getByText(memberName, { exact: true }).count(), 1)
      await owner.assertSound()
    }
  })
})
