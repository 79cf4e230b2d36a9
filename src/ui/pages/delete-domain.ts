import { auditField, definitions, postForm } from '../components.ts'
import { html } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'

/** Deletes a domain, after telling what is lost. */
export const deleteDomainPage = definePage({
  path: '/domain/:domainName/delete',
  async load(request) {
    const { zms, params } = request
    const { domainName } = params
    const [domain, stats] = await Promise.all([
      zms.call('getDomain', { domain: domainName }),
      zms.call('getStats', { name: domainName }),
    ])
    const { subdomain, role, roleMember, group, groupMember, policy, assertion, service, publicKey, entity } = stats
    const content = html`<p>With the domain <strong>${domainName}</strong> these are lost, and nobody can bring them back here:</p>
${definitions([
  ['Roles', `${role}, with ${roleMember} memberships`],
  ['Groups', `${group}, with ${groupMember} memberships`],
  ['Policies', `${policy}, with ${assertion} assertions`],
  ['Services', `${service}, with ${publicKey} public keys: they cannot prove who they are any more`],
  ['Entities', String(entity)],
  ['Domains below', subdomain > 0 && `${subdomain}: these have to be deleted first`],
])}
<p>A copy can be kept: the first command below writes one, from which <code>athenz apply</code> makes the domain again.</p>
${postForm(
  request,
  { action: 'delete', submit: `Delete ${domainName}`, danger: true },
  auditField(request, domain.auditEnabled === true),
)}
<p><a href="${sectionPath(domainName, '')}">Keep it</a></p>`
    return {
      title: `Delete ${domainName}?`,
      domain: domainName,
      content,
      commands: [
        ['domain', 'get', domainName],
        ['domain', 'delete', domainName],
      ],
    }
  },
  actions: {
    async delete({ zms, params, form, principal }) {
      const { domainName } = params
      const dot = domainName.lastIndexOf('.')
      const [parent, name] = [domainName.slice(0, Math.max(0, dot)), domainName.slice(dot + 1)]
      const auditRef = form.text('auditRef')
      if (parent === '') await zms.call('deleteTopLevelDomain', { name, auditRef })
      else if (domainName === principal) await zms.call('deleteUserDomain', { name, auditRef })
      else await zms.call('deleteSubDomain', { parent, name, auditRef })
      return { to: '/', notice: `The domain ${domainName} was deleted.` }
    },
  },
})
