import type { ServiceBase } from '../store/model.ts'
import type { Store } from '../store/store.ts'
import { domainCreation } from './new-domain.ts'

/** Names of the domains that exist from the first start on. */
export interface SystemDomainNames {
  userDomain: string
  homeDomain: string
  headlessUserDomain: string
}

/** Domains that exist from the first start on and can never be deleted. */
export function reservedDomains({
  userDomain,
  homeDomain,
  headlessUserDomain,
}: SystemDomainNames): ReadonlySet<string> {
  return new Set([
    userDomain,
    'user',
    homeDomain,
    headlessUserDomain,
    'sys',
    'sys.auth',
    'sys.auth.audit',
    'sys.auth.audit.org',
    'sys.auth.audit.domain',
  ])
}

/** What the system domains say of themselves. */
const DESCRIPTIONS: ReadonlyMap<string, string> = new Map([
  ['user', 'The reserved domain for user authentication'],
  ['sys', 'The reserved domain for system related information'],
  ['sys.auth', 'The Athenz domain'],
  ['sys.auth.audit', 'The Athenz audit domain'],
  ['sys.auth.audit.org', 'The Athenz audit domain based on org name'],
  ['sys.auth.audit.domain', 'The Athenz audit domain based on domain name'],
])
/** Audit reference of what the first start makes. */
export const SYSTEM_SETUP = 'System Setup'

/** Who makes it and why, as recorded with the administrators. */
const MAKER = { requestPrincipal: 'sys.auth.zms', auditRef: SYSTEM_SETUP }

/**
 * Makes the system domains and the service `sys.auth.zms` when the store does not know `sys.auth`; otherwise changes
 * nothing. `admins` is asked only then, so that a server with data starts without administrators configured. Several
 * servers may do it at once: the first wins. Resolves to whether anything was made.
 */
export async function prepareFirstStart(
  store: Pick<Store, 'domain' | 'transact'>,
  options: {
    names: SystemDomainNames
    admins: () => readonly string[]
    /** Key id → ybase64 of the PEM of this server's public keys. */
    publicKeys: ReadonlyMap<string, string>
  },
): Promise<boolean> {
  if (await store.domain('sys.auth')) return false
  const admins = options.admins()
  const names = [...reservedDomains(options.names)]
  return store.transact(names, async (transaction) => {
    if (await transaction.domain('sys.auth')) return false
    for (const name of names) {
      if (await transaction.domain(name)) continue
      const description = DESCRIPTIONS.get(name === options.names.userDomain ? 'user' : name)
      const settings = description === undefined ? {} : { description }
      transaction.apply(...domainCreation({ name, admins, ...MAKER, settings }, transaction.now))
    }
    const base: ServiceBase = { name: 'zms', modified: 0, created: 0 }
    transaction.apply({ kind: 'putService', domain: 'sys.auth', value: base })
    for (const [keyId, key] of options.publicKeys) {
      transaction.apply({ kind: 'putPublicKey', domain: 'sys.auth', service: 'zms', keyId, key })
    }
    return true
  })
}
