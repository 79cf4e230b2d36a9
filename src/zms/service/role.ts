import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import type { RoleInput, roleEndpoints } from '../api/role.ts'
import type { Domain, Role, RoleBase } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { roleKind } from './collection.ts'
import {
  requireAuditFlag,
  requireReviewDate,
  requireSameName,
  requireSelfRenewTime,
  requireSettings,
} from './collection-rules.ts'
import { writtenSettings } from './collection-settings.ts'
import { requestedMembers, writeCollection } from './collection-write.ts'
import { putDefaultAdmins } from './default-admins.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { expandRole } from './expanded-role.ts'
import { reviewCollection } from './member-review.ts'
import { namePage } from './name-page.ts'
import { ownersToStore } from './ownership.ts'
import { requireFilterDomains } from './principal-domain-filter.ts'
import {
  filled,
  listedMemberReply,
  partialSettingsReply,
  roleIdentityReply,
  roleReply,
  roleSettingsReply,
} from './role-reply.ts'
import { deleteTenantAssertions } from './role-trust.ts'
import { hasTag } from './tag-filter.ts'
import { compact, present } from './wire-form.ts'

/** Roles as a whole. */
export function roleService(deps: ZmsDependencies): Handlers<typeof roleEndpoints> {
  const { store, writes, config } = deps
  return {
    async getRoleList({ params, query }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`unknown domain - ${params.domainName}`)
      return ok(namePage(domain.roles.keys(), query))
    },

    async getRoles({ params, query }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`getRoles: Domain not found: '${params.domainName}'`)
      const roles = [...domain.roles.values()].filter(({ tags }) => hasTag(tags, query.tagKey, query.tagValue))
      return ok({ list: roles.map((role) => listedRole(domain.name, role, query.members)) })
    },

    async getRole({ params, query }) {
      const { domainName, roleName } = params
      const domain = await store.domain(domainName)
      const role = domain?.roles.get(roleName)
      if (!domain || !role) throw notFound(`getRole: Role not found: '${roleResourceName(domainName, roleName)}'`)
      const auditLog = query.auditLog ? await store.roleAudit(domainName, roleName) : []
      if (query.expand) return ok(await expandRole(deps, domain, role, { pending: query.pending, auditLog }))
      return ok(roleReply(domainName, role, { pending: query.pending, auditLog }))
    },

    async putRole({ params, body, headers }, context) {
      const { domainName, roleName } = params
      deps.authorizedServices.check(context, 'role', roleName)
      requireSameName('putRole', roleKind, domainName, roleName, body.name)
      requireMembersOrTrust(body, domainName)
      requireSettings(deps, body)
      requireSelfRenewTime(roleKind, body)
      if (roleName === 'admin' && !body.trust && !(body.roleMembers && body.roleMembers.length > 0)) {
        throw badRequest('putRole: Admin role must have at least one member')
      }
      const members = requestedMembers(
        deps,
        body.roleMembers ?? (body.members ?? []).map((memberName) => ({ memberName })),
      )
      const subject = { context, domains: [domainName], entity: roleName, auditRef: headers.auditRef }
      const shown = await writes.commit(subject, async (transaction) => {
        const domain = await transaction.domain(domainName)
        if (!domain) throw notFound(`putrole: Unknown domain: ${domainName}`)
        const existing = domain.roles.get(roleName)
        const components = ['object', ...(members.length > 0 ? ['members'] : []), 'meta']
        const fullName = roleResourceName(domainName, roleName)
        const { resourceOwner } = headers
        const ownership = ownersToStore(
          deps.ownership.wholeWrite('role', fullName, existing?.resourceOwnership, components, resourceOwner),
          body,
        )
        writes.requireAuditReference(context, 'role', domain, headers.auditRef, existing)
        await checkRole(deps, transaction, domain, existing, body, roleName, members.length)
        const base = roleOf(roleName, body, existing)
        const write = { kind: roleKind, domain, existing, members, auditRef: headers.auditRef }
        await writeCollection(deps, context, transaction, {
          ...write,
          base: { ...base, ...(ownership && { resourceOwnership: ownership }) },
        })
        return existing?.resourceOwnership
      })
      return headers.returnObj ? ok(await written(domainName, roleName, shown)) : noContent
    },

    async deleteRole({ params, headers }, context) {
      const { domainName, roleName } = params
      deps.authorizedServices.check(context, 'role', roleName)
      if (roleName === 'admin') throw badRequest('deleteRole: admin role cannot be deleted')
      const trusting = (await store.domain(domainName))?.roles.get(roleName)?.trust
      const domains = trusting === undefined ? [domainName] : [domainName, trusting]
      await writes.commit({ context, domains, entity: roleName, auditRef: headers.auditRef }, async (transaction) => {
        const domain = await transaction.domain(domainName)
        if (!domain) throw notFound(`deleterole: Unknown domain: ${domainName}`)
        const role = domain.roles.get(roleName)
        if (!role) throw notFound('Role does not exist')
        deps.ownership.deletion(role.resourceOwnership, 'object', headers.resourceOwner)
        if (config.zms.validatePolicyAssertionRoles.value) requireUnreferenced(domain, roleName)
        writes.requireAuditReference(context, 'role', domain, headers.auditRef, role)
        transaction.apply({ kind: 'deleteRole', domain: domainName, role: roleName })
        if (role.trust !== undefined && role.trust === trusting) {
          await deleteTenantAssertions(deps, transaction, domainName, roleName, role.trust)
        }
      })
      return noContent
    },

    async putRoleReview({ params, query, body, headers }, context) {
      const { domainName, roleName } = params
      deps.authorizedServices.check(context, 'role', roleName)
      requireSameName(context.api, roleKind, domainName, roleName, body.name)
      const shown = await reviewCollection(deps, context, roleKind, {
        ...params,
        name: roleName,
        members: body.roleMembers ?? [],
        ...query,
        ...headers,
      })
      return headers.returnObj ? ok(await written(domainName, roleName, shown)) : noContent
    },

    async putDefaultAdmins({ params, body, headers }, context) {
      deps.authorizedServices.check(context)
      await putDefaultAdmins(deps, context, {
        domainName: params.domainName,
        admins: body.admins,
        auditRef: headers.auditRef,
      })
      return noContent
    },
  }

  /** The role as it is stored now, with its history and the owners it had before the write. */
  async function written(domainName: string, roleName: string, resourceOwnership: Role['resourceOwnership']) {
    const role = (await store.domain(domainName))?.roles.get(roleName)
    if (!role) throw notFound(`getRole: Role not found: '${roleResourceName(domainName, roleName)}'`)
    return roleReply(domainName, Object.assign({ ...role }, { resourceOwnership }), {
      pending: true,
      auditLog: await store.roleAudit(domainName, roleName),
    })
  }

  /** A role in a list: with all settings and its members, or with a part of the settings. */
  function listedRole(domainName: string, role: Role, members: boolean): Record<string, unknown> {
    if (!members) return { ...partialSettingsReply(role), ...roleIdentityReply(domainName, role) }
    return compact({
      ...roleSettingsReply(role),
      ...roleIdentityReply(domainName, role),
      roleMembers: filled(
        [...role.members].map((member) => listedMemberReply(member, deps.memberRules.typeOf(member.memberName))),
      ),
    })
  }
}

/** 400 when a request has members in both forms, members of a delegated role, or delegates a role to its own domain. */
export function requireMembersOrTrust({ members, roleMembers, trust }: RoleInput, domainName: string): void {
  const [old, full] = [(members?.length ?? 0) > 0, (roleMembers?.length ?? 0) > 0]
  if (old && full) throw badRequest('validateRoleMembers: Role cannot have both members and roleMembers set')
  if (!trust) return
  if (old) throw badRequest('validateRoleMembers: Role cannot have both members and delegated domain set')
  if (full) throw badRequest('validateRoleMembers: Role cannot have both roleMembers and delegated domain set')
  if (trust === domainName) throw badRequest('validateRoleMembers: Role cannot be delegated to itself')
}

/** The checks of a whole write that look at the domain. */
async function checkRole(
  deps: ZmsDependencies,
  transaction: Transaction,
  domain: Domain,
  existing: Role | undefined,
  body: RoleInput,
  roleName: string,
  memberCount: number,
): Promise<void> {
  deps.quotas.requireMaxMembers('role', body.maxMembers, memberCount)
  deps.quotas.require(domain, 'roleMember', memberCount)
  deps.quotas.require(domain, 'role', domain.roles.size + 1)
  deps.quotas.requireTags('role', body.tags, existing?.tags)
  requireAuditFlag(roleKind, domain, existing, body.auditEnabled, 'object')
  requireReviewDate(deps, body.lastReviewedDate, existing, transaction.now)
  await requireFilterDomains(transaction, body.principalDomainFilter)
  if (body.trust && !(await transaction.domain(body.trust))) {
    throw badRequest('Delegated role assigned to non existing domain')
  }
  if (roleName === 'admin' && body.trust === undefined && memberCount === 0) {
    throw badRequest('putRole: Admin role must have at least one member')
  }
}

/** The settings of a role after a whole write, see {@link writtenSettings}. */
export function roleOf(name: string, body: RoleInput, existing: RoleBase | undefined): RoleBase {
  return compact({
    ...writtenSettings(name, body, existing),
    trust: present(body.trust),
    tokenExpiryMins: present(body.tokenExpiryMins),
    certExpiryMins: present(body.certExpiryMins),
    signAlgorithm: present(body.signAlgorithm),
    memberReviewDays: present(body.memberReviewDays),
    serviceReviewDays: present(body.serviceReviewDays),
    groupExpiryDays: present(body.groupExpiryDays),
    groupReviewDays: present(body.groupReviewDays),
    description: present(body.description),
  })
}

/** 400 when an assertion of the domain names the role. */
function requireUnreferenced(domain: Domain, roleName: string): void {
  for (const versions of domain.policies.values()) {
    for (const policy of versions.values()) {
      for (const { role } of policy.assertions.values()) {
        if (role === roleName) {
          throw badRequest(
            `deleteRole: the role: ${roleName} associated to policy: ${policy.name}, it cannot be deleted`,
          )
        }
      }
    }
  }
}
