import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { formsOf } from './visitor.ts'
import { callsOf, foreignCode, repeatedIds, startWebPage, textOf } from './web-page.ts'

const { admin, zms } = await startWebPage({
  'athenz.zms.audit_ref_check_objects': 'service',
})
const NASTY = '<img src=x onerror=alert(1)>"\'&'
const pem = (type: 'rsa' | 'ec', size = 2048) =>
  (type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: size })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  ).publicKey.export({ type: 'spki', format: 'pem' }) as string

await zms.call('postTopLevelDomain', { body: { name: 'sports', adminUsers: ['user.admin'] } })
const SERVICE = '/domain/sports/service/api'

test('a service is created, found and deleted after one question that names what is lost', async () => {
  const created = await admin.submit('/domain/sports/services', 'create', { service: 'Old', description: NASTY })
  assert.equal(created.status, 200)
  assert.match(textOf(created.text), /The service sports\.old has been created\..*Description <img src=x/)
  assert.deepEqual(foreignCode(created.text), [])
  await admin.submit('/domain/sports/service/old', 'addKey', { keyId: 'k1', key: pem('ec') })
  const list = await admin.get('/domain/sports/services?filter=OL')
  assert.equal(callsOf(list), 2)
  assert.deepEqual(foreignCode(list.text), [])
  assert.match(textOf(list.text), /1 service .* old k1 P-256/)
  const question = await admin.get('/domain/sports/service/old/delete')
  assert.match(textOf(question.text), /cannot be undone.*Keys that are lost k1/)
  const gone = await admin.submit('/domain/sports/service/old/delete', 'delete')
  assert.match(textOf(gone.text), /The service sports\.old has been deleted\./)
  const { names } = await zms.call('getServiceIdentityList', { domainName: 'sports' })
  assert.equal(names.includes('old'), false)
  const absent = await admin.get('/domain/sports/service/old')
  assert.equal(absent.status, 404)
  assert.match(textOf(absent.text), /ZMS says: getServiceIdentity: Service not found: 'sports\.old'/)
})

test('what ZMS refuses is said, and what was typed is kept', async () => {
  const refused = await admin.send('/domain/sports/services', 'create', { service: 'a b', description: 'kept text' })
  assert.equal(refused.status, 400)
  assert.match(refused.text, /role="alert"/)
  assert.match(refused.text, /value="a b"/)
  assert.match(refused.text, /value="kept text"/)
  assert.match(refused.text, /<details open>/)
})

describe('keys', async () => {
  await admin.submit('/domain/sports/services', 'create', { service: 'api', description: 'the API' })

  test('are shown with id, kind and fingerprint', async () => {
    const key = pem('rsa')
    await admin.submit(SERVICE, 'addKey', { keyId: 'main', key })
    await admin.submit(SERVICE, 'addKey', { keyId: 'other', key: pem('ec').replaceAll('\n', '\r\n') })
    const page = await admin.get(SERVICE)
    assert.equal(callsOf(page), 3)
    assert.match(textOf(page.text), /main RSA 2048 SHA256:[\w+/]{43} .*other P-256 SHA256:/)
  })

  test('a private key is refused before it leaves for ZMS, a weak one with the reason', async () => {
    const secret = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    })
    const refused = await admin.send(SERVICE, 'addKey', { keyId: 'x', key: secret as string })
    assert.deepEqual([refused.status, callsOf(refused)], [400, 3])
    assert.match(textOf(refused.text), /This is a private key/)
    const weak = await admin.send(SERVICE, 'addKey', { keyId: 'x', key: pem('rsa', 1024) })
    assert.equal(weak.status, 400)
    assert.match(textOf(weak.text), /an RSA modulus of 1024 bits is too short; use 2048 or more/)
    assert.match(weak.text, /BEGIN PUBLIC KEY/)
    const none = await admin.send(SERVICE, 'addKey', { keyId: 'x', key: NASTY })
    assert.match(textOf(none.text), /This is no key in PEM form/)
    assert.deepEqual(foreignCode(none.text), [])
  })

  test('an id is not taken twice; what is removed can be put back', async () => {
    const twice = await admin.send(SERVICE, 'addKey', { keyId: 'MAIN', key: pem('ec') })
    assert.equal(twice.status, 400)
    assert.match(textOf(twice.text), /There is a key main already/)
    const before = await zms.call('getPublicKeyEntry', { domain: 'sports', service: 'api', id: 'main' })
    const removed = await admin.submit(SERVICE, 'removeKey', { keyId: 'main' })
    assert.match(textOf(removed.text), /The key main has been removed/)
    const back = await admin.undo(removed)
    assert.match(textOf(back.text), /The key main has been added/)
    assert.deepEqual(await zms.call('getPublicKeyEntry', { domain: 'sports', service: 'api', id: 'main' }), before)
  })
})

test('hosts and settings are changed, and taken back', async () => {
  await admin.submit(SERVICE, 'addHosts', { newHosts: 'a.example\nB.example, c.example' })
  const removed = await admin.submit(SERVICE, 'removeHost', { host: 'b.example' })
  assert.match(textOf(removed.text), /2 hosts on which/)
  assert.match(textOf((await admin.undo(removed)).text), /3 hosts on which/)
  const form = formsOf((await admin.get(SERVICE)).text).find(({ values }) => values.get('action') === 'change')
  const changed = await admin.submit(SERVICE, 'change', {
    ...Object.fromEntries(form?.values ?? []),
    description: 'new',
    executable: '/bin/x',
    user: 'u',
    group: 'g',
  })
  assert.match(textOf(changed.text), /Description new .*Executable \/bin\/x Unix user u Unix group g/)
  await admin.undo(changed)
  const { description, publicKeys } = await zms.call('getServiceIdentity', { domain: 'sports', service: 'api' })
  assert.deepEqual([description, publicKeys?.length], ['the API', 2])
  const elsewhere = { 'was.providerEndpoint': '', providerEndpoint: 'ftp://elsewhere' }
  const endpoint = await admin.send(SERVICE, 'endpoint', elsewhere)
  assert.equal(endpoint.status, 400, textOf(endpoint.text))
  assert.match(textOf(endpoint.text), /Invalid endpoint/)
})

test('a credential is never shown again, even where it is refused', async () => {
  const refused = await admin.send(SERVICE, 'credential', { credential: 'hush1234' })
  assert.equal(refused.status, 400)
  assert.match(textOf(refused.text), /ZMS says: Service Credentials are not supported/)
  assert.doesNotMatch(refused.text, /hush1234/)
  assert.match(textOf(refused.text), /What is secret is not kept: write the credential again\./)
})

test('a credential is removed after one question, and never by a form without one', async () => {
  const { text } = await admin.get(SERVICE)
  assert.match(text, /<summary>Remove the credential<\/summary><p>This cannot be undone/)
  const without: readonly Readonly<Record<string, string>>[] = [{}, { credential: '' }]
  for (const fields of without) {
    const refused = await admin.send(SERVICE, 'credential', fields)
    assert.equal(refused.status, 400)
    assert.match(textOf(refused.text), /Write the credential\./)
  }
  const removal = await admin.send(SERVICE, 'removeCredential')
  assert.match(textOf(removal.text), /ZMS says: Service Credentials are not supported/)
})

test('shows command lines that get a certificate', async () => {
  const text = textOf((await admin.get(SERVICE)).text)
  assert.match(
    text,
    /bin\/zts-svccert -zts \S+ -domain sports -service api -private-key api\.key\.pem -key-version main/,
  )
  assert.match(text, /athenz sia --zts/)
  assert.match(text, /athenz service add-key sports api KEY-ID PUBLIC-KEY-FILE/)
})

test('in an audited domain every form asks for the reason, and ZMS says when it is missing', async () => {
  await zms.call('putDomainSystemMeta', { name: 'sports', attribute: 'auditenabled', body: { auditEnabled: true } })
  const page = await admin.get(SERVICE)
  assert.deepEqual(repeatedIds(page.text), [])
  const refused = await admin.send(SERVICE, 'removeKey', { keyId: 'other' })
  assert.equal(refused.status, 400)
  assert.match(textOf(refused.text), /Audit reference required for domain: sports/)
  const removed = await admin.submit(SERVICE, 'removeKey', { keyId: 'other', auditRef: NASTY })
  assert.deepEqual(foreignCode(removed.text), [])
  await admin.undo(removed)
})
