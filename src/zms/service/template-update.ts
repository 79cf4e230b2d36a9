import { messageOf } from '#core/error/message-of.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { jobContext } from './job-context.ts'
import type { SolutionTemplate } from './solution-templates.ts'
import { applyTemplate } from './template-application.ts'

const AUDIT_REFERENCE = 'AutoApplyTemplate'

/**
 * Applies templates again in the domains that have an older version of them, where the template asks for that and needs
 * no parameters. Domains in which that fails are left as they are, and the log says so. Does nothing unless it is switched
 * on.
 */
export async function updateTemplates(deps: ZmsDependencies): Promise<void> {
  const { config, store, templates } = deps
  if (!config.zms.autoUpdateTemplateFeatureFlag) return
  for (const name of templates.names) {
    const template = templates.get(name)
    if (!template?.autoUpdate || template.latestVersion === undefined) continue
    const { latestVersion } = template
    for (const domain of await store.domainsByTemplate(name)) {
      if (domain.version < latestVersion) await update(deps, template, latestVersion, domain.name)
    }
  }
}

async function update(
  deps: ZmsDependencies,
  { name: template }: SolutionTemplate,
  latestVersion: number,
  domainName: string,
): Promise<void> {
  const context = jobContext(deps.config, 'autoapplytemplate')
  const subject = { context, domains: [domainName], entity: template, auditRef: AUDIT_REFERENCE }
  try {
    await deps.writes.commit(subject, async (transaction) => {
      // Another server may have been faster, or the domain may be gone.
      const version = (await transaction.domain(domainName))?.templates.get(template)
      if (version === undefined || version >= latestVersion) return
      const application = { domain: domainName, template, params: new Map<string, string>(), auditRef: AUDIT_REFERENCE }
      await applyTemplate(deps, context, transaction, application)
    })
  } catch (error) {
    const reason = messageOf(error)
    deps.log('error', `template ${template} could not be updated in domain ${domainName}: ${reason}`)
  }
}
