import { auditField, definitions, link, postForm } from '../components.ts'
import { html, path } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'

/** Asks before a service is deleted, and names what is lost. */
export const deleteServicePage = definePage({
  path: '/domain/:domainName/service/:serviceName/delete',
  async load(request) {
    const { zms, params } = request
    const { domainName, serviceName } = params
    const [{ name, publicKeys = [], hosts = [], description }, { auditEnabled }] = await Promise.all([
      zms.call('getServiceIdentity', { domain: domainName, service: serviceName }),
      zms.call('getDomain', { domain: domainName }),
    ])
    const there = path`/domain/${domainName}/service/${serviceName}`
    const content = html`<p>The service cannot get certificates and tokens any more, and its memberships of roles and groups mean nothing.
This cannot be undone.</p>
${definitions([
  ['Description', description],
  ['Keys that are lost', publicKeys.length === 0 ? 'none' : publicKeys.map(({ id }) => id).join(', ')],
  ['Hosts that are forgotten', hosts.length === 0 ? 'none' : `${hosts.length}`],
])}
${postForm(request, { action: 'delete', submit: `Delete ${name}`, danger: true }, auditField(request, auditEnabled))}
<p>${link(there, 'Keep it')}</p>`
    return {
      title: `Delete ${name}?`,
      domain: domainName,
      section: 'services',
      trail: [{ label: name, to: there }],
      content,
      commands: [['service', 'delete', domainName, serviceName]],
    }
  },
  actions: {
    async delete({ zms, params: { domainName, serviceName }, form }) {
      const auditRef = form.text('auditRef')
      await zms.call('deleteServiceIdentity', { domain: domainName, service: serviceName, auditRef })
      const notice = `The service ${domainName}.${serviceName} has been deleted.`
      return { to: sectionPath(domainName, 'services'), notice }
    },
  },
})
