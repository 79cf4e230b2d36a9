import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { certificateIdentity } from '#client/identity.ts'
import { ZmsClient } from '#client/zms-client.ts'
import type { DevServers } from '../../support/dev-servers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startPages } from '../pages-of-dev.ts'
import { unescaped, Visitor } from '../visitor.ts'

const DAY_MILLIS = 86_400_000
const dir = temporaryFolder()
let servers: DevServers
let admin: Visitor
let zms: ZmsClient

before(async () => {
  servers = await startPages(dir, { 'athenz.ui.page_size': '3' })
  const { summary } = servers
  admin = await Visitor.signedIn(summary)
  const [ca, cert, key] = [summary.ca, summary.adminCert, summary.adminKey].map((file) => readFileSync(file, 'utf8'))
  zms = new ZmsClient({
    url: summary.zms ?? '',
    ca: ca ?? '',
    identity: certificateIdentity({ cert: cert ?? '', key: key ?? '' }),
  })
  const adminUsers = ['user.admin']
  await zms.call('postTopLevelDomain', {
    body: { name: 'sports', adminUsers, tags: { sector: { list: ['leisure'] } } },
  })
  for (const name of ['alpha', 'beta', 'gamma', 'delta']) {
    await zms.call('postSubDomain', { parent: 'sports', body: { name, adminUsers, parent: 'sports' } })
  }
  const role = { domainName: 'sports', roleName: 'readers' }
  await zms.call('putRole', { ...role, body: { name: 'sports:role.readers', selfServe: true, memberReviewDays: 1 } })
  for (const [member, days] of [
    ['user.admin', 5],
    ['user.later', 90],
  ] as const) {
    const body = { memberName: member, expiration: Date.now() + days * DAY_MILLIS }
    await zms.call('putMembership', { ...role, memberName: member, body })
  }
})
after(async () => {
  await zms.close()
  await servers[Symbol.asyncDispose]()
})

const callsOf = (headers: Readonly<Record<string, unknown>>): number =>
  Number(/desc="(\d+) calls"/.exec(String(headers['server-timing']))?.[1])

async function signedIn(name: string): Promise<Visitor> {
  const visitor = new Visitor(servers.summary)
  assert.equal((await visitor.post('/sign-in', { user: name, password: name })).status, 303)
  return visitor
}

describe('the first page', () => {
  test('shows the domains of the person a part at a time, and asks ZMS twice', async () => {
    const domains = async (path: string) => {
      const { text, headers } = await admin.get(path)
      assert.equal(callsOf(headers), 2)
      const names = [...text.matchAll(/<th scope="row"><a href="\/domain\/[^"]+">([^<]+)</g)].map(([, name]) => name)
      const total = Number(/Domains that you administer \((\d+)\)/.exec(text)?.[1])
      return { names, total, next: unescaped(/<a href="([^"]+)" rel="next">/.exec(text)?.[1] ?? '') }
    }
    const { total, ...first } = await domains('/')
    assert.equal(first.names.length, 3)
    const found = [...first.names]
    for (let { next } = first; next !== ''; ) {
      const part = await domains(next)
      found.push(...part.names)
      next = part.next
    }
    assert.equal(found.length, total)
    assert.deepEqual(
      found.toSorted((a = '', b = '') => (a < b ? -1 : 1)),
      found,
    )
    const filtered = await domains('/?filter=LTA')
    assert.deepEqual(filtered, { names: ['sports.delta'], total: 1, next: '' })
    assert.match((await admin.get('/?filter=nowhere')).text, /No domain of yours fits/)
    const joe = await (await signedIn('joe')).get('/')
    assert.match(joe.text, /You administer no domain/)
    assert.match(joe.text, /No requests wait for your decision/)
  })

  test('shows the requests that wait for a decision', async () => {
    const joe = await signedIn('joe')
    // What the person may ask for, the page may ask for as that person.
    const cookie = decodeURIComponent(joe.cookies.get('__Host-athenz-session') ?? '')
    assert.match(cookie, /;b=sys\.auth\.ui-server;/)
    await zms.call('putRole', {
      domainName: 'sports',
      roleName: 'audited',
      body: { name: 'sports:role.audited', reviewEnabled: true },
    })
    const body = { memberName: 'user.jane' }
    await zms.call('putMembership', {
      domainName: 'sports',
      roleName: 'audited',
      memberName: 'user.jane',
      auditRef: 'x',
      body,
    })
    const { text } = await admin.get('/')
    // The other is a membership that ends.
    assert.match(text, /Waiting for you \(2\)/)
    assert.match(text, /user\.jane<\/th><td><a href="\/domain\/sports\/role\/audited">role audited<\/a>/)
    for (const name of ['user.a', 'user.b', 'user.c']) {
      await zms.call('putMembership', {
        domainName: 'sports',
        roleName: 'audited',
        memberName: name,
        auditRef: 'x',
        body: { memberName: name },
      })
    }
    const home = await admin.get('/')
    assert.match(home.text, /Waiting for you \(5\)/)
    assert.match(home.text, /<a href="\/due#requests">All 4 requests<\/a>/)
    assert.doesNotMatch(home.text, /user\.c<\/th>/)
    const first = await admin.get('/due')
    assert.match(first.text, /To decide \(4\)/)
    assert.doesNotMatch(first.text, /user\.c<\/th>/)
    const next = /<nav class="pager" aria-label="Pages of requests"><a href="([^"]+)" rel="next">/.exec(first.text)?.[1]
    assert.match((await admin.get(unescaped(next ?? ''))).text, /user\.c<\/th>/)
  })
})

describe('what is due', () => {
  test('is what to decide, to review and to renew', async () => {
    const { text, headers, status } = await admin.get('/due')
    assert.equal(status, 200)
    assert.equal(callsOf(headers), 3)
    assert.match(text, /role <a href="\/domain\/sports\/role\/readers">readers<\/a>/)
    assert.match(text, /ends soon/)
    assert.match((await (await signedIn('later')).get('/due')).text, /None of your memberships ends within 30 days/)
    assert.equal((await (await signedIn('nobody')).get('/due')).status, 200)
  })
})

describe('the search', () => {
  test('finds domains, roles, principals and tags with one call', async () => {
    for (const [q, expected] of [
      ['port', '<a href="/domain/sports">sports</a>'],
      ['reader', '<a href="/domain/sports/role/readers">readers</a>'],
      ['later', 'user.later'],
      ['sector', 'sector=leisure'],
    ] as const) {
      const { text, headers } = await admin.get(`/search?q=${q}`)
      assert.ok(text.includes(expected), `${q}: ${text}`)
      assert.equal(callsOf(headers), 1)
    }
    assert.match((await admin.get('/search?q=%3Cb%3Enothing')).text, /Nothing has a name like “&lt;b&gt;nothing”/)
    assert.match((await admin.get('/search?q=x')).text, /Write 2 characters or more/)
  })
})

describe('a domain', () => {
  test('shows the domains below it a page at a time', async () => {
    const names = async (path: string) => {
      const { text, headers } = await admin.get(path)
      assert.equal(callsOf(headers), 3)
      const found = [...text.matchAll(/<th scope="row"><a href="\/domain\/sports\.(\w+)">/g)].map(([, name]) => name)
      return { found, next: /<a href="([^"]+)" rel="next">/.exec(text)?.[1] }
    }
    const first = await names('/domain/sports')
    assert.deepEqual(first.found, ['alpha', 'beta', 'delta'])
    const second = await names(first.next ?? '')
    assert.deepEqual(second, { found: ['gamma'], next: undefined })
  })

  test('shows what happened to the members of its roles and groups, with what was said', async () => {
    const role = { domainName: 'sports', roleName: 'readers' }
    const body = { memberName: 'user.told' }
    await zms.call('putMembership', { ...role, memberName: 'user.told', auditRef: '<b>ticket</b>', body })
    const { text, headers } = await admin.get('/domain/sports/history')
    assert.equal(callsOf(headers), 1)
    assert.match(text, /user\.told<\/td><td><a href="\/domain\/sports\/role\/readers">role readers<\/a>/)
    assert.match(text, /&lt;b&gt;ticket&lt;\/b&gt;/)
    const next = /<a href="([^"]+)" rel="next">/.exec(text)?.[1]
    assert.ok(next)
    assert.doesNotMatch((await admin.get(next)).text, /user\.told/)
    assert.match((await admin.get('/domain/sports/history?filter=nobody')).text, /Nothing is known/)
  })
})
