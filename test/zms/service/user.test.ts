import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { userService } from '#zms/service/user.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role, service } from './objects.ts'

const services = [userService]
const WHY = { headers: { 'Y-Audit-Ref': 'why' } }
const zms = await Harness.open({ services, properties: { addl_user_check_domains: 'guest' } })
beforeEach(() => zms.createDomain('sports'))

const remove = (name: string, options: object = WHY) => zms.delete(`/user/${name}`, options)
const membersOf = async (domain: string, name: string, kind: 'roles' | 'groups' = 'roles') => {
  const list = [...((await zms.domain(domain))[kind].get(name)?.members ?? [])]
  return list.map(({ memberName }) => memberName)
}

describe('the list of users', () => {
  test('has every user that was ever a member, in full', async () => {
    await zms.createDomain('guest')
    await zms.createDomain('user.alice')
    await commit(
      zms,
      ...role('sports', 'r', ['user.bob', 'user.alice', 'user.*', 'guest.visitor', 'user.alice.api', 'sports.api']),
      ...group('user.alice', 'friends', ['user.carol']),
      ...role('sports', 'g', ['user.alice:group.friends']),
      {
        kind: 'putPendingRoleMember',
        domain: 'sports',
        role: 'r',
        value: { memberName: 'user.newbie', requestTime: 0, pendingState: 'ADD' },
      },
    )
    const users = ['user.*', 'user.admin', 'user.alice', 'user.bob', 'user.carol', 'user.newbie', 'user.owner']
    assert.deepEqual((await zms.get('/user', { as: 'user.eve' })).body, { names: users })
    assert.deepEqual((await zms.get('/user?domain=USER')).body, { names: users })
    assert.deepEqual((await zms.get('/user?domain=')).body, { names: users })
    assert.deepEqual((await zms.get('/user?domain=guest')).body, { names: ['guest.visitor'] })
  })

  test('is there for domains of users only', async () => {
    assert.deepEqual(await zms.get('/user?domain=sports'), refusal(400, 'Unknown user domain'))
    assert.equal((await zms.get('/user?domain=b!d')).status, 400)
  })
})

describe('deleting a user', () => {
  test('takes everything of the user away, and leaves what belongs to others', async () => {
    for (const name of ['user.zed', 'user.zed.sub', 'user.zed.sub.deep', 'user.zeda']) await zms.createDomain(name)
    await commit(
      zms,
      ...service('user.zed', 'mine'),
      ...group('user.zed', 'friends', ['user.bob']),
      ...role('sports', 'r', [
        'user.zed',
        'user.zed.mine',
        'user.zed.sub.x',
        'user.zed:group.friends',
        'user.zeda',
        'user.bob',
      ]),
      ...group('sports', 'g', ['user.zed', 'user.bob']),
      ...role('user.zeda', 'r', ['user.zed', 'user.zeda.mine']),
      {
        kind: 'putPendingRoleMember',
        domain: 'sports',
        role: 'r',
        value: { memberName: 'user.zed', requestTime: 0, pendingState: 'DELETE' },
      },
      {
        kind: 'putPendingGroupMember',
        domain: 'sports',
        group: 'g',
        value: { memberName: 'user.other', requestTime: 0, pendingState: 'ADD' },
      },
    )
    await zms.store.transact([], (transaction) =>
      transaction.apply({ kind: 'putDependency', dependentDomain: 'user.zed', service: 'media.storage' }),
    )
    assert.deepEqual(await remove('ZED'), NOTHING)
    for (const name of ['user.zed', 'user.zed.sub', 'user.zed.sub.deep']) {
      assert.equal(await zms.store.domain(name), undefined)
    }
    assert.deepEqual(await membersOf('sports', 'r'), ['user.zeda', 'user.bob'])
    assert.deepEqual(await membersOf('sports', 'g', 'groups'), ['user.bob'])
    assert.deepEqual(await membersOf('user.zeda', 'r'), ['user.zeda.mine'])
    const { roles, groups } = await zms.domain('sports')
    assert.equal(roles.get('r')?.pending.size, 0)
    assert.equal(groups.get('g')?.pending.size, 1)
    assert.deepEqual(await zms.store.dependentServices('user.zed'), [])
    for (const name of ['user.zed', 'user.zed.mine', 'user.zed:group.friends']) {
      assert.equal(await zms.store.principal(name), undefined)
    }
    assert.equal(await zms.store.principal('user.zeda'), 0)
    const history = await zms.store.roleAudit('sports', 'r')
    assert.deepEqual(
      history
        .filter(({ member }) => member === 'user.zed')
        .map(({ action, admin, auditRef }) => [action, admin, auditRef]),
      [
        ['DELETE', 'user.admin', 'why'],
        ['REJECT', 'user.admin', 'why'],
      ],
    )
    assert.equal(zms.audit.at(-1)?.entity, 'user.zed')
  })

  test('is no error when there is nothing to take away', async () => {
    assert.deepEqual(await remove('nobody'), NOTHING)
    assert.deepEqual(await remove('nobody'), NOTHING)
  })

  test('removes a user from the contacts of domains', async () => {
    await zms.createDomain('sports', {
      contacts: new Map([
        ['owner', 'user.zed'],
        ['other', 'user.bob'],
      ]),
    })
    await zms.createDomain('media', { contacts: new Map([['owner', 'user.zed']]), description: 'kept' })
    assert.deepEqual(await remove('zed'), NOTHING)
    assert.deepEqual([...((await zms.domain('sports')).contacts ?? [])], [['other', 'user.bob']])
    assert.equal((await zms.domain('media')).contacts, undefined)
    assert.equal((await zms.domain('media')).description, 'kept')
  })

  test('makes the manager the contact, and follows names of homes', async () => {
    const userAuthority: Authority = {
      id: 'Auth-USERS',
      credentialSource: 'header',
      allowAuthorization: true,
      userManager: async (name) => (name === 'user.zed' ? 'user.boss' : undefined),
      userDomainName: (name) => `home-of-${name}`,
    }
    const other = await Harness.open({ services, userAuthority })
    await other.createDomain('user.home-of-zed')
    await other.createDomain('user.zed')
    await other.createDomain('sports', { contacts: new Map([['owner', 'user.zed']]) })
    assert.deepEqual(await other.delete('/user/zed', WHY), NOTHING)
    assert.deepEqual([...((await other.domain('sports')).contacts ?? [])], [['owner', 'user.boss']])
    assert.equal(await other.store.domain('user.home-of-zed'), undefined)
    assert.ok(await other.store.domain('user.zed'))
  })

  test('is refused for system administrators, by role or by right', async () => {
    const refused = refusal(403, 'system admin users cannot be deleted')
    assert.deepEqual(await remove('admin'), refused)
    await commit(
      zms,
      ...role('sys.auth', 'helpers', ['user.helper']),
      ...policy('sys.auth', 'helpers', [{ role: 'helpers', resource: 'sys.auth:domain', action: 'create' }]),
    )
    assert.deepEqual(await remove('helper'), refused)
  })

  test('needs a reference, the right, and a name that can be', async () => {
    assert.deepEqual(await remove('zed', {}), refusal(400, 'Audit reference is required for this operation'))
    assert.deepEqual(await remove('zed', { ...WHY, as: 'user.eve' }), refusal(403, 'Forbidden'))
    assert.equal((await remove('b!d')).status, 400)
    const principal = { authorizedService: 'media.ui' }
    assert.deepEqual(await remove('zed', { ...WHY, principal }), refusal(403, 'Unauthorized Service media.ui'))
  })
})
