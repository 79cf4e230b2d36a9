import { auditField, definitions, link, postForm, textArea } from '../components.ts'
import type { Fields } from '../fields.ts'
import { type Content, html, path } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage, FormProblem, type PageRequest } from '../page.ts'
import { parameterNames, partsTable, templateParts } from '../template-contents.ts'
import { versionBadge } from './templates.ts'

type Request = PageRequest<'domainName' | 'template'>

/** A template: what it brings into a domain, and applying it. */
export const templatePage = definePage({
  path: '/domain/:domainName/template/:template',
  async load(request) {
    const { zms, params } = request
    const { domainName, template } = params
    const [found, { metaData }, { auditEnabled = false }] = await Promise.all([
      zms.call('getTemplate', { template }),
      zms.call('getDomainTemplateDetailsList', { name: domainName }),
      zms.call('getDomain', { domain: domainName }),
    ])
    const mine = metaData.find(({ templateName }) => templateName === template.toLowerCase())
    const { description, latestVersion, keywordsToReplace } = found.metadata ?? {}
    const names = parameterNames(keywordsToReplace)
    const parts = templateParts(domainName, found)
    const content = html`
${definitions([
  ['Description', description],
  ['In this domain', mine === undefined ? 'not applied' : versionBadge(mine)],
  ['Newest version', latestVersion],
  ['Parameters', names.length > 0 && names.map((name) => html`<code>${name}</code> `)],
])}
<section aria-labelledby="contents"><h2 id="contents">What it brings</h2>
${partsTable(`${parts.length} objects; what is there already keeps what it has and gets this besides`, parts)}</section>
<section aria-labelledby="apply"><h2 id="apply">${mine === undefined ? 'Apply it' : 'Apply it again'}</h2>
${applyForm(request, names, mine !== undefined, auditEnabled)}</section>
${mine !== undefined && html`<p>${link(`${pathOf(params)}/delete`, 'Take this template out of the domain')}</p>`}`
    const commands = [
      ['template', 'get', template],
      ['template', 'apply', domainName, template, ...names.map((name) => `${name}=VALUE`)],
    ]
    return { title: `Template ${template}`, domain: domainName, section: 'templates', content, commands }
  },
  actions: {
    async apply({ zms, params: { domainName, template }, form }) {
      const written = parametersIn(form)
      const body = { templateNames: [template], ...(written.length > 0 && { params: written }) }
      await zms.call('putDomainTemplateExt', { name: domainName, template, body, auditRef: form.text('auditRef') })
      return {
        to: path`/domain/${domainName}/template/${template}`,
        notice: `The template ${template} has been applied.`,
      }
    },
  },
})

/** Asks before a template is taken out of a domain, and names what goes with it. */
export const deleteTemplatePage = definePage({
  path: '/domain/:domainName/template/:template/delete',
  async load(request) {
    const { zms, params } = request
    const { domainName, template } = params
    const [found, { auditEnabled }] = await Promise.all([
      zms.call('getTemplate', { template }),
      zms.call('getDomain', { domain: domainName }),
    ])
    const content = html`<p>These objects are deleted, with all members and assertions that they have by now. This cannot be undone;
applying the template again brings back what it has, and nothing else.</p>
${partsTable('What is lost', templateParts(domainName, found))}
${postForm(request, { action: 'delete', submit: `Take ${template} out of ${domainName}`, danger: true }, auditField(request, auditEnabled))}
<p>${link(pathOf(params), 'Keep it')}</p>`
    return {
      title: `Take the template ${template} out of ${domainName}?`,
      domain: domainName,
      section: 'templates',
      trail: [{ label: template, to: pathOf(params) }],
      content,
      commands: [['template', 'remove', domainName, template]],
    }
  },
  actions: {
    async delete({ zms, params: { domainName, template }, form }) {
      await zms.call('deleteDomainTemplate', { name: domainName, template, auditRef: form.text('auditRef') })
      const notice = `The template ${template} has been taken out of the domain.`
      return { to: sectionPath(domainName, 'templates'), notice }
    },
  },
})

const pathOf = ({ domainName, template }: Request['params']): string => path`/domain/${domainName}/template/${template}`

const applyForm = (request: Request, names: readonly string[], again: boolean, audited: boolean): Content =>
  postForm(
    request,
    { action: 'apply', submit: again ? 'Apply it again' : 'Apply it' },
    names.length > 0 &&
      textArea(request, {
        name: 'parameters',
        label: 'Parameters',
        rows: names.length + 1,
        value: names.map((name) => `${name} = `).join('\n'),
        hint: 'One name = value on each line; they stand for placeholders in the names above.',
      }),
    auditField(request, audited),
  )

/** Reads the lines of the parameters. Throws FormProblem for one that is none, or has no value. */
function parametersIn(form: Fields): { name: string; value: string }[] {
  const lines = (form.text('parameters') ?? '').split('\n').map((line) => line.trim())
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const equals = line.indexOf('=')
      const [name, value] = [line.slice(0, Math.max(equals, 0)).trim(), line.slice(equals + 1).trim()]
      if (name === '' || value === '') throw new FormProblem(`Write name = value on each line: ${line}`, 'parameters')
      return { name, value }
    })
}
