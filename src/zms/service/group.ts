import { notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { groupResourceName } from '#core/names/resource-name.ts'
import type { groupEndpoints } from '../api/group.ts'
import type { Group } from '../store/model.ts'
import { groupKind } from './collection.ts'
import {
  requireAuditFlag,
  requireReviewDate,
  requireSameName,
  requireSelfRenewTime,
  requireSettings,
} from './collection-rules.ts'
import { writtenSettings } from './collection-settings.ts'
import { requestedMembers, writeCollection } from './collection-write.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { requireGroupUnused } from './domain-deletion.ts'
import {
  groupIdentityReply,
  groupReply,
  groupSettingsReply,
  listedGroupMemberReply,
  partialGroupSettingsReply,
} from './group-reply.ts'
import { reviewCollection } from './member-review.ts'
import { ownersToStore } from './ownership.ts'
import { requireFilterDomains } from './principal-domain-filter.ts'
import { filled } from './role-reply.ts'
import { hasTag } from './tag-filter.ts'
import { compact } from './wire-form.ts'

/** Groups as a whole. */
export function groupService(deps: ZmsDependencies): Handlers<typeof groupEndpoints> {
  const { store, writes } = deps
  return {
    async getGroups({ params, query }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`Domain not found: '${params.domainName}'`)
      const groups = [...domain.groups.values()].filter(({ tags }) => hasTag(tags, query.tagKey, query.tagValue))
      return ok({ list: groups.map((group) => listedGroup(domain.name, group, query.members)) })
    },

    async getGroup({ params, query }) {
      const { domainName, groupName } = params
      const group = (await store.domain(domainName))?.groups.get(groupName)
      if (!group) throw notFound(`getGroup: Group not found: '${groupResourceName(domainName, groupName)}'`)
      const auditLog = query.auditLog ? await store.groupAudit(domainName, groupName) : []
      return ok(groupReply(domainName, group, { pending: query.pending, auditLog }))
    },

    async putGroup({ params, body, headers }, context) {
      const { domainName, groupName } = params
      const { auditRef, resourceOwner } = headers
      deps.authorizedServices.check(context, 'group', groupName)
      requireSameName('putGroup', groupKind, domainName, groupName, body.name)
      requireSettings(deps, body)
      requireSelfRenewTime(groupKind, body)
      const members = requestedMembers(deps, body.groupMembers ?? [])
      const subject = { context, domains: [domainName], entity: groupName, auditRef }
      const shown = await writes.commit(subject, async (transaction) => {
        const domain = await transaction.domain(domainName)
        if (!domain) throw notFound(`putgroup: Unknown domain: ${domainName}`)
        const existing = domain.groups.get(groupName)
        const components = ['object', ...(members.length > 0 ? ['members'] : []), 'meta']
        const stored = existing?.resourceOwnership
        const fullName = groupResourceName(domainName, groupName)
        const owners = deps.ownership.wholeWrite('group', fullName, stored, components, resourceOwner)
        const ownership = ownersToStore(owners, body)
        writes.requireAuditReference(context, 'group', domain, auditRef, existing)
        deps.quotas.requireMaxMembers('group', body.maxMembers, members.length)
        deps.quotas.require(domain, 'groupMember', members.length)
        deps.quotas.require(domain, 'group', domain.groups.size + 1)
        deps.quotas.requireTags('group', body.tags, existing?.tags)
        requireAuditFlag(groupKind, domain, existing, body.auditEnabled, 'object')
        requireReviewDate(deps, body.lastReviewedDate, existing, transaction.now)
        await requireFilterDomains(transaction, body.principalDomainFilter)
        const base = {
          ...writtenSettings(groupName, body, existing),
          ...(ownership && { resourceOwnership: ownership }),
        }
        await writeCollection(deps, context, transaction, {
          kind: groupKind,
          domain,
          existing,
          base,
          members,
          auditRef,
        })
        return stored
      })
      return headers.returnObj ? ok(await written(domainName, groupName, shown)) : noContent
    },

    async deleteGroup({ params, headers }, context) {
      const { domainName, groupName } = params
      const { auditRef, resourceOwner } = headers
      deps.authorizedServices.check(context, 'group', groupName)
      const subject = { context, domains: [domainName], entity: groupName, auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await transaction.domain(domainName)
        if (!domain) throw notFound(`deletegroup: Unknown domain: ${domainName}`)
        const group = domain.groups.get(groupName)
        if (group) deps.ownership.deletion(group.resourceOwnership, 'object', resourceOwner)
        await requireGroupUnused(transaction.queries, domainName, groupName, 'anywhere')
        if (!group) throw notFound('Group does not exist')
        writes.requireAuditReference(context, 'group', domain, auditRef, group)
        transaction.apply({ kind: 'deleteGroup', domain: domainName, group: groupName })
      })
      return noContent
    },

    async putGroupReview({ params, query, body, headers }, context) {
      const { domainName, groupName } = params
      deps.authorizedServices.check(context, 'group', groupName)
      requireSameName(context.api, groupKind, domainName, groupName, body.name)
      const members = body.groupMembers ?? []
      const review = { domainName, name: groupName, members, ...query, ...headers }
      const shown = await reviewCollection(deps, context, groupKind, review)
      return headers.returnObj ? ok(await written(domainName, groupName, shown)) : noContent
    },
  }

  /** The group as it is stored now, with its history and the owners it had before the write. */
  async function written(domainName: string, groupName: string, resourceOwnership: Group['resourceOwnership']) {
    const group = (await store.domain(domainName))?.groups.get(groupName)
    if (!group) throw notFound(`getGroup: Group not found: '${groupResourceName(domainName, groupName)}'`)
    return groupReply(domainName, Object.assign({ ...group }, { resourceOwnership }), {
      pending: true,
      auditLog: await store.groupAudit(domainName, groupName),
    })
  }
}

/** A group in a list: with all settings and its members, or with a part of the settings. */
function listedGroup(domainName: string, group: Group, members: boolean): Record<string, unknown> {
  if (!members) return { ...partialGroupSettingsReply(group), ...groupIdentityReply(domainName, group) }
  return compact({
    ...groupSettingsReply(group),
    ...groupIdentityReply(domainName, group),
    groupMembers: filled([...group.members].map((member) => listedGroupMemberReply(domainName, group, member))),
  })
}
