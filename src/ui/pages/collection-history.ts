import { type CollectionCalls, groupCalls, roleCalls } from '../collection-calls.ts'
import { collectionPath, memberLabel } from '../collection-view.ts'
import { filterForm, pager, table, time } from '../components.ts'
import { html } from '../html.ts'
import { definePage } from '../page.ts'

/** What happened to the members of a role or group, newest first. */
const historyPage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  return definePage({
    path: `/domain/:domainName/${kind}/:name/history`,
    async load(request) {
      const { zms, params, query, pageSize } = request
      const { domainName, name } = params
      const asked = { filter: query.text('filter'), skip: query.text('skip'), limit: pageSize }
      const { list, next } = await calls.history(zms, params, asked)
      const content = html`
${filterForm(request, { name: 'filter', label: 'Find an entry', placeholder: 'part of the name of who did it, or to whom' })}
<div id="results">${table({
        caption: 'What happened to the members, the newest first',
        head: ['When', 'What', 'Member', 'By', 'Reason'],
        rows: list.map(({ created, action, member, admin, auditRef }) => [
          time(created),
          action,
          memberLabel(member),
          admin,
          auditRef,
        ]),
        empty: asked.filter === undefined ? 'Nothing has happened.' : 'No entry fits.',
      })}${pager(request, next)}</div>`
      const trail = [{ label: name, to: collectionPath(calls, params) }]
      const words = asked.filter === undefined ? [] : ['--filter', asked.filter]
      const commands = [['history', domainName, kind, name, ...words]]
      return { title: 'History', domain: domainName, section, trail, content, commands }
    },
  })
}

/** The history of a role's members. */
export const roleHistoryPage = historyPage(roleCalls)
/** The history of a group's members. */
export const groupHistoryPage = historyPage(groupCalls)
