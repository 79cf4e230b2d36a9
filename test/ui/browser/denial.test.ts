import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { before, test } from 'node:test'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { ZmsCli } from '../../support/zms-cli.ts'
import { describeInBrowser, type Visitor } from './visitor.ts'

describeInBrowser('somebody who is denied', (there) => {
  let owner: Visitor

  before(async () => {
    owner = await there.signedIn('owner')
    await owner.go('/new-domain')
    await owner.write({ Name: 'user.owner' })
    await owner.press('Create')
  })

  test('needs a role, a service and a policy, whose effect is shown before it is added', async () => {
    await owner.go('/domain/user.owner/roles')
    await owner.page.getByText('Create a role').click()
    await owner.write({ Name: 'readers', Members: 'user.jane' })
    await owner.press('Create the role')

    await owner.go('/domain/user.owner/services')
    await owner.page.getByText('Create a service').click()
    await owner.write({ Name: 'api' })
    await owner.press('Create the service')
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await owner.page.getByText('Add a key').click()
    await owner.write({
      'Id of the key': '0',
      'Public key': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    })
    await owner.press('Add the key')
    assert.equal(await owner.page.getByText('P-256', { exact: true }).count(), 1)
    await owner.assertSound()

    await owner.go('/domain/user.owner/policies')
    await owner.page.getByText('Create a policy').click()
    await owner.write({ Name: 'reading' })
    await owner.press('Create the policy')
    await owner.go('/domain/user.owner/policy/reading/new-assertion')
    await owner.write({ Role: 'readers', Action: 'read', Resource: 'user.owner:diary' })
    await owner.page.getByText('user.jane').first().waitFor()
    await owner.assertSound()
    await owner.press('Add the assertion')
    assert.match((await owner.page.locator('tbody').first().textContent()) ?? '', /read.*user\.owner:diary/s)
    await owner.assertSound()
  })

  test('is told why, and what to do, until access is granted', async () => {
    await owner.go('/access')
    await owner.write({ Who: 'user.kim', Action: 'read', Resource: 'user.owner:diary' })
    await owner.press('Ask')
    assert.match((await owner.page.locator('#answer').textContent()) ?? '', /user\.kim may not read user\.owner:diary/)
    await owner.assertSound()
    await owner.press('Add user.kim to user.owner:role.readers')
    assert.match((await owner.page.locator('#answer').textContent()) ?? '', /user\.kim may read user\.owner:diary/)
    await owner.assertSound()
    await owner.go('/domain/user.owner/role/readers')
    assert.equal(await owner.page.locator('tbody').getByText('user.kim', { exact: true }).count(), 1)
  })

  test('goes from the page that refuses to the advice, and what is advised is done by who may', async () => {
    await owner.go('/domain/user.owner/roles')
    await owner.page.getByText('Create a role').click()
    await owner.write({ Name: 'movers', Members: 'user.joe' })
    await owner.press('Create the role')
    await owner.go('/domain/user.owner/policy/reading/new-assertion')
    await owner.write({ Role: 'movers', Action: 'delete', Resource: 'user.owner:role.readers' })
    await owner.press('Add the assertion')

    await using kim = await there.signedIn('kim')
    await kim.go('/domain/user.owner/role/readers/delete')
    assert.equal(await kim.press('Delete readers'), 403)
    assert.match((await kim.problem) ?? '', /^ZMS refuses: \S/)
    await kim.assertSound()
    await kim.follow('Why, and what would change it')
    assert.match((await kim.page.locator('#answer').textContent()) ?? '', /user\.kim may not delete user\.owner:role\./)
    await kim.assertSound()
    const advised = kim.path
    assert.equal(await kim.press('Add user.kim to user.owner:role.movers'), 403)
    assert.match((await kim.problem) ?? '', /^ZMS refuses: \S/)

    await owner.go(advised)
    await owner.press('Add user.kim to user.owner:role.movers')
    assert.match((await owner.page.locator('#answer').textContent()) ?? '', /user\.kim may delete/)

    // What was given for a time is over: the advice leads to the entry that has ended.
    const expiration = new Date(Date.now() - 1000).toISOString()
    const zms = new ZmsCli('', there.servers.summary, temporaryFolder())
    const member = { memberName: 'user.kim', expiration }
    const { status } = await zms.rest('user.owner', 'PUT', '/domain/user.owner/role/movers/member/user.kim', member)
    assert.ok(status < 300, String(status))
    await kim.go(advised)
    await owner.go(advised)
    await owner.follow('Renew user.kim in user.owner:role.movers')
    assert.equal(owner.path, '/domain/user.owner/role/movers/member/user.kim')
    await owner.assertSound()
    await owner.write({ Until: '2038-01-31' })
    await owner.press('Save the dates')
    await kim.go('/domain/user.owner/role/readers/delete')
    assert.equal(await kim.press('Delete readers'), 200)
    assert.equal(await kim.notice, 'The role readers was deleted.')
  })
})
