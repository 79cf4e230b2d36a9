import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok, type RequestContext } from '#core/http/endpoint.ts'
import type { DomainTemplateInput, templateEndpoints } from '../api/template.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { applyTemplate, removeTemplate, requireTemplate } from './template-application.ts'

/** Templates of the server, and what domains have of them. */
export function templateService(deps: ZmsDependencies): Handlers<typeof templateEndpoints> {
  const { store, templates } = deps
  return {
    async getServerTemplateList() {
      return ok({ templateNames: templates.names })
    },

    async getServerTemplateDetailsList() {
      return ok({ metaData: templates.names.map((name) => detailsOf(name)) })
    },

    async getTemplate({ params: { template } }) {
      const found = templates.get(template)
      if (!found) throw notFound(`getTemplate: Template not found: '${template}'`)
      return ok(found.reply)
    },

    async getDomainTemplateList({ params: { name } }) {
      return ok({ templateNames: [...(await appliedTo(name)).keys()].sort() })
    },

    async getDomainTemplateDetailsList({ params: { name } }) {
      const applied = [...(await appliedTo(name))].sort(([a], [b]) => (a < b ? -1 : 1))
      return ok({ metaData: applied.map(([template, version]) => detailsOf(template, version)) })
    },

    async putDomainTemplate({ params: { name }, body, headers: { auditRef } }, context) {
      const { templateNames } = body
      if (templateNames.length === 0) throw badRequest('putDomainTemplate: No templates specified')
      await apply(context, name, body, auditRef)
      return noContent
    },

    async putDomainTemplateExt({ params: { name, template }, body, headers: { auditRef } }, context) {
      const { templateNames } = body
      if (templateNames.length === 0) throw badRequest('putDomainTemplateExt: No templates specified')
      if (templateNames.length > 1 || templateNames[0] !== template) {
        throw badRequest('putDomainTemplateExt: template name mismatch')
      }
      await apply(context, name, body, auditRef)
      return noContent
    },

    async deleteDomainTemplate({ params: { name, template }, headers: { auditRef } }, context) {
      deps.authorizedServices.check(context, 'name', template)
      requireTemplate(deps, template)
      await deps.writes.commit({ context, domains: [name], entity: template, auditRef }, async (transaction) => {
        await auditedDomain(deps, context, transaction, { domainName: name, kind: 'template', auditRef })
        await removeTemplate(deps, context, transaction, { domain: name, template })
      })
      return noContent
    },
  }

  /** Templates of a domain → version. */
  async function appliedTo(name: string): Promise<ReadonlyMap<string, number>> {
    const domain = await store.domain(name)
    if (!domain) throw notFound(`unknown domain - ${name}`)
    return domain.templates
  }

  /** What is known about a template; one that the server no longer knows has only name and version; without metadata the version is 0. */
  function detailsOf(templateName: string, currentVersion?: number): Record<string, unknown> {
    const template = templates.get(templateName)
    return {
      ...(template && { ...template.reply.metadata, latestVersion: template.latestVersion ?? 0 }),
      templateName,
      ...(currentVersion !== undefined && { currentVersion }),
    }
  }

  async function apply(
    context: RequestContext,
    domain: string,
    { templateNames, params }: DomainTemplateInput,
    auditRef: string | undefined,
  ): Promise<void> {
    for (const template of templateNames) deps.authorizedServices.check(context, 'name', template)
    for (const template of templateNames) requireTemplate(deps, template)
    // Of several values for one placeholder the first counts: it leaves nothing to replace.
    const values = new Map((params ?? []).map(({ name, value }) => [name, value] as const).toReversed())
    const subject = { context, domains: [domain], entity: templateNames.join(','), auditRef }
    await deps.writes.commit(subject, async (transaction) => {
      await auditedDomain(deps, context, transaction, { domainName: domain, kind: 'template', auditRef })
      for (const template of templateNames) {
        await applyTemplate(deps, context, transaction, { domain, template, params: values, auditRef })
      }
    })
  }
}
