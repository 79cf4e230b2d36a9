import { filterForm, link, pager, table, time } from '../components.ts'
import { html, path } from '../html.ts'
import { definePage } from '../page.ts'

/** What happened to the members of the roles and groups of a domain. */
export const domainHistoryPage = definePage({
  path: '/domain/:domainName/history',
  async load(request) {
    const { zms, params, query, pageSize } = request
    const { domainName } = params
    const filter = query.text('filter')
    const asked = { domainName, limit: pageSize, filter, skip: query.text('skip') }
    const { list, next } = await zms.call('getDomainMemberHistory', asked)
    const content = html`${filterForm(request, { name: 'filter', label: 'Whose memberships, or who changed them' })}
<div id="results">${table({
      caption: `Changes of members in ${domainName}, newest first`,
      head: ['When', 'What', 'Who', 'In', 'By', 'Reason'],
      rows: list.map(({ kind, name, member, admin, created, action, auditRef }) => [
        time(created),
        action.toLowerCase(),
        member,
        link(path`/domain/${domainName}/${kind}/${name}`, `${kind} ${name}`),
        admin,
        auditRef,
      ]),
      empty: 'Nothing is known.',
    })}
${pager(request, next)}</div>`
    const commands = [['history', domainName, ...(filter === undefined ? [] : ['--filter', filter])]]
    return { title: 'History', domain: domainName, section: 'history', content, commands }
  },
})
