import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { RequestContext } from '#core/http/endpoint.ts'
import {
  type ChangedObject,
  changedObjects,
  type DomainChangeMessage,
  publishingListener,
} from '#zms/service/change-messages.ts'
import { groupService } from '#zms/service/group.ts'
import { roleService } from '#zms/service/role.ts'
import { roleMembershipService } from '#zms/service/role-membership.ts'
import { serviceIdentityService } from '#zms/service/service-identity.ts'
import type { Change } from '#zms/store/change.ts'
import { Harness } from './harness.ts'

const asText = ({ objectType, domainName, objectName }: ChangedObject) => `${objectType} ${domainName} ${objectName}`

describe('the objects that changes are about', () => {
  const cases: readonly [Change['kind'], object, string][] = [
    ['createDomain', {}, 'DOMAIN d d'],
    ['deleteDomain', {}, 'DOMAIN d d'],
    ['putDomain', {}, 'DOMAIN d d'],
    ['putTemplate', { template: 't' }, 'DOMAIN d d'],
    ['deleteTemplate', { template: 't' }, 'DOMAIN d d'],
    ['putQuota', {}, 'DOMAIN d d'],
    ['deleteQuota', {}, 'DOMAIN d d'],
    ['putRole', { value: { name: 'r' } }, 'ROLE d r'],
    ['deleteRole', { role: 'r' }, 'ROLE d r'],
    ['putRoleMember', { role: 'r' }, 'ROLE d r'],
    ['deleteRoleMember', { role: 'r' }, 'ROLE d r'],
    ['putPendingRoleMember', { role: 'r' }, 'ROLE d r'],
    ['deletePendingRoleMember', { role: 'r' }, 'ROLE d r'],
    ['putGroup', { value: { name: 'g' } }, 'GROUP d g'],
    ['deleteGroup', { group: 'g' }, 'GROUP d g'],
    ['putGroupMember', { group: 'g' }, 'GROUP d g'],
    ['deleteGroupMember', { group: 'g' }, 'GROUP d g'],
    ['putPendingGroupMember', { group: 'g' }, 'GROUP d g'],
    ['deletePendingGroupMember', { group: 'g' }, 'GROUP d g'],
    ['putPolicy', { value: { name: 'p' } }, 'POLICY d p'],
    ['deletePolicy', { policy: 'p' }, 'POLICY d p'],
    ['putAssertion', { policy: 'p' }, 'POLICY d p'],
    ['deleteAssertion', { policy: 'p' }, 'POLICY d p'],
    ['putConditions', { policy: 'p' }, 'POLICY d p'],
    ['putService', { value: { name: 's' } }, 'SERVICE d s'],
    ['deleteService', { service: 's' }, 'SERVICE d s'],
    ['putPublicKey', { service: 's' }, 'SERVICE d s'],
    ['deletePublicKey', { service: 's' }, 'SERVICE d s'],
    ['putHosts', { service: 's' }, 'SERVICE d s'],
    ['putEntity', { value: { name: 'e' } }, 'ENTITY d e'],
    ['deleteEntity', { entity: 'e' }, 'ENTITY d e'],
    ['putDependency', { dependentDomain: 'd' }, 'DOMAIN d d'],
    ['deleteDependency', { dependentDomain: 'd' }, 'DOMAIN d d'],
    ['touchDomain', {}, ''],
    ['addRoleAudit', { role: 'r' }, ''],
    ['addGroupAudit', { group: 'g' }, ''],
    ['putPrincipal', { principal: 'user.joe' }, ''],
    ['deletePrincipal', { principal: 'user.joe' }, ''],
  ]
  for (const [kind, members, expected] of cases) {
    test(`${kind}: ${expected || 'none'}`, () => {
      const change = { kind, domain: 'd', ...members } as unknown as Change
      assert.equal(changedObjects([change]).map(asText).join(), expected)
    })
  }

  test('are one for each kind and domain, the first', () => {
    const change = (kind: Change['kind'], domain: string, members: object) =>
      ({ kind, domain, ...members }) as unknown as Change
    const changes = [
      change('putRole', 'a', { value: { name: 'one' } }),
      change('putRole', 'a', { value: { name: 'two' } }),
      change('putRole', 'b', { value: { name: 'three' } }),
      change('putPolicy', 'a', { value: { name: 'four' } }),
    ]
    assert.deepEqual(changedObjects(changes).map(asText), ['ROLE a one', 'ROLE b three', 'POLICY a four'])
  })
})

describe('messages about writes', () => {
  let zms: Harness
  let topics: DomainChangeMessage[][]
  let failures: unknown[]

  beforeEach(() => {
    topics = [[], []]
    failures = []
  })

  const opened = async () => {
    zms = await Harness.open({ services: [roleService, roleMembershipService, groupService, serviceIdentityService] })
    const publishers = topics.map((topic) => ({ publish: (message: DomainChangeMessage) => void topic.push(message) }))
    const failed = (error: unknown) => void failures.push(error)
    zms.deps.writes.onChange(publishingListener(publishers, { now: () => 42, failed }))
    await zms.createDomain('sports')
  }

  test('go to every topic, once the change is made', async () => {
    await opened()
    await zms.put('/domain/sports/role/readers', { name: 'readers' })
    await zms.put('/domain/sports/role/readers/member/user.joe', { memberName: 'user.joe' })
    await zms.put('/domain/sports/service/api', { name: 'sports.api' })
    const [first, second] = topics
    assert.deepEqual(first, second)
    const ids = new Set(first?.map(({ messageId }) => messageId))
    assert.equal(ids.size, 3)
    assert.deepEqual(
      first?.map(({ messageId, ...message }) => {
        assert.match(messageId, /^[0-9a-f-]{36}$/)
        return message
      }),
      [
        { domainName: 'sports', objectType: 'ROLE', objectName: 'readers', apiName: 'putrole', published: 42 },
        { domainName: 'sports', objectType: 'ROLE', objectName: 'readers', apiName: 'putmembership', published: 42 },
        {
          domainName: 'sports',
          objectType: 'SERVICE',
          objectName: 'api',
          apiName: 'putserviceidentity',
          published: 42,
        },
      ],
    )
  })

  test('are not sent for what is refused', async () => {
    await opened()
    assert.equal((await zms.delete('/domain/sports/role/absent')).status, 404)
    assert.equal((await zms.put('/domain/sports/role/readers', { name: 'writers' })).status, 400)
    assert.deepEqual(topics, [[], []])
  })

  test('are sent once in a request that writes several times', () => {
    const sent: DomainChangeMessage[] = []
    const publisher = { publish: (message: DomainChangeMessage) => void sent.push(message) }
    const listener = publishingListener([publisher], { now: () => 1, failed: (error) => assert.fail(String(error)) })
    const subject = (api: string) => ({
      context: { api } as RequestContext,
      domains: ['sports'],
      entity: 'x',
      auditRef: undefined,
    })
    const one = subject('a')
    const change = { kind: 'deleteRole', domain: 'sports', role: 'r' } as const
    listener(one, [change])
    listener(one, [change])
    listener(subject('b'), [change])
    assert.deepEqual(
      sent.map(({ apiName }) => apiName),
      ['a', 'b'],
    )
  })

  test('have no effect on the change when a publisher fails', async () => {
    await opened()
    const failed = (error: unknown) => void failures.push(error)
    const throwing = {
      publish: () => {
        throw new Error('at once')
      },
    }
    const rejecting = { publish: () => Promise.reject(new Error('later')) }
    zms.deps.writes.onChange(publishingListener([throwing, rejecting], { now: () => 1, failed }))
    assert.equal((await zms.put('/domain/sports/group/g1', { name: 'g1' })).status, 204)
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(failures.map(String), ['Error: at once', 'Error: later'])
  })
})
