import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { registerZts } from '../../src/cli/dev-registration.ts'

const KEYS = [
  { id: '0', key: 'rsa' },
  { id: 'ec0', key: 'ec' },
]
const ENDPOINT = 'class://com.yahoo.athenz.instance.provider.impl.InstanceZTSProvider'
const DOMAIN = '/domain/sys.auth'
const LAUNCH = [
  { name: 'providers', resource: 'sys.auth:instance' },
  { name: 'provider.sys.auth.zts', resource: 'sys.auth:dns.zts.athenz.cloud' },
]
const roleOf = (name: string, ...members: readonly string[]) => ({
  name: `sys.auth:role.${name}`,
  roleMembers: members.map((memberName) => ({ memberName })),
})
const launch = (name: string, resource: string, effect: object = { effect: 'ALLOW' }) => ({
  role: `sys.auth:role.${name}`,
  action: 'launch',
  resource,
  ...effect,
})

/** What ZMS has by path once ZTS is registered. */
const registered = (): Map<string, object> =>
  new Map<string, object>([
    [`${DOMAIN}/service/zms`, { name: 'sys.auth.zms', publicKeys: [{ id: '0', key: 'zms' }] }],
    [`${DOMAIN}/service/zts`, { name: 'sys.auth.zts', publicKeys: KEYS, providerEndpoint: ENDPOINT }],
    ...LAUNCH.flatMap(({ name, resource }): [string, object][] => [
      [`${DOMAIN}/role/${name}`, roleOf(name, 'sys.auth.zts')],
      [`${DOMAIN}/policy/${name}`, { name, assertions: [launch(name, resource, {})] }],
    ]),
  ])

/** Registers in a ZMS that has these objects; gives what was written and the keys of ZMS. */
async function register(objects: Map<string, object>) {
  const written: [string, object][] = []
  const zmsKeys = await registerZts(
    {
      read: (path) => Promise.resolve(objects.get(path)),
      write: (path, body) => {
        written.push([path, body])
        return Promise.resolve()
      },
    },
    KEYS,
  )
  return { written: Object.fromEntries(written), zmsKeys }
}

describe('the registration of ZTS', () => {
  test('makes service, roles and policies in a new ZMS, and gives the keys of ZMS', async () => {
    const objects = registered()
    for (const path of objects.keys()) if (!path.endsWith('/zms')) objects.delete(path)
    const { written, zmsKeys } = await register(objects)
    assert.deepEqual(zmsKeys, [{ id: '0', key: 'zms' }])
    assert.deepEqual(written, {
      [`${DOMAIN}/service/zts`]: { name: 'sys.auth.zts', publicKeys: KEYS },
      [`${DOMAIN}/service/zts/meta/system/providerendpoint`]: { providerEndpoint: ENDPOINT },
      ...Object.fromEntries(
        LAUNCH.flatMap(({ name, resource }) => [
          [`${DOMAIN}/role/${name}`, roleOf(name, 'sys.auth.zts')],
          [`${DOMAIN}/policy/${name}`, { name: `sys.auth:policy.${name}`, assertions: [launch(name, resource)] }],
        ]),
      ),
    })
  })

  test('changes nothing where everything is there', async () => {
    assert.deepEqual((await register(registered())).written, {})
  })

  test('replaces the keys that changed, and no other', async () => {
    const publicKeys = [
      { id: '0', key: 'rsa' },
      { id: 'ec0', key: 'old' },
      { id: 'mine', key: 'kept' },
    ]
    const service = { name: 'sys.auth.zts', publicKeys, providerEndpoint: 'https://mine.example' }
    const { written } = await register(registered().set(`${DOMAIN}/service/zts`, service))
    assert.deepEqual(written, { [`${DOMAIN}/service/zts/publickey/ec0`]: { id: 'ec0', key: 'ec' } })
  })

  test('adds itself to roles and policies that others made', async () => {
    const objects = registered()
    objects.set(`${DOMAIN}/role/providers`, roleOf('providers', 'sys.auth.other'))
    const denial = launch('providers', 'sys.auth:instance', { effect: 'DENY' })
    objects.set(`${DOMAIN}/policy/providers`, { name: 'providers', assertions: [denial] })
    const { written } = await register(objects)
    assert.deepEqual(written, {
      [`${DOMAIN}/role/providers/member/sys.auth.zts`]: { memberName: 'sys.auth.zts' },
      [`${DOMAIN}/policy/providers/assertion`]: launch('providers', 'sys.auth:instance'),
    })
  })
})
