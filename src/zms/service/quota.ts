import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import type { QuotaInput, quotaEndpoints } from '../api/quota.ts'
import type { Domain } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { requireNotNegative } from './domain-rules.ts'
import { type QuotaLimits, serverQuota } from './quota-rules.ts'
import { timestamp } from './wire-form.ts'

/** Name under which the limits of the server are reported. */
const SERVER_DEFAULT = 'server-default'

/** Limits of domains. */
export function quotaService(deps: ZmsDependencies): Handlers<typeof quotaEndpoints> {
  const { store, writes, config } = deps
  const startedAt = deps.now()
  return {
    async getQuota({ params: { name } }) {
      const domain = await store.domain(name)
      if (!domain) throw notFound(`unknown domain - ${name}`)
      const { quota } = domain
      if (!quota) return ok({ name: SERVER_DEFAULT, ...serverQuota(config), modified: timestamp(startedAt) })
      return ok({ name, ...limitsOf(quota), modified: timestamp(quota.modified) })
    },

    async putQuota({ params: { name }, body, headers: { auditRef } }, context) {
      deps.authorizedServices.check(context)
      if (body.name !== name) throw badRequest('putQuota: Domain name in URI and Quota object do not match')
      const limits = limitsOf(body)
      requireNotNegative(limits, Object.keys(limits))
      await writes.commit({ context, domains: [name], entity: name, auditRef }, async (transaction) => {
        const domain = await find(transaction, name)
        writes.requireAuditReference(context, 'domain', domain, auditRef)
        transaction.apply({ kind: 'putQuota', domain: name, value: limits })
      })
      return noContent
    },

    async deleteQuota({ params: { name }, headers: { auditRef } }, context) {
      deps.authorizedServices.check(context)
      await writes.commit({ context, domains: [name], entity: name, auditRef }, async (transaction) => {
        const domain = await find(transaction, name)
        writes.requireAuditReference(context, 'domain', domain, auditRef)
        if (!domain.quota) throw notFound(`${context.api}: unable to delete quota: ${name}`)
        transaction.apply({ kind: 'deleteQuota', domain: name })
      })
      return noContent
    },
  }
}

async function find(transaction: Transaction, name: string): Promise<Domain> {
  const domain = await transaction.domain(name)
  if (!domain) throw notFound(`unknown domain - ${name}`)
  return domain
}

/** The limits alone. */
const limitsOf = (quota: QuotaLimits | QuotaInput): QuotaLimits => ({
  subdomain: quota.subdomain,
  role: quota.role,
  roleMember: quota.roleMember,
  policy: quota.policy,
  assertion: quota.assertion,
  entity: quota.entity,
  service: quota.service,
  serviceHost: quota.serviceHost,
  publicKey: quota.publicKey,
  group: quota.group,
  groupMember: quota.groupMember,
})
