import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageVisits, type Sights, unvisited } from './page-visits.ts'
import { callsOf, foreignCode, repeatedIds, startWebPage, textOf } from './web-page.ts'

const CALLS = 3
const member = 'user.jane'
const sights: Sights = {
  domain: 'sports',
  role: 'players',
  group: 'team',
  member,
  policy: 'games',
  version: 'next',
  assertion: 0,
  service: 'api',
  template: 'user_provisioning',
  action: 'play',
  resource: 'sports:field.main',
}

test('every page is visited', () => {
  assert.deepEqual(unvisited(pageVisits(sights)), [])
})

const { admin, zms } = await startWebPage()
const { domain: domainName, role: roleName, group: groupName, policy: policyName } = sights
await zms.call('postTopLevelDomain', { body: { name: domainName, adminUsers: ['user.admin'] } })
await zms.call('putRole', { domainName, roleName, body: { name: roleName, roleMembers: [{ memberName: member }] } })
await zms.call('putGroup', { domainName, groupName, body: { name: groupName, groupMembers: [{ memberName: member }] } })
const { resource, action } = sights
const assertions = [{ role: `${domainName}:role.${roleName}`, resource, action }]
await zms.call('putPolicy', { domainName, policyName, body: { name: policyName, assertions } })
await zms.call('putPolicyVersion', { domainName, policyName, body: { version: sights.version } })
const { service, template } = sights
await zms.call('putServiceIdentity', { domain: domainName, service, body: { name: `${domainName}.${service}` } })
await zms.call('putDomainTemplate', { name: domainName, body: { templateNames: [template] } })
const { list } = await zms.call('searchAssertions', { domainName, policyName, limit: 1 })
const assertion = list[0]?.id ?? 0

for (const target of pageVisits({ ...sights, assertion })) {
  test(`${target.replace(String(assertion), 'ID')} needs at most ${CALLS} calls to ZMS`, async () => {
    const page = await admin.get(target)
    assert.equal(page.status, 200, textOf(page.text))
    assert.ok(callsOf(page) <= CALLS, `${callsOf(page)} calls`)
    assert.deepEqual([foreignCode(page.text), repeatedIds(page.text)], [[], []])
  })
}
