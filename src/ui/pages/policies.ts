import type { PolicySummary } from '#zms/api/policy-search.ts'
import { auditField, badge, filterForm, link, pager, postForm, table, textField, time } from '../components.ts'
import { counted } from '../counted.ts'
import { disclosure } from '../disclosure.ts'
import { type Content, html } from '../html.ts'
import { definePage, FormProblem, type PageRequest } from '../page.ts'
import { localPolicyName, policyPath } from '../policy-view.ts'

/** The policies of a domain, a part at a time. */
export const policiesPage = definePage({
  path: '/domain/:domainName/policies',
  async load(request) {
    const { zms, params, query, pageSize } = request
    const { domainName } = params
    const asked = { filter: query.text('filter'), skip: query.text('skip'), limit: pageSize }
    const [{ list, total, next }, { auditEnabled }] = await Promise.all([
      zms.call('searchPolicies', { domainName, ...asked }),
      zms.call('getDomain', { domain: domainName }),
    ])
    const content = html`
${filterForm(request, { name: 'filter', label: 'Find a policy', placeholder: 'part of the name' })}
<div id="results">${table({
      caption: counted(total, 'policy', 'policies'),
      head: ['Policy', 'Assertions', 'Versions', 'Description', 'Changed'],
      rows: list.map((policy) => [
        link(policyPath({ domainName, policyName: localPolicyName(policy) }), localPolicyName(policy)),
        activeCount(policy),
        versions(policy),
        policy.description,
        time(policy.modified),
      ]),
      empty: asked.filter === undefined ? 'This domain has no policies.' : 'No policy has such a name.',
    })}${pager(request, next)}</div>
${disclosure(request, { summary: 'Create a policy', actions: ['create'] }, creation(request, auditEnabled))}`
    return {
      title: 'Policies',
      domain: domainName,
      section: 'policies',
      content,
      commands: [
        ['policy', 'list', domainName],
        ['policy', 'create', domainName, 'POLICY', 'grant read to readers on things.*'],
      ],
    }
  },
  actions: {
    async create({ zms, params: { domainName }, form }) {
      const policyName = form.text('policy')?.toLowerCase()
      if (policyName === undefined) throw new FormProblem('A policy needs a name.', 'policy')
      const place = { domainName, policyName }
      const there = await zms.find('getPolicyVersionList', place)
      if (there !== undefined) throw new FormProblem(`The policy ${policyName} is there already.`, 'policy')
      const body = { name: policyName, assertions: [] }
      await zms.call('putPolicy', { ...place, body, auditRef: form.text('auditRef') })
      return { to: policyPath(place), notice: `The policy ${policyName} has been created. It says nothing yet.` }
    },
  },
})

const creation = (request: PageRequest, audited: boolean | undefined): Content =>
  postForm(
    request,
    { action: 'create', submit: 'Create the policy' },
    textField(request, { name: 'policy', label: 'Name', required: true }),
    auditField(request, audited),
  )

function activeCount({ versions: all, activeVersion }: PolicySummary): Content {
  const active = all.find(({ version }) => version === activeVersion)
  if (active === undefined) return badge('no version is active', 'warn')
  const { assertionCount, conditionCount } = active
  return conditionCount === 0 ? assertionCount : `${assertionCount}, ${conditionCount} with conditions`
}

const versions = ({ versions: all, activeVersion }: PolicySummary): Content =>
  all.length > 1 && all.map(({ version }) => [badge(version, version === activeVersion ? 'good' : 'plain'), ' '])
