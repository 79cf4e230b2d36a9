import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { updatePrincipalStates } from '#zms/service/principal-state-updater.ts'
import { userService } from '#zms/service/user.ts'
import { Harness, NOTHING, refusal } from './harness.ts'
import { commit, group, policy, role } from './objects.ts'

const services = [userService]
const zms = await Harness.open({ services })
const put = (principal: string, suspended: unknown, options: object = {}) =>
  zms.put(
    `/principal/${encodeURIComponent(principal)}/state`,
    { suspended },
    { headers: { 'Y-Audit-Ref': 'why' }, ...options },
  )

beforeEach(async () => {
  await zms.createDomain('sports')
  await zms.createDomain('media')
})

/** Bits of every membership of a principal. */
async function bitsOf(server: Harness, principal: string): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = []
  for (const name of ['media', 'sports']) {
    const { roles, groups } = await server.domain(name)
    for (const { members } of [...roles.values(), ...groups.values()]) {
      const member = members.get(principal)
      if (member) found.push(member.systemDisabled)
    }
  }
  return found
}

describe('suspending a principal', () => {
  test('marks it and its memberships, until that ends', async () => {
    await commit(
      zms,
      ...role('sports', 'r', [{ memberName: 'user.alice', expiration: 5000, reviewReminder: 6000 }, 'user.bob']),
      ...role('media', 'r', [{ memberName: 'user.alice', systemDisabled: 1, requestPrincipal: 'user.bob' }]),
      ...group('media', 'g', ['user.alice']),
    )
    assert.deepEqual(await put('USER.alice', true), NOTHING)
    assert.equal(await zms.store.principal('user.alice'), 4)
    assert.deepEqual(await bitsOf(zms, 'user.alice'), [5, 4, 4])
    assert.deepEqual(await bitsOf(zms, 'user.bob'), [undefined])
    assert.deepEqual((await zms.domain('sports')).roles.get('r')?.members.get('user.alice'), {
      memberName: 'user.alice',
      expiration: 5000,
      reviewReminder: 6000,
      auditRef: 'why',
      requestPrincipal: 'sys.auth.monitor',
      systemDisabled: 4,
    })
    const before = await zms.domain('sports')
    const { modified } = before
    assert.deepEqual(await put('user.alice', true), NOTHING)
    assert.equal((await zms.domain('sports')).modified, modified)
    assert.deepEqual(await put('user.alice', false), NOTHING)
    assert.equal(await zms.store.principal('user.alice'), 0)
    assert.deepEqual(await bitsOf(zms, 'user.alice'), [1, undefined, undefined])
    const history = await zms.store.groupAudit('media', 'g')
    assert.deepEqual(
      history.map(({ action, admin, auditRef }) => [action, admin, auditRef]),
      [
        ['DISABLE', 'sys.auth.monitor', 'why'],
        ['ENABLE', 'sys.auth.monitor', 'why'],
      ],
    )
    assert.equal(zms.audit.at(-1)?.whoFullName, 'user.admin')
  })

  test('does not reach memberships that are made later', async () => {
    await commit(zms, ...role('sports', 'r', ['user.alice']))
    await put('user.alice', true)
    await commit(zms, ...role('media', 'r', ['user.alice']))
    assert.deepEqual(await bitsOf(zms, 'user.alice'), [undefined, 4])
    await put('user.alice', false)
  })

  test('is for who may update the service, the external member, or the state', async () => {
    const external = 'media:ext.joe@example.com'
    await commit(
      zms,
      ...role('sports', 'r', ['media.api', external]),
      ...role('media', 'clerks', ['user.clerk']),
      ...policy('media', 'clerks', [
        { role: 'clerks', resource: 'media:service.api', action: 'update' },
        { role: 'clerks', resource: 'media:ext.*', action: 'update' },
      ]),
      ...role('sys.auth', 'guards', ['user.guard']),
      ...policy('sys.auth', 'guards', [{ role: 'guards', resource: 'sys.auth:state.media.*', action: 'update' }]),
    )
    for (const as of ['user.clerk', 'user.guard', 'user.owner']) {
      for (const name of ['media.api', external])
        assert.deepEqual(await put(name, as === 'user.clerk', { as }), NOTHING)
    }
    const unauthorized = refusal(403, 'Unauthorized to update principal state')
    assert.deepEqual(await put('sports.api', true, { as: 'user.clerk' }), unauthorized)
    assert.deepEqual(await put('media.other', true, { as: 'user.clerk' }), unauthorized)
    assert.deepEqual(await put('user.alice', true, { as: 'user.guard' }), unauthorized)
    assert.deepEqual(await put('user.alice', true, { as: 'user.alice' }), unauthorized)
  })

  test('needs a reference first, then a name, a domain, the right, a principal', async () => {
    const eve = { as: 'user.eve' }
    assert.deepEqual(
      await put('sports:group.g', true, { ...eve, headers: {} }),
      refusal(400, 'Audit reference is required for this operation'),
    )
    for (const name of ['sports:group.g', '*', 'user.*', 'sports.a*']) {
      assert.deepEqual(await put(name, true, eve), refusal(400, `Invalid principal name: ${name}`))
    }
    assert.deepEqual(await put('nowhere.api', true, eve), refusal(404, 'Domain not found: nowhere'))
    assert.deepEqual(await put('nowhere:ext.a@b', true, eve), refusal(404, 'Domain not found: nowhere'))
    assert.deepEqual(await put('sports.api', true, eve), refusal(403, 'Unauthorized to update principal state'))
    assert.deepEqual(await put('sports.unseen', true), refusal(404, 'Principal not found: sports.unseen'))
    assert.deepEqual(await put('plain', true), refusal(404, 'Principal not found: plain'))
    const principal = { authorizedService: 'media.ui' }
    assert.deepEqual(await put('sports.api', true, { principal }), refusal(403, 'Unauthorized Service media.ui'))
  })
})

describe('taking states over from the user authority', () => {
  let named: string[] = []
  const userAuthority: Authority = {
    id: 'Auth-USERS',
    credentialSource: 'header',
    allowAuthorization: true,
    suspendedPrincipals: async () => named,
  }

  const open = async () => {
    const log: string[] = []
    const parts = { log: (_level: string, message: string) => void log.push(message) }
    const server = await Harness.open({ services, userAuthority, parts })
    await server.createDomain('sports')
    await server.createDomain('media')
    await commit(
      server,
      ...role('sports', 'r', ['user.alice', 'user.bob', { memberName: 'user.mallory', systemDisabled: 4 }]),
      ...group('media', 'g', ['user.alice']),
    )
    return { server, log }
  }

  test('suspends who is named anew, and nobody else any more', async () => {
    const { server, log } = await open()
    named = ['user.alice', 'user.mallory', 'user.unseen']
    await updatePrincipalStates(server.deps)
    assert.deepEqual(await bitsOf(server, 'user.alice'), [2, 2])
    assert.deepEqual(await bitsOf(server, 'user.mallory'), [6])
    assert.equal(await server.store.principal('user.alice'), 2)
    assert.equal(await server.store.principal('user.unseen'), undefined)
    assert.equal(server.audit.at(-1)?.whoFullName, 'sys.auth.monitor')
    const count = server.audit.length
    await updatePrincipalStates(server.deps)
    assert.equal(server.audit.length, count)
    named = ['user.bob']
    await updatePrincipalStates(server.deps)
    assert.deepEqual(await bitsOf(server, 'user.alice'), [undefined, undefined])
    assert.deepEqual(await bitsOf(server, 'user.mallory'), [4])
    assert.deepEqual(await bitsOf(server, 'user.bob'), [2])
    assert.deepEqual(log, [])
  })

  test('goes on when one of them cannot be changed', async () => {
    const { server, log } = await open()
    named = ['user.alice', 'user.bob']
    const { store } = server
    const failing = new Proxy(store, {
      get: (target, key) => {
        if (key === 'rolesOfMember') {
          return (name: string) =>
            name === 'user.alice' ? Promise.reject(new Error('out of order')) : target.rolesOfMember(name)
        }
        const member: unknown = Reflect.get(target, key, target)
        return typeof member === 'function' ? (member.bind(target) as unknown) : member
      },
    })
    await updatePrincipalStates({ ...server.deps, store: failing })
    assert.deepEqual(await bitsOf(server, 'user.bob'), [2])
    assert.deepEqual(log, ['the state of user.alice could not be taken over from the user authority: out of order'])
  })

  test('does nothing without an authority that knows', async () => {
    await commit(zms, ...role('sports', 'r', ['user.alice']))
    await updatePrincipalStates(zms.deps)
    assert.deepEqual(await bitsOf(zms, 'user.alice'), [undefined])
  })
})
