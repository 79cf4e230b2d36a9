import { auditField, definitions, link, postForm } from '../components.ts'
import { counted } from '../counted.ts'
import { html } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'
import { policyPath } from '../policy-view.ts'

/** Asks before a policy is deleted, and names what is lost. */
export const deletePolicyPage = definePage({
  path: '/domain/:domainName/policy/:policyName/delete',
  async load(request) {
    const { zms, params } = request
    const [{ policy, version, list, total }, { auditEnabled }] = await Promise.all([
      zms.call('searchAssertions', { ...params, limit: 5 }),
      zms.call('getDomain', { domain: params.domainName }),
    ])
    const roles = [...new Set(list.map(({ role }) => role))]
    const content = html`<p>What it grants is not granted any more, and what it forbids is not forbidden. This cannot be undone.</p>
${definitions([
  ['Description', policy.description],
  ['Versions that are lost', policy.versions.map((each) => each.version).join(', ')],
  ['Assertions that are lost', `${total} in version ${version}`],
  ['Roles in them', roles.length > 0 && `${roles.join(', ')}${list.length < total ? ' and perhaps others' : ''}`],
])}
${postForm(request, { action: 'delete', submit: `Delete ${policy.name}`, danger: true }, auditField(request, auditEnabled))}
<p>${link(policyPath(params), 'Keep it')}</p>`
    return {
      title: `Delete ${policy.name}?`,
      domain: params.domainName,
      section: 'policies',
      trail: [{ label: params.policyName, to: policyPath(params) }],
      content,
      commands: [['policy', 'delete', params.domainName, params.policyName]],
    }
  },
  actions: {
    async delete({ zms, params, form }) {
      await zms.call('deletePolicy', { ...params, auditRef: form.text('auditRef') })
      const notice = `The policy ${params.policyName} has been deleted.`
      return { to: sectionPath(params.domainName, 'policies'), notice }
    },
  },
})

/** Asks before a version of a policy is deleted. */
export const deletePolicyVersionPage = definePage({
  path: '/domain/:domainName/policy/:policyName/version/:version/delete',
  async load(request) {
    const { zms, params } = request
    const [{ policy, total }, { auditEnabled }] = await Promise.all([
      zms.call('searchAssertions', { ...params, limit: 1 }),
      zms.call('getDomain', { domain: params.domainName }),
    ])
    const content = html`<p>It is lost with ${counted(total, 'assertion')}. ${
      policy.activeVersion === params.version
        ? 'It is the active version, which ZMS does not delete: activate another one first.'
        : 'The active version stays as it is.'
    } This cannot be undone.</p>
${postForm(
  request,
  { action: 'delete', submit: `Delete version ${params.version}`, danger: true },
  auditField(request, auditEnabled),
)}
<p>${link(policyPath(params, params.version), 'Keep it')}</p>`
    return {
      title: `Delete version ${params.version} of ${policy.name}?`,
      domain: params.domainName,
      section: 'policies',
      trail: [{ label: params.policyName, to: policyPath(params) }],
      content,
      commands: [['policy', 'delete-version', params.domainName, params.policyName, params.version]],
    }
  },
  actions: {
    async delete({ zms, params, form }) {
      await zms.call('deletePolicyVersion', { ...params, auditRef: form.text('auditRef') })
      return { to: policyPath(params), notice: `The version ${params.version} has been deleted.` }
    },
  },
})
