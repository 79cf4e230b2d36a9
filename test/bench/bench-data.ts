import { Members } from '#core/rbac/members.ts'
import type { Domain } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'
import { CALLER } from './bench-zms.ts'
import { benchDomain, domainName, fillStore, STANDARD_SIZE } from './data.ts'

/** Role of every domain that the caller of benchmarks is in; its policy lets it read `table3.*`. */
const CALLERS_ROLE = 'role3'

/** The standard data, with the caller in a role of every domain. */
export async function fillForAccess(store: Store): Promise<void> {
  await fillStore(store)
  const names = Array.from({ length: STANDARD_SIZE.domains }, (_, index) => domainName(index))
  await eachOf(names, (domain) =>
    store.transact([domain], (transaction) =>
      transaction.apply({ kind: 'putRoleMember', domain, role: CALLERS_ROLE, value: { memberName: CALLER } }),
    ),
  )
}

/** Paths of access checks that are granted to the caller, one for each domain. */
export const grantedChecks = (): string[] =>
  Array.from({ length: STANDARD_SIZE.domains }, (_, index) => `/access/read/${domainName(index)}:table3.row`)

/** Domains that the caller administers, for writes. */
export const ADMINISTERED = Array.from({ length: 64 }, (_, index) => `written.domain${index}`)

/** Makes {@link ADMINISTERED}, of the same size as the others, beside the standard data. */
export async function fillForWrites(store: Store): Promise<void> {
  await fillStore(store)
  await eachOf(ADMINISTERED, (name) =>
    store.transact([name], (transaction) =>
      transaction.apply({ kind: 'createDomain', domain: name, value: administered(name) }),
    ),
  )
}

function administered(name: string): Domain {
  const domain = benchDomain(0)
  const times = { modified: 0, created: 0 }
  const admin = { name: 'admin', ...times, members: new Members([{ memberName: CALLER }]), pending: new Map() }
  const assertion = { role: 'admin', resource: `${name}:*`, action: '*', effect: 'ALLOW' } as const
  const policy = { name: 'admin', version: '0', active: true, ...times, assertions: new Map([[-1, assertion]]) }
  return {
    ...domain,
    name,
    id: `00000000-0000-4000-8000-${name.replaceAll(/\D/g, '').padStart(12, '0')}`,
    roles: new Map(domain.roles).set(admin.name, admin),
    policies: new Map([[policy.name, new Map([[policy.version, policy]])]]),
  }
}

const PARALLEL = 16

async function eachOf(names: readonly string[], act: (name: string) => Promise<unknown>): Promise<void> {
  const rest = names.values()
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const name of rest) await act(name)
    }),
  )
}
