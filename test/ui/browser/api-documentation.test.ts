import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeInBrowser } from './visitor.ts'

describeInBrowser('the documentation of the API', (there) => {
  test('is shown by the server itself, and found by names of operations', async () => {
    const { origin } = new URL(there.servers.summary.zms ?? '')
    await using window = await there.elsewhere(origin)
    const { page } = window
    const answer = await page.goto(`${origin}/docs`)
    assert.equal(answer?.status(), 200)
    await page.getByText('Athenz zms', { exact: false }).first().waitFor()
    await page.getByText('Role', { exact: true }).first().click()
    await page.getByText('/domain/{domainName}/role/{roleName}', { exact: true }).first().waitFor()
    assert.deepEqual(window.incidents, [])
  })
})
