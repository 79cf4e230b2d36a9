import { foldAssertion } from '#zms/api/assertion.ts'
import { accessService } from '#zms/service/access.ts'
import { assertionService } from '#zms/service/assertion.ts'
import { domainService } from '#zms/service/domain.ts'
import { domainMetaService } from '#zms/service/domain-meta.ts'
import { groupService } from '#zms/service/group.ts'
import { groupMembershipService } from '#zms/service/group-membership.ts'
import { policyService } from '#zms/service/policy.ts'
import { roleService } from '#zms/service/role.ts'
import { roleMembershipService } from '#zms/service/role-membership.ts'
import { activeVersion } from '#zms/service/stored-policy.ts'
import { userService } from '#zms/service/user.ts'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Store } from '#zms/store/store.ts'
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts'
import { type Answer, Harness } from '../service/harness.ts'
import { KNOWN } from './generators.ts'
import { normal } from './naive-replies.ts'
import { type ModelAnswer, NO_ASSERTION } from './naive-zms.ts'
import { type Operation, type Request, wireOf } from './requests.ts'

const SERVICES = [
  accessService,
  assertionService,
  domainService,
  domainMetaService,
  groupService,
  groupMembershipService,
  policyService,
  roleService,
  roleMembershipService,
  userService,
]

/** The services of ZMS over a store, asked what the model is asked. */
export class System {
  readonly harness: Harness

  private constructor(harness: Harness) {
    this.harness = harness
  }

  /** Over the store that is given, or a file store of its own in memory: disks are too slow for so many requests. */
  static async open(openStore: (now: () => number) => Promise<Store> = openInMemory): Promise<System> {
    return new System(await Harness.open({ services: SERVICES, openStore }))
  }

  async answer(request: Request): Promise<ModelAnswer> {
    const { name, roles, mtlsRestricted } = request.as
    const { method, target, body, headers } = wireOf(request, await this.#assertionId(request))
    const principal = { ...(roles && { roles, domain: name }), ...(mtlsRestricted && { mtlsRestricted }) }
    return modelAnswer(
      request,
      await this.harness.call(method, target, body, { as: name, principal, ...(headers && { headers }) }),
    )
  }

  /** Removes every domain but those of the system. */
  async clear(): Promise<void> {
    const { store } = this.harness
    for (const name of (await store.domainNames()).toReversed()) {
      if (/^(sys|user|home)\b/.test(name)) continue
      await store.transact([name], (transaction) => transaction.apply({ kind: 'deleteDomain', domain: name }))
    }
    await store.transact(['sys.auth'], (transaction) => {
      for (const principal of KNOWN) transaction.apply({ kind: 'putPrincipal', principal, suspended: 0 })
    })
  }

  async #assertionId(request: Operation): Promise<number> {
    if (request.op !== 'deleteAssertion') return NO_ASSERTION
    const { assertion } = request
    const { action, resource } = foldAssertion({ ...assertion, caseSensitive: false }, false)
    const name = request.domain.toLowerCase()
    const policy = activeVersion((await this.harness.store.domain(name))?.policies.get(request.policy.toLowerCase()))
    for (const [id, stored] of policy?.assertions ?? []) {
      const same =
        stored.action === action && stored.resource === resource && stored.effect === (assertion.effect ?? 'ALLOW')
      if (same && `${name}:role.${stored.role}` === assertion.role.toLowerCase()) return id
    }
    return NO_ASSERTION
  }
}

const openInMemory = (clock: () => number): Promise<Store> =>
  openFileStore({
    folder: '/data',
    fileSystem: new SimulatedFileSystem(Math.random),
    clock,
    // A file in memory is copied with every write: it must stay short.
    checkpointBytes: 64 * 1024,
  })

/** An answer of the API as the model gives it. */
export function modelAnswer({ op }: Operation, { status, body }: Pick<Answer, 'status' | 'body'>): ModelAnswer {
  if (body === undefined) return { status }
  // Of a new domain the model knows no more than the name.
  const isNew = status === 200 && (op === 'postTopLevelDomain' || op === 'postSubDomain')
  return { status, body: isNew ? { name: body.name } : normal(body) }
}
