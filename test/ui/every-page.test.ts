import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Command } from 'commander'
import { Assets } from '#ui/assets.ts'
import { Fields } from '#ui/fields.ts'
import { document } from '#ui/layout.ts'
import { PageIndex } from '#ui/page-index.ts'
import { PAGES } from '#ui/pages.ts'
import type { Zms } from '#ui/zms-calls.ts'
import { addControlCommands } from '../../src/cli/control/control-commands.ts'
import { explainCommand } from '../../src/cli/explain.ts'
import { foreignLinks, HOSTILE, hostileZms, type Spoil } from './hostile.ts'
import { pageVisits, type Sights, unvisited } from './page-visits.ts'
import { formsOf, type Shown, unescaped } from './visitor.ts'
import { callsOf, foreignCode, repeatedIds, startWebPage, textOf } from './web-page.ts'

const CALLS = 3
const member = 'user.jane'
const sights: Sights = {
  domain: 'sports',
  role: 'players',
  group: 'team',
  member,
  indirectRole: 'everybody',
  delegatedRole: 'guests',
  tag: { key: 'tag-key', value: 'written-tag' },
  policy: 'games',
  version: 'next',
  assertion: 0,
  service: 'api',
  template: 'user_provisioning',
  action: 'play',
  resource: 'sports:field.main',
  sought: ['sports', 'team', 'sports.api', member, 'written-tag', 'written-account'],
}

/** Nothing is asked there. */
const WITHOUT_COMMANDS: readonly string[] = ['/search']

/** Commands that read their words, and do nothing. Words that they do not take are an error. */
function readOnly(command: Command): Command {
  command.exitOverride().configureOutput({ writeErr: () => {} })
  for (const each of command.commands) readOnly(each)
  if (command.commands.length === 0) command.action(() => {})
  return command
}

test('every page is visited', () => {
  assert.deepEqual(unvisited(pageVisits(sights)), [])
})

const { admin, joe, zms } = await startWebPage({
  'athenz.ui.sign_in_attempts_per_minute': '100',
  'athenz.zms.domain_contact_types': 'security-owner',
})
const { domain: domainName, role: roleName, group: groupName, policy: policyName } = sights
await zms.call('postTopLevelDomain', { body: { name: domainName, adminUsers: ['user.admin'] } })
/** What people write: each has a word of its own, by which it is found again. */
const written = (what: string) => `written-${what}`
const tags = { 'tag-key': { list: [written('tag')] } }
await zms.call('putDomainMeta', {
  name: domainName,
  body: {
    description: written('domain'),
    applicationId: written('application'),
    slackChannel: written('channel'),
    onCall: written('on-call'),
    contacts: { 'security-owner': 'user.jane' },
    tags,
  },
})
for (const [attribute, body] of Object.entries({
  account: { account: written('account') },
  azuresubscription: { azureSubscription: written('subscription'), azureTenant: 't', azureClient: 'c' },
  gcpproject: { gcpProject: written('project'), gcpProjectNumber: '7' },
  businessservice: { businessService: written('business') },
  productid: { productId: written('product') },
})) {
  await zms.call('putDomainSystemMeta', { name: domainName, attribute, body })
}
await zms.call('putRole', {
  domainName,
  roleName,
  body: { name: roleName, description: written('role'), tags, roleMembers: [{ memberName: member }] },
})
await zms.call('putRoleMeta', { domainName, roleName, body: { reviewEnabled: true } })
const asked = { domainName, roleName, memberName: 'user.joe', auditRef: written('request') }
await zms.call('putMembership', { ...asked, body: { memberName: 'user.joe' } })
await zms.call('putGroup', { domainName, groupName, body: { name: groupName, groupMembers: [{ memberName: member }] } })
const joining = { domainName, groupName, memberName: 'user.joe', auditRef: written('reason') }
await zms.call('putGroupMembership', { ...joining, body: { memberName: 'user.joe' } })
const { indirectRole, delegatedRole } = sights
const throughGroup = [{ memberName: `${domainName}:group.${groupName}` }]
const indirect = { name: indirectRole, roleMembers: throughGroup }
await zms.call('putRole', { domainName, roleName: indirectRole, body: indirect })
await zms.call('putRole', { domainName, roleName: delegatedRole, body: { name: delegatedRole, trust: 'sys.auth' } })
const { resource, action } = sights
const conditions = {
  conditionsList: [{ conditionsMap: { place: { operator: 'EQUALS' as const, value: 'condition' } } }],
}
const assertions = [{ role: `${domainName}:role.${roleName}`, resource, action, conditions }]
await zms.call('putPolicy', {
  domainName,
  policyName,
  body: { name: policyName, tags, assertions },
})
await zms.call('putPolicyVersion', { domainName, policyName, body: { version: sights.version } })
const { service, template } = sights
await zms.call('putServiceIdentity', {
  domain: domainName,
  service,
  body: {
    name: `${domainName}.${service}`,
    description: written('service'),
    executable: '/usr/bin/executable',
    user: 'unix-user',
    group: 'unix-group',
    hosts: ['host.example'],
    tags,
  },
})
await zms.call('putDomainTemplate', { name: domainName, body: { templateNames: [template] } })
const { list } = await zms.call('searchAssertions', { domainName, policyName, limit: 1 })
const assertion = list[0]?.id ?? 0
const visits = pageVisits({ ...sights, assertion })
/** A visit as the name of a test: the id of the assertion is another one each time. */
const named = (target: string) => target.replace(String(assertion), 'ID')

for (const target of visits) {
  test(`${named(target)} needs at most ${CALLS} calls to ZMS`, async () => {
    const page = await admin.get(target)
    assert.equal(page.status, 200, textOf(page.text))
    assert.ok(callsOf(page) <= CALLS, `${callsOf(page)} calls`)
    assertHarmless(page)
    assert.deepEqual(repeatedIds(page.text), [])
  })
}

describe('the command line can do what a page does:', () => {
  const program = new Command('athenz').addCommand(explainCommand())
  addControlCommands(program)
  readOnly(program)

  for (const target of visits.filter((visit) => !WITHOUT_COMMANDS.includes(visit))) {
    test(named(target), async () => {
      const [, shown] = /<section class="commands".*?<pre[^>]*>(.*?)<\/pre>/s.exec((await admin.get(target)).text) ?? []
      assert.ok(shown, 'the page shows no command')
      for (const line of unescaped(shown).split('\n')) {
        const [name, ...words] = [...line.matchAll(/'((?:[^']|'\\'')*)'|\S+/g)].map(([word, quoted]) =>
          quoted === undefined ? word : quoted.replaceAll("'\\''", "'"),
        )
        assert.equal(name, 'athenz')
        await program.parseAsync(words, { from: 'user' })
      }
    })
  }

  test('and the pages without a command have nothing to do yet', async () => {
    for (const target of WITHOUT_COMMANDS) assert.doesNotMatch((await admin.get(target)).text, /class="commands"/)
  })
})

/** Texts of people of every kind, as pages show them. */
const SHOWN_SOMEWHERE = ['domain', 'application', 'channel', 'on-call', 'account', 'subscription', 'project']
  .concat('business', 'product', 'role', 'service', 'tag', 'request', 'reason')
  .map(written)
  .concat('tag-key', 'security-owner', 'user.jane', 'condition', 'place', '/usr/bin/executable')
  .concat('unix-user', 'unix-group', 'host.example', 'sports:role.players', 'sports:field.main')

const index = new PageIndex(PAGES)
/** All pages with values for their placeholders. */
const places = PAGES.map((page) => {
  const pathname = visits.map((visit) => visit.split('?', 1)[0] ?? '').find((each) => index.find(each)?.page === page)
  const params = index.find(pathname ?? '')?.params
  assert.ok(pathname !== undefined && params !== undefined)
  return { page, params, pathname }
})

const assertHarmless = ({ text }: Pick<Shown, 'text'>) =>
  assert.deepEqual([foreignCode(text), foreignLinks(text)], [[], []])

test('code that was not made text is seen, wherever it stands', () => {
  for (const page of [`<p>${HOSTILE}</p>`, `<p title="${HOSTILE}">x</p>`, `<a href="${HOSTILE}">x</a>`]) {
    assert.notDeepEqual(foreignCode(page), [], page)
  }
  assert.notDeepEqual(foreignLinks(`<a href="${HOSTILE}">x</a>`), [])
  for (const to of ['//evil.example', '/\\evil.example', 'https://evil.example', ' javascript:alert(1)']) {
    assert.deepEqual(foreignLinks(`<form action="${to}">`), [to])
  }
})

describe('what ZMS tells is text and nothing else, whatever is in it:', async () => {
  const assets = await Assets.read()
  const seen = new Set<string>()

  /** The page without the servers around it. */
  async function shownWith(calls: Zms, target: string): Promise<string> {
    const [pathname = '', query = ''] = target.split('?')
    const found = index.find(pathname)
    assert.ok(found)
    const view = await found.page.load({
      params: found.params,
      query: Fields.parse(query),
      target,
      zms: calls,
      principal: HOSTILE,
      csrfToken: HOSTILE,
      now: Date.now(),
      pageSize: 50,
      issuing: { ztsUrl: HOSTILE, ztsCaFile: HOSTILE, dnsSuffix: HOSTILE },
      form: Fields.none,
    })
    const undo = { to: '/', action: HOSTILE, fields: { [HOSTILE]: HOSTILE } }
    const frame = { assets, person: { principal: HOSTILE, csrfToken: HOSTILE }, notice: { text: HOSTILE, undo } }
    return document(view, { ...frame, problem: HOSTILE })
  }

  const ways: readonly (readonly [string, Spoil])[] = [
    ['ends with code', (text) => text + HOSTILE],
    ['begins with code', (text) => HOSTILE + text],
  ]
  for (const [way, spoil] of ways) {
    const calls = hostileZms(zms, spoil)
    for (const target of visits) {
      test(`${named(target)}, where every text ${way}`, async () => {
        const text = await shownWith(calls, target)
        assertHarmless({ text })
        const shown = unescaped(text)
        for (const each of SHOWN_SOMEWHERE) if (shown.includes(each + HOSTILE)) seen.add(each)
      })
    }
  }

  test('and the pages show it all', () => {
    assert.deepEqual(
      SHOWN_SOMEWHERE.filter((each) => !seen.has(each)),
      [],
    )
  })
})

describe('what is asked for is text, too:', () => {
  /** Names of all fields of queries. */
  const names = ['filter', 'skip', 'state', 'expand', 'tagKey', 'tagValue', 'q', 'principal', 'action', 'resource']
    .concat('member', 'parent', 'effect', 'role', 'assertedAction', 'version', 'shown', 'caseSensitive', 'next')
    .concat('keysFrom', 'hostsFrom', 'requests', 'memberships')
  const query = new URLSearchParams(names.map((name): [string, string] => [name, HOSTILE])).toString()

  for (const { page, params, pathname } of places) {
    test(`in the query of ${page.path}`, async () => {
      const shown = await admin.get(`${pathname}?${query}`)
      assert.ok([200, 400, 404].includes(shown.status), String(shown.status))
      assertHarmless(shown)
    })
    for (const spoiltName of Object.keys(params)) {
      test(`as ${spoiltName} in ${page.path}`, async () => {
        const value = (name: string) => (name === spoiltName ? HOSTILE : (params[name] ?? ''))
        const shown = await admin.get(
          page.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(value(name))),
        )
        assert.ok([200, 400, 404].includes(shown.status), String(shown.status))
        assertHarmless(shown)
      })
    }
  }
})

describe('a form that was not made in this session does nothing, and is shown again as it was written:', async () => {
  /** Names of fields that are there only when there is something to do. */
  const rare = ['member', 'members', 'added', 'requested', 'version', 'assertion', 'condition', 'lines', 'keyId']
  const csrfOfJoe = formsOf((await joe.get('/')).text)[0]?.values.get('csrf') ?? ''
  assert.notEqual(csrfOfJoe, '')
  /** All that could be another one when something was done. */
  const state = async () => [
    await zms.call('getDomain', { domain: domainName }),
    await zms.call('getDomainList'),
    await zms.call('searchRoleMembers', { domainName, roleName }),
    await zms.call('searchGroupMembers', { domainName, groupName }),
  ]
  const before = await state()

  for (const { page, pathname } of places) {
    for (const name of Object.keys(page.actions ?? {})) {
      test(`${name} of ${page.path}`, async () => {
        const visit = visits.find((each) => each.split('?', 1)[0] === pathname) ?? pathname
        const form = formsOf((await admin.get(visit)).text).find(({ values }) => values.get('action') === name)
        const fields = [...(form?.values.keys() ?? []), ...rare]
        const forged = Object.fromEntries(fields.map((field) => [field, HOSTILE]))
        for (const csrf of ['', csrfOfJoe, HOSTILE]) {
          const refused = await admin.send(visit, name, { ...forged, action: name, csrf })
          assert.equal(refused.status, 403, textOf(refused.text))
          assert.match(textOf(refused.text), /Look at it again, then send it once more/)
          assertHarmless(refused)
        }
        assert.deepEqual(await state(), before)
      })
    }
  }
})

describe('a form that is kept through the sign-in leads to this page alone:', () => {
  const person = { user: 'joe', password: 'joe', 'kept.action': 'create', 'kept.name': HOSTILE }
  const elsewhere = [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    '/\t/evil.example',
    '\\\\evil.example',
    'javascript:alert(1)',
    '/.//evil.example',
    '/domain/..//evil.example',
    ' //evil.example',
    HOSTILE,
  ]

  for (const to of elsewhere) {
    test(JSON.stringify(to), async () => {
      const shown = await joe.send('/sign-in', '', { ...person, 'kept-to': to, next: to })
      // What leads nowhere here leads to the first page.
      assert.deepEqual([shown.status, shown.headers['location'], shown.heading], [200, undefined, 'Home'])
      assertHarmless(shown)
      const refused = await joe.send('/sign-in', '', { ...person, password: 'wrong', 'kept-to': to, next: to })
      assert.equal(refused.status, 401)
      assertHarmless(refused)
    })
  }

  test('and there it is only shown', async () => {
    const shown = await joe.send('/sign-in', '', { ...person, 'kept-to': '/new-domain?parent=a' })
    assert.equal(shown.status, 200)
    assertHarmless(shown)
    const [, form] = formsOf(shown.text)
    assert.deepEqual([form?.to, form?.values.get('name')], ['/new-domain?parent=a', HOSTILE])
  })
})
