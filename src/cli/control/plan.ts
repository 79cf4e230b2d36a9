import type { ZmsClient } from '#client/zms-client.ts'
import type { GivenFor } from '#core/http/wire.ts'
import type { DomainMetaInput } from '#zms/api/domain-meta.ts'
import { CommandFailure } from '../command-failure.ts'
import { type Change, isChange } from './change.ts'
import { type CollectionForm, type CollectionKind, collectionWire } from './collection-form.ts'
import { audited } from './control-command.ts'
import { allowedMembers } from './date-limits.ts'
import type { DomainContent, DomainState } from './domain-state.ts'
import { type Fields, field, isFields, tagsFromWire, tagsToWire } from './fields.ts'
import type { Manifest } from './manifest.ts'
import { type PolicyForm, policyWire } from './policy-form.ts'
import { type ServiceForm, serviceWire } from './service-form.ts'

/** What a plan is made with. */
export interface PlanOptions {
  /** Deletes what a domain has and the manifest does not name. */
  readonly prune: boolean
  /** Goes into the audit log with each change. */
  readonly auditRef: string | undefined
  readonly now: number
}

/** Every domain has them, and without them nobody could change it any more. */
const NEVER_PRUNED = 'admin'

type DomainMeta = GivenFor<typeof DomainMetaInput>

const NOTHING: DomainState = {
  settings: {},
  groups: new Map(),
  roles: new Map(),
  services: new Map(),
  policies: new Map(),
  versions: new Map(),
}

/**
 * The changes that make a domain what a manifest says, in an order in which ZMS takes them: what others refer to is made
 * first and deleted last. Empty when it is so already. `state` is undefined for a domain that is not there.
 * @throws CommandFailure when it is to be created and nobody is to administer it
 */
export async function planDomain(
  manifest: Manifest,
  state: DomainState | undefined,
  { prune, auditRef, now }: PlanOptions,
): Promise<Change[]> {
  const { domain } = manifest
  const changer = new DomainChanger(domain, auditRef)
  const known = state ?? NOTHING
  const settings = laidOver(known.settings, manifest.settings)
  const collection = (kind: CollectionKind, name: string, before: CollectionForm | undefined, wish: CollectionForm) =>
    changer.collection(kind, name, before, withAllowedDates(before, wish, settings, now))
  const planned = [
    ...(state === undefined ? [changer.create(manifest.admins)] : []),
    changer.settings(known.settings, manifest.settings),
    ...wanted(manifest.groups, (name, form) => collection('group', name, known.groups.get(name), form)),
    ...wanted(manifest.services, (name, form) => changer.service(name, known.services.get(name), form)),
    ...wanted(manifest.roles, (name, form) => collection('role', name, known.roles.get(name), form)),
    ...wanted(manifest.policies, (name, form) =>
      changer.policy(name, known.policies.get(name), form, known.versions.get(name)),
    ),
    ...(prune ? pruned(known, manifest, changer) : []),
  ]
  return onlyChanges(planned)
}

/** Those that change something. */
export async function onlyChanges(planned: readonly Change[]): Promise<Change[]> {
  const differs = await Promise.all(planned.map(isChange))
  return planned.filter((_, at) => differs[at])
}

const wanted = <T>(forms: ReadonlyMap<string, T>, change: (name: string, form: T) => Change): Change[] =>
  Array.from(forms, ([name, form]) => change(name, form))

function pruned(state: DomainContent, manifest: Manifest, changer: DomainChanger): Change[] {
  return [
    ...unnamed(state.policies, manifest.policies).map(([name, form]) => changer.policy(name, form, undefined)),
    ...unnamed(state.roles, manifest.roles).map(([name, form]) => changer.collection('role', name, form, undefined)),
    ...unnamed(state.services, manifest.services).map(([name, form]) => changer.service(name, form, undefined)),
    ...unnamed(state.groups, manifest.groups).map(([name, form]) => changer.collection('group', name, form, undefined)),
  ]
}

const unnamed = <T>(has: ReadonlyMap<string, T>, named: ReadonlyMap<string, T>): [string, T][] =>
  [...has].filter(([name]) => !named.has(name) && name !== NEVER_PRUNED)

/** Changes of one domain. Forms that are wanted are laid over what is there; `undefined` means absent. */
export class DomainChanger {
  readonly #domain: string
  readonly #audit: { readonly auditRef?: string }

  constructor(domain: string, auditRef: string | undefined) {
    this.#domain = domain
    this.#audit = audited(auditRef)
  }

  /** A domain that is not there. Throws a CommandFailure when nobody is to administer it. */
  create(admins: readonly string[]): Change {
    const domain = this.#domain
    const dot = domain.lastIndexOf('.')
    const [parent, name] = [domain.slice(0, Math.max(dot, 0)), domain.slice(dot + 1)]
    const isPersonal = parent === 'home'
    if (admins.length === 0 && !isPersonal) {
      throw new CommandFailure(`the domain ${domain} is not there: name its administrators (admins) to create it`)
    }
    const body = { name, adminUsers: [...admins] }
    return {
      subject: `domain ${domain}`,
      after: { domain, ...(admins.length > 0 && { admins }) },
      carryOut: (zms) => {
        if (isPersonal) return zms.call('postUserDomain', { name, body: { name }, ...this.#audit })
        if (parent === '') return zms.call('postTopLevelDomain', { body, ...this.#audit })
        return zms.call('postSubDomain', { parent, body: { ...body, parent }, ...this.#audit })
      },
    }
  }

  settings(before: Fields, wish: Fields): Change {
    const after = laidOver(before, wish)
    return {
      subject: `settings of domain ${this.#domain}`,
      before: laidOver(before, before),
      after,
      carryOut: (zms) => {
        const { tags, ...others } = after
        // What is taken away must be said: ZMS keeps most settings that a request leaves out.
        const removed = Object.keys(before).filter((name) => !Object.hasOwn(after, name))
        const emptied = removed
          .map((name) => [name, typeof before[name] === 'number' ? 0 : ''])
          .filter(([name]) => name !== 'tags')
        const meta = {
          ...Object.fromEntries(emptied),
          ...others,
          ...(tags !== undefined && { tags: tagsToWire(tags) }),
        }
        return zms.call('putDomainMeta', { name: this.#domain, body: meta as DomainMeta, ...this.#audit })
      },
    }
  }

  collection(
    kind: CollectionKind,
    name: string,
    before: CollectionForm | undefined,
    wish: CollectionForm | undefined,
  ): Change {
    const domainName = this.#domain
    const after: CollectionForm | undefined = wish && laidOver(before ?? NO_MEMBERS, wish)
    const body = after && collectionWire(kind, name, after)
    return {
      subject: `${kind} ${domainName}:${kind}.${name}`,
      ...(before && { before: laidOver(before, before) }),
      ...(after && { after }),
      carryOut: (zms) => {
        if (kind === 'role') {
          const place = { domainName, roleName: name, ...this.#audit }
          return body ? zms.call('putRole', { ...place, body }) : zms.call('deleteRole', place)
        }
        const place = { domainName, groupName: name, ...this.#audit }
        return body ? zms.call('putGroup', { ...place, body }) : zms.call('deleteGroup', place)
      },
    }
  }

  /** `version` is the one that is active. */
  policy(name: string, before: PolicyForm | undefined, wish: PolicyForm | undefined, version?: string): Change {
    const place = { domainName: this.#domain, policyName: name, ...this.#audit }
    const after: PolicyForm | undefined = wish && laidOver(before ?? { assertions: [] }, wish)
    const body = after && {
      ...policyWire(this.#domain, name, after),
      ...(version !== undefined && { version, active: true }),
    }
    return {
      subject: `policy ${this.#domain}:policy.${name}`,
      ...(before && { before: laidOver(before, before) }),
      ...(after && { after }),
      carryOut: (zms) => (body ? zms.call('putPolicy', { ...place, body }) : zms.call('deletePolicy', place)),
    }
  }

  service(name: string, before: ServiceForm | undefined, wish: ServiceForm | undefined): Change {
    const place = { domain: this.#domain, service: name, ...this.#audit }
    const after: ServiceForm | undefined = wish && laidOver(before ?? { keys: {} }, wish)
    const body = after && serviceWire(`${this.#domain}.${name}`, after)
    return {
      subject: `service ${this.#domain}.${name}`,
      ...(before && { before: laidOver(before, before) }),
      ...(after && { after }),
      carryOut: (zms) =>
        body ? zms.call('putServiceIdentity', { ...place, body }) : zms.call('deleteServiceIdentity', place),
    }
  }

  /** The domain with all that it has. */
  deletion(before: unknown): Change {
    const domain = this.#domain
    const dot = domain.lastIndexOf('.')
    const [parent, name] = [domain.slice(0, Math.max(dot, 0)), domain.slice(dot + 1)]
    return {
      subject: `domain ${domain}`,
      before,
      carryOut: (zms: ZmsClient) => {
        if (parent === 'home') return zms.call('deleteUserDomain', { name, ...this.#audit })
        if (parent === '') return zms.call('deleteTopLevelDomain', { name, ...this.#audit })
        return zms.call('deleteSubDomain', { parent, name, ...this.#audit })
      },
    }
  }
}

const NO_MEMBERS: CollectionForm = { members: [] }

/** A wish with the dates that ZMS will give its members, where settings of the role, group or domain (`domain`) limit them. */
function withAllowedDates(
  before: CollectionForm | undefined,
  wish: CollectionForm,
  domain: Fields,
  now: number,
): CollectionForm {
  if (wish.members === undefined) return wish
  const collection = { ...before, ...wish }
  return { ...wish, members: allowedMembers(wish.members, before?.members, { collection, domain, now }) }
}

/** What is there with what is wished over it, in one order of names; a wish for nothing (null, false, empty) removes. */
function laidOver<T extends Fields>(before: T, wish: T): T {
  const all: Fields = { ...before, ...wish }
  const kept = Object.keys(all).filter((name) => !isNothing(all[name]) && !(name === 'members' && field(all, 'trust')))
  kept.sort((a, b) => last(a) - last(b) || (a < b ? -1 : 1))
  return Object.fromEntries(kept.map((name) => [name, name === 'tags' ? tagsOf(all[name]) : inOrder(all[name])])) as T
}

/** Members that are long come after the others. */
const LAST: ReadonlySet<string> = new Set(['tags', 'members', 'assertions', 'keys'])

const last = (name: string): number => Number(LAST.has(name))

const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || value === false || value === '' || (isFields(value) && isEmpty(value))

const isEmpty = (value: Fields): boolean => Object.keys(value).length === 0

const tagsOf = (value: unknown) => tagsFromWire(tagsToWire(value))

/** An object with its members in the order of their names. */
const inOrder = (value: unknown): unknown =>
  isFields(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value
