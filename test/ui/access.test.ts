import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withQuery } from '#ui/html.ts'
import { formsOf } from './visitor.ts'
import { callsOf, foreignCode, type Person, repeatedIds, startWebPage, textOf } from './web-page.ts'

const { admin, joe, zms } = await startWebPage()
const NASTY = '<img src=x onerror=alert(1)>"\'&'

await zms.call('postTopLevelDomain', { body: { name: 'sports', adminUsers: ['user.admin'] } })
for (const name of ['readers', 'blocked']) {
  await zms.call('putRole', { domainName: 'sports', roleName: name, body: { name } })
}
await zms.call('putPolicy', {
  domainName: 'sports',
  policyName: 'things',
  body: {
    name: 'things',
    assertions: [
      { role: 'sports:role.readers', action: 'read', resource: 'sports:thing.*' },
      { role: 'sports:role.blocked', action: '*', resource: 'sports:thing.*', effect: 'DENY' },
    ],
  },
})

const ask = (person: Person, principal: string, action: string, resource: string) =>
  person.get(withQuery('/access', { principal, action, resource }))

describe('why', () => {
  test('is answered at a glance, and the advice is followed by its own form until access is granted', async () => {
    const denied = await ask(admin, 'user.joe', 'read', 'sports:thing.1')
    assert.equal(denied.status, 200)
    assert.equal(callsOf(denied), 2)
    assert.deepEqual(repeatedIds(denied.text), [])
    const text = textOf(denied.text)
    assert.match(text, /not allowed user\.joe may not read sports:thing\.1 No assertion of the domain sports grants it/)
    assert.match(text, /What would make it pass .*add user\.joe to role sports:role\.readers/)
    assert.match(text, /user\.joe holds no role of the domain sports/)
    assert.match(text, /athenz explain user\.joe read sports:thing\.1/)
    const advice = formsOf(denied.text).find(({ values }) => values.get('action') === 'addMember')
    assert.ok(advice)
    const { action: _, csrf: __, ...fields } = Object.fromEntries(advice.values)
    const granted = await admin.submit(advice.to, 'addMember', fields)
    assert.match(textOf(granted.text), /user\.joe has been put into sports:role\.readers/)
    assert.match(
      textOf(granted.text),
      /allowed user\.joe may read sports:thing\.1 An assertion grants it through the role sports:role\.readers/,
    )
    assert.match(textOf((await admin.undo(granted)).text), /not allowed user\.joe may not read/)
  })

  test('a DENY is told of as such, with the form that takes it away and back', async () => {
    const memberName = 'user.jane'
    for (const roleName of ['readers', 'blocked']) {
      await zms.call('putMembership', { domainName: 'sports', roleName, memberName, body: { memberName } })
    }
    const denied = await ask(admin, 'user.jane', 'read', 'sports:thing.1')
    assert.match(textOf(denied.text), /A DENY forbids it through the role sports:role\.blocked/)
    const removal = formsOf(denied.text).find(({ values }) => values.get('action') === 'removeAssertion')
    assert.ok(removal)
    const { action: _, csrf: __, ...fields } = Object.fromEntries(removal.values)
    const removed = await admin.submit(removal.to, 'removeAssertion', fields)
    assert.match(textOf((await ask(admin, 'user.jane', 'read', 'sports:thing.1')).text), /allowed user\.jane may read/)
    await admin.undo(removed)
    assert.match(textOf((await ask(admin, 'user.jane', 'read', 'sports:thing.1')).text), /A DENY forbids it/)
  })

  test('people are told of themselves, and of others only whether', async () => {
    const own = await ask(joe, 'user.joe', 'read', 'sports:thing.1')
    assert.match(textOf(own.text), /What would make it pass/)
    const others = await ask(joe, 'user.admin', 'read', 'sports:thing.1')
    assert.equal(others.status, 200)
    assert.ok(callsOf(others) <= 3, `${callsOf(others)} calls`)
    assert.match(
      textOf(others.text),
      /allowed user\.admin may read sports:thing\.1 Why is told to user\.admin, and to the administrators/,
    )
    assert.doesNotMatch(textOf(others.text), /What would make it pass/)
  })

  test('a form of the advice is refused where somebody has no right to it, and shown with why', async () => {
    const fields = { role: 'sports:role.readers', member: 'user.joe' }
    const refused = await joe.send(
      withQuery('/access', { principal: 'user.joe', action: 'read', resource: 'sports:thing.1' }),
      'addMember',
      fields,
    )
    assert.equal(refused.status, 403)
    assert.match(refused.text, /role="alert"/)
    const { roleMembers } = await zms.call('getRole', { domainName: 'sports', roleName: 'readers' })
    assert.equal(
      (roleMembers ?? []).some(({ memberName }) => memberName === 'user.joe'),
      false,
    )
    const empty = await admin.send('/access', 'addMember', { role: 'readers' })
    assert.deepEqual([empty.status, /names no role and member/.test(empty.text)], [400, true])
  })

  test('questions that cannot be answered stay as they were written, escaped', async () => {
    for (const [principal, action, resource] of [
      [NASTY, NASTY, NASTY],
      ['user.joe', 'read', 'nodomain'],
      ['user.joe', 'read', 'absent:thing'],
      ['user.joe', '..', 'sports:x'],
    ] as const) {
      const answer = await ask(admin, principal, action, resource)
      assert.equal(answer.status, 200, textOf(answer.text))
      assert.deepEqual(foreignCode(answer.text), [])
      assert.match(answer.text, /role="alert"|not allowed/)
      assert.match(answer.text, /name="resource" value="[^"]/)
    }
  })
})

test('who may do something is listed with roles, members and policies', async () => {
  const shown = await admin.get(withQuery('/access', { action: 'read', resource: 'sports:thing.1' }))
  assert.equal(callsOf(shown), 1)
  const text = textOf(shown.text)
  assert.match(text, /Who may read sports:thing\.1 .*3 assertions about it/)
  assert.match(text, /ALLOW sports:role\.readers user\.jane things DENY sports:role\.blocked user\.jane things/)
})

test('what somebody may do is listed; one nobody knows is told of', async () => {
  const shown = await admin.get(withQuery('/access', { principal: 'user.jane' }))
  assert.equal(callsOf(shown), 1)
  assert.match(
    textOf(shown.text),
    /2 assertions about roles of user\.jane, .*ALLOW read sports:thing\.\* sports:role\.readers/,
  )
  const unknown = await admin.get(withQuery('/access', { principal: 'user.nobody-ever' }))
  assert.match(textOf(unknown.text), /ZMS says: unknown principal - user\.nobody-ever/)
})

test('at first it asks', async () => {
  const shown = await joe.get('/access')
  assert.deepEqual([shown.status, callsOf(shown)], [200, 0])
  assert.match(shown.text, /name="principal" value="user\.joe"/)
})
