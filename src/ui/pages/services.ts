import { serviceFullName } from '#core/names/resource-name.ts'
import type { ServiceSummary } from '#zms/api/service-search.ts'
import { auditField, badge, filterForm, link, pager, postForm, table, textField, time } from '../components.ts'
import { counted } from '../counted.ts'
import { disclosure } from '../disclosure.ts'
import { type Content, html, path } from '../html.ts'
import { definePage, FormProblem, type PageRequest } from '../page.ts'

/** The services of a domain, a part at a time. */
export const servicesPage = definePage({
  path: '/domain/:domainName/services',
  async load(request) {
    const { zms, params, query, pageSize } = request
    const { domainName } = params
    const [{ list, total, next }, { auditEnabled }] = await Promise.all([
      zms.call('searchServices', {
        domainName,
        filter: query.text('filter'),
        skip: query.text('skip'),
        limit: pageSize,
      }),
      zms.call('getDomain', { domain: domainName }),
    ])
    const content = html`
${filterForm(request, { name: 'filter', label: 'Find a service', placeholder: 'part of the name' })}
<div id="results">${table({
      caption: counted(total, 'service'),
      head: ['Service', 'Keys', 'Hosts', 'Description', 'Changed'],
      rows: list.map((each) => [
        link(path`/domain/${domainName}/service/${localNameOf(domainName, each)}`, localNameOf(domainName, each)),
        keys(each),
        each.hostCount,
        each.description,
        time(each.modified),
      ]),
      empty: query.text('filter') === undefined ? 'This domain has no services.' : 'No service has such a name.',
    })}${pager(request, next)}</div>
${disclosure(request, { summary: 'Create a service', actions: ['create'] }, creation(request, auditEnabled))}`
    return {
      title: 'Services',
      domain: domainName,
      section: 'services',
      content,
      commands: [
        ['service', 'list', domainName],
        ['service', 'create', domainName, 'SERVICE', '--description', 'TEXT'],
      ],
    }
  },
  actions: {
    async create({ zms, params: { domainName }, form }) {
      const service = form.text('service')?.toLowerCase()
      if (service === undefined) throw new FormProblem('A service needs a name.', 'service')
      const name = serviceFullName(domainName.toLowerCase(), service)
      const there = await zms.find('getServiceIdentity', { domain: domainName, service })
      if (there !== undefined) throw new FormProblem(`The service ${name} is there already.`, 'service')
      await zms.call('putServiceIdentity', {
        domain: domainName,
        service,
        body: { name, description: form.text('description') },
        auditRef: form.text('auditRef'),
      })
      return { to: path`/domain/${domainName}/service/${service}`, notice: `The service ${name} has been created.` }
    },
  },
})

const creation = (request: PageRequest, audited: boolean | undefined): Content =>
  postForm(
    request,
    { action: 'create', submit: 'Create the service' },
    textField(request, {
      name: 'service',
      label: 'Name',
      required: true,
      hint: `Its last part: api of ${request.params['domainName']}.api.`,
    }),
    textField(request, { name: 'description', label: 'Description' }),
    auditField(request, audited),
  )

const localNameOf = (domain: string, { name }: ServiceSummary): string => name.slice(domain.length + 1)

const keys = ({ publicKeys, publicKeyCount }: ServiceSummary): Content =>
  publicKeyCount === 0
    ? badge('no key', 'warn')
    : [
        publicKeys.map(({ id, kind }) => html`${id} ${badge(kind ?? 'unreadable', kind ? 'plain' : 'bad')} `),
        publicKeyCount > publicKeys.length && `and ${publicKeyCount - publicKeys.length} more`,
      ]
