import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formsOf, type Shown, unescaped } from './visitor.ts'
import { startWebPage, textOf } from './web-page.ts'

const PERSON = 'user.joe'
const { admin, joe, zms } = await startWebPage()

/** A domain in which somebody may delete the role `target` as soon as one thing has been changed. */
interface Remedy {
  /** What is to be advised. */
  readonly text: RegExp
  /** Members of the role `movers`, which a policy lets delete the role `target`. */
  readonly movers?: Readonly<Record<string, { readonly expiration?: number }>>
  /** Further settings of that role. */
  readonly settings?: object
  /** Assertions of the policy, when others than that one. */
  readonly assertions?: (domainName: string) => readonly object[]
  /** Goes on from the domain as it is made of these. */
  readonly prepare?: (domainName: string) => Promise<void>
  /** Follows the advice on the page where it is given. */
  readonly follow: (advice: Advice) => Promise<void>
}

/** One piece of advice, as the administrator sees it. */
class Advice {
  readonly domainName: string
  readonly #text: string

  constructor({ text }: Shown, domainName: string, wanted: RegExp) {
    this.domainName = domainName
    const all = /<section aria-labelledby="remedies">(.*?)<\/section>/s.exec(text)?.[1] ?? ''
    const found = [...all.matchAll(/<li>(.*?)<\/li>/gs)].find(([item]) => wanted.test(textOf(item)))
    assert.ok(found, textOf(all))
    this.#text = found[0]
  }

  /** Sends its form for an action. */
  async send(action: string): Promise<void> {
    await send(this.#text, action)
  }

  /** Opens the page that it leads to by a link, which must be this one. */
  async open(path: string): Promise<Shown> {
    const links = [...this.#text.matchAll(/<a href="([^"]*)"/g)].map(([, to = '']) => unescaped(to))
    assert.ok(links.includes(path), `leads to ${links.join(', ')}`)
    const page = await admin.get(path)
    assert.equal(page.status, 200, textOf(page.text))
    return page
  }
}

/** Sends a form as it stands on a page, with these fields filled in. */
async function send(page: string, action: string, filled: Readonly<Record<string, string>> = {}): Promise<Shown> {
  const form = formsOf(page).find(({ values }) => values.get('action') === action)
  assert.ok(form, `no form for ${action}: ${textOf(page)}`)
  const { action: _, csrf: __, ...fields } = Object.fromEntries(form.values)
  return admin.submit(form.to, action, { ...fields, ...filled })
}

const grant = (domainName: string, role = 'movers', more: object = {}) => ({
  role: `${domainName}:role.${role}`,
  action: 'delete',
  resource: `${domainName}:role.target`,
  ...more,
})
const everybody = { 'user.*': {} }
const HOUR_MILLIS = 3_600_000
const ago = () => ({ expiration: Date.now() - HOUR_MILLIS })

const REMEDIES: Readonly<Record<string, Remedy>> = {
  // First of all: whoever is suspended is so in all roles there are.
  'enable-member': {
    text: /enable the membership of user\.joe in role \S+:role\.movers/,
    movers: { [PERSON]: {} },
    async prepare() {
      await zms.call('putPrincipalState', { principalName: PERSON, auditRef: 'x', body: { suspended: true } })
    },
    async follow(advice) {
      const page = await advice.open(`/domain/${advice.domainName}/role/movers/member/${PERSON}`)
      assert.match(textOf(page.text), /State disabled by operator/)
      await zms.call('putPrincipalState', { principalName: PERSON, auditRef: 'x', body: { suspended: false } })
    },
  },
  'add-member': {
    text: /add user\.joe to role \S+:role\.movers/,
    follow: (advice) => advice.send('addMember'),
  },
  'renew-member': {
    text: /renew the membership of user\.joe in role \S+:role\.movers/,
    movers: { [PERSON]: ago() },
    async follow(advice) {
      const page = await advice.open(`/domain/${advice.domainName}/role/movers/member/${PERSON}`)
      assert.match(textOf(page.text), /State expired/)
      await send(page.text, 'save', { expiration: '2038-01-31' })
    },
  },
  'renew-member of a group': {
    text: /renew the membership of user\.joe in group \S+:group\.team/,
    async prepare(domainName) {
      const groupMembers = [{ memberName: PERSON, ...ago() }]
      await zms.call('putGroup', { domainName, groupName: 'team', body: { name: 'team', groupMembers } })
      const memberName = `${domainName}:group.team`
      await zms.call('putMembership', { domainName, roleName: 'movers', memberName, body: { memberName } })
    },
    async follow(advice) {
      const page = await advice.open(`/domain/${advice.domainName}/group/team/member/${PERSON}`)
      await send(page.text, 'save', { expiration: '2038-01-31' })
    },
  },
  'approve-member': {
    text: /approve the pending request for user\.joe in role \S+:role\.movers/,
    settings: { selfServe: true },
    async prepare(domainName) {
      await joe.submit(`/domain/${domainName}/role/movers`, 'add', { member: PERSON })
    },
    async follow(advice) {
      const page = await advice.open(`/domain/${advice.domainName}/role/movers/member/${PERSON}`)
      await send(page.text, 'approve')
    },
  },
  'create-role': {
    text: /create role \S+:role\.absent with user\.joe as member/,
    assertions: (domainName) => [grant(domainName, 'absent')],
    async follow(advice) {
      const page = await advice.open(`/domain/${advice.domainName}/roles`)
      await send(page.text, 'create', { name: 'absent', members: PERSON })
    },
  },
  'add-assertion': {
    text: /let role \S+:role\.movers delete \S+:role\.target/,
    movers: { [PERSON]: {} },
    assertions: (domainName) => [grant(domainName, 'movers', { action: 'rename' })],
    async follow(advice) {
      const resource = `${advice.domainName}:role.target`
      const written = new URLSearchParams({
        role: `${advice.domainName}:role.movers`,
        assertedAction: 'delete',
        resource,
      }).toString()
      const page = await advice.open(`/domain/${advice.domainName}/policy/targets/new-assertion?${written}`)
      await send(page.text, 'add')
    },
  },
  'remove-assertion': {
    text: /remove from policy targets: DENY/,
    movers: everybody,
    assertions: (domainName) => [grant(domainName), grant(domainName, 'movers', { effect: 'DENY' })],
    follow: (advice) => advice.send('removeAssertion'),
  },
  'remove-member': {
    text: /take user\.joe out of role \S+:role\.blocked/,
    movers: everybody,
    assertions: (domainName) => [grant(domainName), grant(domainName, 'blocked', { effect: 'DENY' })],
    async prepare(domainName) {
      const roleMembers = [{ memberName: PERSON }]
      await zms.call('putRole', { domainName, roleName: 'blocked', body: { name: 'blocked', roleMembers } })
    },
    follow: (advice) => advice.send('removeMember'),
  },
  'activate-version': {
    text: /activate policy targets version next/,
    movers: { [PERSON]: {} },
    assertions: () => [],
    async prepare(domainName) {
      const place = { domainName, policyName: 'targets' }
      const version = 'next'
      await zms.call('putPolicyVersion', { ...place, body: { version } })
      await zms.call('putAssertionPolicyVersion', { ...place, version, body: grant(domainName) })
    },
    follow: (advice) => advice.send('activate'),
  },
}

describe('the page of what somebody may not do leads to advice', () => {
  for (const [index, [kind, remedy]] of Object.entries(REMEDIES).entries()) {
    test(`that is followed until it may: ${kind}`, async () => {
      const domainName = `advice${index}`
      await make(domainName, remedy)
      const deletion = `/domain/${domainName}/role/target/delete`
      const refused = await joe.send(deletion, 'delete', { name: 'target' })
      assert.equal(refused.status, 403, textOf(refused.text))
      assert.match(textOf(refused.text), /ZMS refuses: \S/)
      const why = /<a href="([^"]*)">Why, and what would change it<\/a>/.exec(refused.text)?.[1]
      const told = await joe.get(unescaped(why ?? ''))
      assert.match(textOf(told.text), new RegExp(`not allowed user\\.joe may not delete ${domainName}:role\\.target`))
      assert.match(textOf(told.text), remedy.text)
      const shown = await admin.get(unescaped(why ?? ''))
      await remedy.follow(new Advice(shown, domainName, remedy.text))
      assert.match(textOf((await joe.get(unescaped(why ?? ''))).text), /allowed user\.joe may delete/)
      const deleted = await joe.send(deletion, 'delete', { name: 'target' })
      assert.equal(deleted.status, 303, textOf(deleted.text))
    })
  }
})

async function make(domainName: string, remedy: Remedy): Promise<void> {
  const { movers = {}, settings = {}, assertions = (name) => [grant(name)], prepare } = remedy
  await zms.call('postTopLevelDomain', { body: { name: domainName, adminUsers: ['user.admin'] } })
  await zms.call('putRole', { domainName, roleName: 'target', body: { name: 'target' } })
  const roleMembers = Object.entries(movers).map(([memberName, dates]) => ({ memberName, ...dates }))
  await zms.call('putRole', { domainName, roleName: 'movers', body: { name: 'movers', ...settings, roleMembers } })
  const body = {
    name: 'targets',
    assertions: assertions(domainName) as { role: string; action: string; resource: string }[],
  }
  await zms.call('putPolicy', { domainName, policyName: 'targets', body })
  await prepare?.(domainName)
}
