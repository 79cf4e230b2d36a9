import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { before, test } from 'node:test'
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
})
