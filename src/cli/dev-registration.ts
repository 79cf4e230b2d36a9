import type { DevZmsClient } from './dev-zms-client.ts'

type Zms = Pick<DevZmsClient, 'read' | 'write'>

/** A public key of a server: its id and the PEM in ybase64. */
export interface PublishedKey {
  readonly id: string
  readonly key: string
}

const SERVICE = 'sys.auth.zts'
/** The service as which the web page signs for people; ZMS lists what it may do among the authorized services. */
export const UI_SERVICE = 'sys.auth.ui-server'
const PROVIDER_ENDPOINT = 'class://com.yahoo.athenz.instance.provider.impl.InstanceZTSProvider'

/** Roles that hold ZTS as a provider of instances, and the policies of the same name that let them launch. */
const LAUNCH_ROLES = [
  { name: 'providers', resource: 'sys.auth:instance' },
  { name: `provider.${SERVICE}`, resource: 'sys.auth:dns.zts.athenz.cloud' },
]

/**
 * Tells ZMS of ZTS: the service with its public keys, and that it may vouch for instances under `zts.athenz.cloud`. What is
 * there already stays as it is, but for keys that have changed. Gives the public keys of ZMS.
 */
export async function registerZts(zms: Zms, keys: readonly PublishedKey[]): Promise<readonly PublishedKey[]> {
  const [zmsService] = await Promise.all([
    zms.read('/domain/sys.auth/service/zms'),
    registerZtsService(zms, keys),
    ...LAUNCH_ROLES.map(({ name, resource }) => registerLauncher(zms, name, resource)),
  ])
  return keysOf(zmsService)
}

/** Tells ZMS of the service of the web page, whose tokens of people it takes then. */
export async function registerUi(zms: Zms, keys: readonly PublishedKey[]): Promise<void> {
  await registerService(zms, UI_SERVICE, '/domain/sys.auth/service/ui-server', keys)
}

async function registerZtsService(zms: Zms, keys: readonly PublishedKey[]): Promise<void> {
  const path = '/domain/sys.auth/service/zts'
  const service = await registerService(zms, SERVICE, path, keys)
  const { providerEndpoint } = (service ?? {}) as { providerEndpoint?: unknown }
  if (providerEndpoint === undefined) {
    await zms.write(`${path}/meta/system/providerendpoint`, { providerEndpoint: PROVIDER_ENDPOINT })
  }
}

/** Makes a service, or gives it the keys that it lacks; gives what was there before. */
async function registerService(zms: Zms, name: string, path: string, keys: readonly PublishedKey[]): Promise<unknown> {
  const service = await zms.read(path)
  if (service === undefined) {
    await zms.write(path, { name, publicKeys: keys })
  } else {
    const present = keysOf(service)
    for (const { id, key } of keys) {
      if (!present.some((other) => other.id === id && other.key === key)) {
        await zms.write(`${path}/publickey/${id}`, { id, key })
      }
    }
  }
  return service
}

/** Makes ZTS a member of a role of `sys.auth` that may launch on a resource. */
async function registerLauncher(zms: Zms, name: string, resource: string): Promise<void> {
  const [rolePath, policyPath] = [`/domain/sys.auth/role/${name}`, `/domain/sys.auth/policy/${name}`]
  const fullName = `sys.auth:role.${name}`
  const [role, policy] = await Promise.all([zms.read(rolePath), zms.read(policyPath)])
  if (role === undefined) {
    await zms.write(rolePath, { name: fullName, roleMembers: [{ memberName: SERVICE }] })
  } else if (!listOf(role, 'roleMembers').some(({ memberName }) => memberName === SERVICE)) {
    await zms.write(`${rolePath}/member/${SERVICE}`, { memberName: SERVICE })
  }
  const assertion = { role: fullName, action: 'launch', resource, effect: 'ALLOW' }
  if (policy === undefined) {
    await zms.write(policyPath, { name: `sys.auth:policy.${name}`, assertions: [assertion] })
  } else if (!listOf(policy, 'assertions').some((present) => isSame(present, assertion))) {
    await zms.write(`${policyPath}/assertion`, assertion)
  }
}

type Members = Readonly<Record<string, unknown>>

const listOf = (value: unknown, member: string): readonly Members[] => {
  const list = (value as Members)[member]
  return Array.isArray(list) ? (list as Members[]) : []
}

const keysOf = (service: unknown): readonly PublishedKey[] =>
  listOf(service ?? {}, 'publicKeys').map(({ id, key }) => ({ id: String(id), key: String(key) }))

/** Whether an assertion is the wanted one; without an effect it allows. */
const isSame = (present: Members, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([name, value]) => ({ effect: 'ALLOW', ...present })[name] === value)
