import { type CollectionCalls, type CollectionSummary, groupCalls, roleCalls } from '../collection-calls.ts'
import { collectionPath, countBadges, localName, reviewDue, settingBadges, tagLinks } from '../collection-view.ts'
import { auditField, filterForm, link, pager, postForm, table, textArea, textField, time } from '../components.ts'
import { disclosure } from '../disclosure.ts'
import { type Content, html } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage, FormProblem, type PageRequest } from '../page.ts'

/** The roles or the groups of a domain, a part at a time. */
const collectionsPage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  return definePage({
    path: `/domain/:domainName/${section}`,
    async load(request) {
      const { zms, params, query, pageSize, now } = request
      const { domainName } = params
      const [tagKey, tagValue] = [query.text('tagKey'), query.text('tagValue')]
      const asked = { filter: query.text('filter'), tagKey, tagValue, skip: query.text('skip'), limit: pageSize }
      const [{ list, total, next }, { auditEnabled }] = await Promise.all([
        calls.search(zms, domainName, asked),
        zms.call('getDomain', { domain: domainName }),
      ])
      const row = (each: CollectionSummary): Content[] => {
        const name = localName(calls, each)
        return [
          [link(collectionPath(calls, { domainName, name }), name), each.description && html` ${each.description}`],
          each.trust === undefined ? countBadges(each.memberCounts) : undefined,
          settingBadges(each),
          reviewDue(each, now),
          tagLinks(domainName, calls, each),
          time(each.modified),
        ]
      }
      const filtered = asked.filter !== undefined || tagKey !== undefined
      const content = html`
${filterForm(request, { name: 'filter', label: `Find a ${kind}`, placeholder: 'part of the name', keep: ['tagKey', 'tagValue'] })}
${
  tagKey !== undefined &&
  html`<p>With the tag <strong>${tagKey}${tagValue !== undefined && `=${tagValue}`}</strong>. <a href="${sectionPath(domainName, section)}">Show all</a></p>`
}
<div id="results">${table({
        caption: total === 1 ? `One ${kind}` : `${total} ${section}`,
        head: [kind === 'role' ? 'Role' : 'Group', 'Members', 'Settings', 'Review', 'Tags', 'Changed'],
        rows: list.map(row),
        empty: filtered ? `No ${kind} fits.` : `This domain has no ${section}.`,
      })}${pager(request, next)}</div>
${disclosure(request, { summary: `Create a ${kind}`, actions: ['create'] }, creation(request, calls, auditEnabled))}`
      return {
        title: kind === 'role' ? 'Roles' : 'Groups',
        domain: domainName,
        section,
        content,
        commands: [
          [kind, 'list', domainName],
          [kind, 'create', domainName, 'NAME', '--member', 'user.jane'],
        ],
      }
    },
    actions: {
      async create({ zms, params: { domainName }, form }) {
        const name = form.text('name')?.toLowerCase()
        if (name === undefined) throw new FormProblem(`The ${kind} needs a name.`, 'name')
        const trust = form.text('trust')?.toLowerCase()
        const members = (form.text('members') ?? '').split(/[\s,]+/).filter((each) => each !== '')
        if (trust !== undefined && members.length > 0) {
          throw new FormProblem('A delegated role has no members of its own: give a domain, or members.', 'members')
        }
        const place = { domainName, name }
        // To put one that is there would replace it with all its members.
        if (await calls.exists(zms, place)) throw new FormProblem(`The ${kind} ${name} is there already.`, 'name')
        const made = { members, trust, description: form.text('description') }
        await calls.create(zms, place, made, form.text('auditRef'))
        return { to: collectionPath(calls, place), notice: `The ${kind} ${name} was created.` }
      },
    },
  })
}

const creation = (request: PageRequest, { kind }: CollectionCalls, audited: boolean | undefined): Content =>
  postForm(
    request,
    { action: 'create', submit: `Create the ${kind}` },
    textField(request, { name: 'name', label: 'Name', required: true, maxLength: 256 }),
    kind === 'role' && textField(request, { name: 'description', label: 'Description' }),
    textArea(request, {
      name: 'members',
      label: 'Members',
      hint: `one in a line, such as user.jane${kind === 'role' ? ', sports.api or sports:group.team' : ' or sports.api'}`,
    }),
    kind === 'role' &&
      textField(request, {
        name: 'trust',
        label: 'Delegate it to a domain',
        hint: 'which then decides who is in the role; such a role has no members here',
      }),
    auditField(request, audited),
  )

/** The roles of a domain. */
export const rolesPage = collectionsPage(roleCalls)
/** The groups of a domain. */
export const groupsPage = collectionsPage(groupCalls)
