import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formsOf, unescaped } from './visitor.ts'
import { callsOf, foreignCode, repeatedIds, startWebPage, textOf } from './web-page.ts'

const { admin, joe, zms } = await startWebPage()
const NASTY = '<img src=x onerror=alert(1)>"\'&'
const POLICY = '/domain/sports/policy/things'
const place = { domainName: 'sports', policyName: 'things' }

await zms.call('postTopLevelDomain', { body: { name: 'sports', adminUsers: ['user.admin'] } })
await zms.call('putRole', { domainName: 'sports', roleName: 'readers', body: { name: 'readers' } })

const assertionsOf = async (version = '0') =>
  (await zms.call('getPolicyVersion', { ...place, version })).assertions ?? []

async function put(action: string, resource: string, more: object = {}): Promise<number> {
  const body = { role: 'sports:role.readers', action, resource, ...more }
  return (await zms.call('putAssertion', { ...place, body })).id ?? 0
}

test('a policy is created once, found by a part of its name, and deleted after one question', async () => {
  const created = await admin.submit('/domain/sports/policies', 'create', { policy: 'Old' })
  assert.match(textOf(created.text), /The policy old has been created\. It says nothing yet\./)
  const twice = await admin.send('/domain/sports/policies', 'create', { policy: 'OLD', auditRef: 'kept' })
  assert.deepEqual([twice.status, /value="kept"/.test(twice.text)], [400, true])
  assert.match(textOf(twice.text), /The policy old is there already/)
  const badName = await admin.send('/domain/sports/policies', 'create', { policy: NASTY })
  assert.equal(badName.status, 400)
  assert.deepEqual(foreignCode(badName.text), [])
  const list = await admin.get('/domain/sports/policies?filter=OL')
  assert.equal(callsOf(list), 2)
  assert.match(textOf(list.text), /1 policy .* old 0 .*athenz policy list sports/)
  await zms.call('putAssertion', {
    domainName: 'sports',
    policyName: 'old',
    body: { role: 'sports:role.readers', action: 'read', resource: 'sports:x' },
  })
  const question = await admin.get('/domain/sports/policy/old/delete')
  assert.match(
    textOf(question.text),
    /cannot be undone.*Assertions that are lost 1 in version 0 Roles in them sports:role\.readers/,
  )
  const gone = await admin.submit('/domain/sports/policy/old/delete', 'delete')
  assert.match(textOf(gone.text), /The policy old has been deleted/)
  assert.equal((await admin.get('/domain/sports/policy/old')).status, 404)
})

describe('assertions', async () => {
  await admin.submit('/domain/sports/policies', 'create', { policy: 'things' })

  test('are shown with roles, action, resource and conditions, escaped', async () => {
    await put('read', `sports:thing.<script>alert(1)</script>`)
    const shown = await admin.get(POLICY)
    assert.equal(callsOf(shown), 2)
    assert.deepEqual(foreignCode(shown.text), [])
    assert.deepEqual(repeatedIds(shown.text), [])
    assert.match(textOf(shown.text), /ALLOW sports:role\.readers read sports:thing\.<script>alert\(1\)<\/script>/)
    assert.match(shown.text, /href="\/domain\/sports\/role\/readers"/)
  })

  test('one is removed and put back as it was, with its letters and conditions', async () => {
    const conditions = { conditionsList: [{ conditionsMap: { scope: { operator: 'EQUALS' as const, value: 'all' } } }] }
    const id = await put('Write', 'sports:Thing.One', { effect: 'DENY', caseSensitive: true, conditions })
    const before = (await assertionsOf()).find((each) => each.id === id)
    const removed = await admin.submit(POLICY, 'removeAssertion', { version: '0', assertion: String(id) })
    assert.match(textOf(removed.text), /Removed: deny Write to sports:role\.readers on sports:Thing\.One\./)
    assert.equal(
      (await assertionsOf()).some((each) => each.id === id),
      false,
    )
    await admin.undo(removed)
    const after = (await assertionsOf()).find(({ action }) => action === 'Write')
    assert.deepEqual({ ...after, id: 0 }, { ...before, id: 0 })
  })

  test('one that is gone already is told of by ZMS', async () => {
    const answer = await admin.send(POLICY, 'removeAssertion', { version: '0', assertion: '99999999' })
    assert.equal(answer.status, 404)
    assert.match(textOf(answer.text), /ZMS says: /)
  })

  test('who may not change the policy is told so, with the way to why', async () => {
    const [{ id = 0 } = {}] = await assertionsOf()
    const refused = await joe.send(POLICY, 'createVersion', { version: 'next', fromVersion: '0' })
    assert.equal(refused.status, 403)
    assert.match(
      refused.text,
      /href="\/access\?principal=user\.joe&amp;action=update&amp;resource=sports%3Apolicy\.things"/,
    )
    assert.match(refused.text, /name="version"[^>]* value="next"/)
    assert.equal((await joe.send(POLICY, 'removeAssertion', { version: '0', assertion: String(id) })).status, 403)
    assert.equal(
      (await assertionsOf()).some((each) => each.id === id),
      true,
    )
  })

  test('conditions are added, changed, removed and put back', async () => {
    const id = await put('use', 'sports:tool')
    const at = `${POLICY}/version/0/assertion/${id}`
    const none = await admin.get(at)
    assert.equal(callsOf(none), 2)
    assert.match(textOf(none.text), /There are none: it always holds/)
    await admin.submit(at, 'put', { lines: 'enforcementstate = report\ninstances = *.example' })
    const refused = await admin.send(at, 'put', { lines: `no equals sign ${NASTY.replaceAll('=', ' ')}` })
    assert.equal(refused.status, 400)
    assert.deepEqual(foreignCode(refused.text), [])
    assert.match(textOf(refused.text), /Write key = value on each line; this is none: no equals sign/)
    assert.match(textOf(refused.text), /no equals sign <img.* Reason/)
    assert.equal((await admin.send(at, 'put', { lines: 'a = 1\nA = 2' })).status, 400)
    assert.equal((await admin.send(at, 'put', { lines: 'a b = 1' })).status, 400)
    const changed = await admin.submit(at, 'put', { condition: '1', lines: 'scope = all' })
    assert.deepEqual(repeatedIds(changed.text), [])
    const removed = await admin.submit(at, 'remove', { condition: '1' })
    assert.match(textOf(removed.text), /There are none/)
    assert.match(textOf((await admin.undo(removed)).text), /scope = all/)
    const absent = await admin.get(`${POLICY}/version/0/assertion/77`)
    assert.equal(absent.status, 404)
  })
})

test('versions are made from the active one, activated, taken back and deleted', async () => {
  await zms.call('putPolicy', {
    domainName: 'sports',
    policyName: 'versions',
    body: { name: 'versions', assertions: [{ role: 'sports:role.readers', action: 'read', resource: 'sports:v' }] },
  })
  const at = '/domain/sports/policy/versions'
  const made = await admin.submit(at, 'createVersion', { version: 'Next', fromVersion: '0' })
  assert.match(textOf(made.text), /What version next says not active/)
  const twice = await admin.send(at, 'createVersion', { version: 'next', fromVersion: '0' })
  assert.deepEqual([twice.status, /Entry already exists/.test(twice.text)], [400, true])
  const activated = await admin.submit(at, 'activate', { version: 'next' })
  assert.match(textOf(activated.text), /What version next says active/)
  assert.match(textOf((await admin.undo(activated)).text), /What version 0 says active/)
  assert.match(textOf((await admin.get(`${at}/version/0/delete`)).text), /activate another one first/)
  const refused = await admin.send(`${at}/version/0/delete`, 'delete')
  assert.equal(refused.status, 400)
  const question = await admin.get(`${at}/version/next/delete`)
  assert.match(textOf(question.text), /It is lost with 1 assertion\..*cannot be undone/)
  await admin.submit(`${at}/version/next/delete`, 'delete')
  assert.equal((await admin.get(`${at}/version/next`)).status, 404)
})

test('the policy of the administrators shows no forms that would be refused', async () => {
  const { text } = await admin.get('/domain/sports/policy/admin')
  assert.deepEqual(
    formsOf(text).map(({ to }) => to),
    ['/sign-out'],
  )
  assert.match(textOf(unescaped(text)), /It cannot be changed/)
})

describe('an assertion that is written', () => {
  const at = '/domain/sports/policy/things/new-assertion'
  const fields = { effect: 'ALLOW', role: 'readers', assertedAction: 'read', resource: 'thing.new', version: '0' }
  const query = new URLSearchParams(fields).toString()

  test('shows what it would do: for whom, with what, beside which others', async () => {
    await zms.call('putMembership', {
      domainName: 'sports',
      roleName: 'readers',
      memberName: 'user.joe',
      body: { memberName: 'user.joe' },
    })
    await put('read', 'sports:thing.new.part')
    await put('read', 'sports:thing.new.closed', { effect: 'DENY' })
    const shown = await admin.get(`${at}?${new URLSearchParams({ ...fields, resource: 'thing.new*' }).toString()}`)
    assert.equal(callsOf(shown), 3)
    const text = textOf(shown.text)
    assert.match(text, /1 role, whose members may then do it .* sports:role\.readers 1 user\.joe/)
    assert.match(text, /resource 2 sports:thing\.new\.part, sports:thing\.new\.closed/)
    assert.match(text, /overruled wholly or in part by 1 DENY assertion/)
    assert.match(
      text,
      /athenz policy add-assertion sports things 'grant read to sports:role\.readers on sports:thing\.new\*'/,
    )
    assert.deepEqual(repeatedIds(shown.text), [])
    assert.match(shown.text, /hx-get="\/domain\/sports\/policy\/things\/new-assertion" hx-trigger="input delay:300ms"/)
  })

  test('without scripts a button shows it, and nothing is added', async () => {
    const before = await assertionsOf()
    const shown = await admin.submit(`${at}?preview=1`, 'add', fields)
    assert.match(textOf(shown.text), /Nothing has been added yet.*sports:thing\.new for sports:role\.readers/)
    assert.match(shown.text, /name="role"[^>]* value="readers"/)
    assert.deepEqual(await assertionsOf(), before)
  })

  test('is added, told of as there already afterwards, and taken back', async () => {
    const added = await admin.submit(at, 'add', fields)
    assert.match(textOf(added.text), /Added: grant read to sports:role\.readers on sports:thing\.new\./)
    assert.match(textOf((await admin.get(`${at}?${query}`)).text), /said already by 1 assertion:/)
    await admin.undo(added)
    assert.equal(
      (await assertionsOf()).some(({ resource }) => resource === 'sports:thing.new'),
      false,
    )
  })

  test('what ZMS refuses is said, and what was typed is kept', async () => {
    const refused = await admin.send(at, 'add', { ...fields, resource: `other:${NASTY}`, effect: 'DENY' })
    assert.deepEqual(foreignCode(refused.text), [])
    const missing = await admin.send(at, 'add', { ...fields, assertedAction: ' ' })
    assert.equal(missing.status, 400)
    assert.match(textOf(missing.text), /Write an action/)
    assert.match(missing.text, /name="resource"[^>]* value="thing\.new"/)
    const foreign = await admin.send(at, 'add', { ...fields, role: 'other:role.x' })
    assert.equal(foreign.status, 400)
    assert.match(foreign.text, /name="role"[^>]* value="other:role\.x"/)
    assert.match(textOf(foreign.text), /cannot be ZMS says: previewAssertion: role is one of another domain/)
  })
})
