import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { Fields } from '#ui/fields.ts'
import type { Page, PageRequest } from '#ui/page.ts'
import { roleSettingsPage } from '#ui/pages/collection-settings.ts'
import { domainSettingsPage } from '#ui/pages/domain-settings.ts'
import { servicePage } from '#ui/pages/service.ts'
import type { Zms } from '#ui/zms-calls.ts'
import { formsOf } from './visitor.ts'
import { startWebPage, textOf } from './web-page.ts'

const { admin, zms } = await startWebPage({ 'athenz.zms.domain_contact_types': 'security-owner,owner' })
const domainName = 'sports'
const place = { domain: domainName, service: 'api' }
await zms.call('postTopLevelDomain', { body: { name: domainName, adminUsers: ['user.admin'] } })
const DOMAIN = `/domain/${domainName}/settings`
const SERVICE = `/domain/${domainName}/service/api`
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = encodeYBase64(publicKey.export({ type: 'spki', format: 'pem' }))
const putKey = (id: string) => zms.call('putPublicKeyEntry', { ...place, id, body: { id, key } })
const describeDomain = (description: string) => zms.call('putDomainMeta', { name: domainName, body: { description } })
const described = (description: string) =>
  zms.call('putServiceIdentity', { ...place, body: { name: 'sports.api', description } })
const serviceNow = () => zms.call('getServiceIdentity', place)
await described('first')

/** The fields that a form of a page sends as it stands. */
async function formOf(path: string, action: string): Promise<Readonly<Record<string, string>>> {
  const { text } = await admin.get(path)
  const form = formsOf(text).find(({ values }) => values.get('action') === action)
  assert.ok(form, textOf(text))
  return Object.fromEntries(form.values)
}

/** ZMS where somebody else does something, each time right after something was read. */
function busyZms(others: readonly (() => Promise<unknown>)[]): Zms {
  const waiting = [...others]
  const anyCall = zms.call.bind(zms) as (...args: readonly unknown[]) => Promise<unknown>
  const call = async (...args: readonly unknown[]): Promise<unknown> => {
    const answer = await anyCall(...args)
    if (/^(?:get|search)/.test(String(args[0]))) await waiting.shift()?.()
    return answer
  }
  const calls: { readonly [K in keyof Zms]: unknown } = { call, find: call }
  return calls as Zms
}

/** Carries out an action of a page without the servers around it. */
const act = (page: Page, action: string, calls: Zms, fields: Readonly<Record<string, string>>) =>
  page.actions?.[action]?.({
    zms: calls,
    params: { domainName, name: 'readers', serviceName: 'api' },
    form: Fields.of(Object.entries(fields)),
  } as unknown as PageRequest)

describe('the second of two people', () => {
  test('is told that a setting of the domain was changed meanwhile, and changes others', async () => {
    const mine = await formOf(DOMAIN, 'save')
    await describeDomain('of somebody else')
    const lost = await admin.send(DOMAIN, 'save', { ...mine, description: 'mine', slackChannel: 'ours' })
    assert.equal(lost.status, 400)
    assert.match(
      textOf(lost.text),
      /Somebody else has changed “Description” meanwhile: it is “of somebody else” now\. Nothing has been changed/,
    )
    assert.equal((await zms.call('getDomain', { domain: domainName })).slackChannel, undefined)
    await admin.submit(DOMAIN, 'save', { ...mine, slackChannel: 'ours' })
    const { description, slackChannel } = await zms.call('getDomain', { domain: domainName })
    assert.deepEqual([description, slackChannel], ['of somebody else', 'ours'])
  })

  test('is told that a switch of the domain was turned meanwhile', async () => {
    const mine = await formOf(DOMAIN, 'save')
    const on = { ...mine, clientIdSelfUpdate: 'on' }
    await admin.submit(DOMAIN, 'save', on)
    const { clientIdSelfUpdate: _, ...off } = await formOf(DOMAIN, 'save')
    await admin.submit(DOMAIN, 'save', off)
    const lost = await admin.send(DOMAIN, 'save', { ...off, 'was.clientIdSelfUpdate': 'on' })
    assert.deepEqual(
      [lost.status === 303, (await zms.call('getDomain', { domain: domainName })).clientIdSelfUpdate],
      [false, false],
    )
    assert.match(
      textOf(lost.text),
      /Somebody else has changed “Let services change their own client id”.* it is off now/,
    )
  })

  test('takes back what was changed, however it was written', async () => {
    const changed = await admin.submit(DOMAIN, 'save', {
      ...(await formOf(DOMAIN, 'save')),
      contacts: ' security-owner = user.joe \r\n\r\nowner=user.jane',
      memberExpiryDays: '030',
    })
    assert.match(textOf(changed.text), /2 settings were changed/)
    await admin.undo(changed)
    const { contacts, memberExpiryDays } = await zms.call('getDomain', { domain: domainName })
    assert.deepEqual([contacts, memberExpiryDays], [undefined, undefined])
  })

  test('is told that a setting of a service was changed meanwhile', async () => {
    const mine = await formOf(SERVICE, 'change')
    await described('of somebody else')
    const lost = await admin.send(SERVICE, 'change', { ...mine, description: 'mine' })
    assert.equal(lost.status, 400)
    assert.match(textOf(lost.text), /Somebody else has changed “Description” meanwhile: it is “of somebody else” now\./)
    await admin.submit(SERVICE, 'change', { ...mine, executable: '/bin/api' })
    const { description, executable } = await serviceNow()
    assert.deepEqual([description, executable], ['of somebody else', '/bin/api'])
  })

  test('is told that the provider endpoint was changed meanwhile; otherwise the old one comes back', async () => {
    const providerEndpoint = 'https://localhost/first'
    const changed = await admin.submit(SERVICE, 'endpoint', {
      ...(await formOf(SERVICE, 'endpoint')),
      providerEndpoint,
    })
    assert.match(textOf(changed.text), /Provider endpoint https:\/\/localhost\/first/)
    const lost = await admin.send(SERVICE, 'endpoint', {
      'was.providerEndpoint': '',
      providerEndpoint: 'https://localhost/x',
    })
    assert.equal(lost.status, 400)
    assert.match(textOf(lost.text), /Somebody else has changed “Provider endpoint” meanwhile/)
    await admin.undo(changed)
    assert.equal((await serviceNow()).providerEndpoint, undefined)
  })
})

describe('what somebody else does between the reading and the writing stays:', () => {
  test('description and switches of a domain', async () => {
    await describeDomain('before')
    const others = ['first', 'second'].map((text) => () => describeDomain(text))
    await act(domainSettingsPage, 'save', busyZms(others), { 'was.onCall': '', onCall: 'us' })
    const { description, onCall } = await zms.call('getDomain', { domain: domainName })
    assert.deepEqual([description, onCall], ['second', 'us'])
  })

  test('switches of a role', async () => {
    const roleName = 'readers'
    await zms.call('putRole', { domainName, roleName, body: { name: roleName, description: 'before' } })
    const guard = () => zms.call('putRoleMeta', { domainName, roleName, body: { reviewEnabled: true } })
    await act(roleSettingsPage, 'save', busyZms([guard]), { 'was.maxMembers': '', maxMembers: '7' })
    const { reviewEnabled, maxMembers } = await zms.call('getRole', { domainName, roleName })
    assert.deepEqual([reviewEnabled, maxMembers], [true, 7])
  })

  test('keys of a service, while its settings and hosts are changed', async () => {
    await putKey('old')
    const remove = () => zms.call('deletePublicKeyEntry', { ...place, id: 'old' })
    const { description = '' } = await serviceNow()
    const settings = { 'was.description': description, description: 'saved' }
    await act(servicePage, 'change', busyZms([() => putKey('new'), remove]), settings)
    await act(servicePage, 'addHosts', busyZms([() => putKey('newest')]), { newHosts: 'a.example' })
    const { description: saved, publicKeys = [], hosts } = await serviceNow()
    assert.deepEqual(
      [saved, publicKeys.map(({ id }) => id).toSorted(), hosts],
      ['saved', ['new', 'newest'], ['a.example']],
    )
  })

  test('and the same setting is refused', async () => {
    const settings = { 'was.description': 'saved', description: 'mine' }
    await assert.rejects(async () => act(servicePage, 'change', busyZms([() => described('theirs')]), settings), {
      name: 'FormProblem',
      message: /Somebody else has changed “Description” meanwhile: it is “theirs” now\./,
    })
    assert.equal((await serviceNow()).description, 'theirs')
  })

  test('and when others come first every time, ZMS says so', async () => {
    const others = Array.from({ length: 10 }, (_, at) => () => putKey(`k${at}`))
    await assert.rejects(async () => act(servicePage, 'addHosts', busyZms(others), { newHosts: 'b.example' }), {
      status: 409,
      message: /sports\.api was changed after/,
    })
  })
})
