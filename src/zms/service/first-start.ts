import { randomUUID } from 'node:crypto'
import { Members } from '#core/rbac/members.ts'
import type { Domain, Policy, Role, RoleMember, ServiceBase } from '../store/model.ts'
import type { Store } from '../store/store.ts'

/** Members, names and texts that a new domain begins with. */
export interface NewDomain {
  name: string
  /** Full names of the administrators; duplicates count once. */
  admins: readonly string[]
  /** Who makes it, recorded with each membership. */
  requestPrincipal: string
  auditRef?: string | undefined
  settings?: Partial<Domain>
}

/**
 * A domain with the role `admin` (all administrators) and the policy `admin` (everything in the domain allowed to that
 * role). Times are filled in by the store.
 */
export function newDomain({ name, admins, requestPrincipal, auditRef, settings }: NewDomain): Domain {
  const stamps = { modified: 0, created: 0 }
  const member = (memberName: string): RoleMember => ({ memberName, requestPrincipal, ...(auditRef && { auditRef }) })
  const role: Role = { name: 'admin', ...stamps, members: new Members(admins.map(member)), pending: new Map() }
  const policy: Policy = {
    name: 'admin',
    version: '0',
    active: true,
    ...stamps,
    assertions: new Map([[-1, { role: 'admin', resource: `${name}:*`, action: '*', effect: 'ALLOW' }]]),
  }
  return {
    name,
    id: randomUUID(),
    enabled: true,
    auditEnabled: false,
    ypmId: 0,
    autoDeleteTenantAssumeRoleAssertions: false,
    clientIdSelfUpdate: false,
    ...stamps,
    ...settings,
    roles: new Map([['admin', role]]),
    groups: new Map(),
    policies: new Map([['admin', new Map([['0', policy]])]]),
    services: new Map(),
    entities: new Map(),
    templates: new Map(),
    policiesRevision: 0,
  }
}

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

/**
 * Makes the system domains and the service `sys.auth.zms` when the store does not know `sys.auth`; otherwise changes
 * nothing. `admins` is asked only then, so that a server with data starts without administrators configured. Several
 * servers may do it at once: the first wins. Resolves to whether anything was made.
 */
export async function prepareFirstStart(
  store: Store,
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
      const requestPrincipal = admins[0] ?? ''
      const settings =
        name === options.names.userDomain ? { description: 'reserved domain for user authentication' } : {}
      transaction.apply({
        kind: 'createDomain',
        domain: name,
        value: newDomain({ name, admins, requestPrincipal, settings }),
      })
    }
    const base: ServiceBase = { name: 'zms', modified: 0, created: 0 }
    transaction.apply({ kind: 'putService', domain: 'sys.auth', value: base })
    for (const [keyId, key] of options.publicKeys) {
      transaction.apply({ kind: 'putPublicKey', domain: 'sys.auth', service: 'zms', keyId, key })
    }
    return true
  })
}
