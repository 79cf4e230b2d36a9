import type { TemplateMetaData } from '#zms/api/template.ts'
import { badge, filterForm, link, pager, table, time } from '../components.ts'
import { counted } from '../counted.ts'
import { type Content, html, path } from '../html.ts'
import { definePage } from '../page.ts'

/** The templates that ZMS knows, and those that a domain has. */
export const templatesPage = definePage({
  path: '/domain/:domainName/templates',
  async load(request) {
    const { zms, params, query, pageSize } = request
    const { domainName } = params
    const [known, applied] = await Promise.all([
      zms.call('getServerTemplateDetailsList'),
      zms.call('getDomainTemplateDetailsList', { name: domainName }),
    ])
    const had = new Map(applied.metaData.map((each) => [each.templateName ?? '', each]))
    const filter = query.text('filter')?.toLowerCase()
    const all = known.metaData
      .filter(
        ({ templateName = '', description = '' }) =>
          filter === undefined || `${templateName} ${description}`.toLowerCase().includes(filter),
      )
      .toSorted((a, b) => compare(a, b, had))
    const from = Math.max(0, Math.trunc(Number(query.text('skip') ?? 0)) || 0)
    const next = from + pageSize < all.length ? String(from + pageSize) : undefined
    const content = html`<p>A template brings prepared roles, groups, policies and services into a domain.</p>
${filterForm(request, { name: 'filter', label: 'Find a template', placeholder: 'part of name or description' })}
<div id="results">${table({
      caption: `${counted(all.length, 'template')}, those that this domain has first`,
      head: ['Template', 'Here', 'Newest version', 'Description', 'Of'],
      rows: all.slice(from, from + pageSize).map((each) => {
        const name = each.templateName ?? ''
        const mine = had.get(name)
        return [
          link(path`/domain/${domainName}/template/${name}`, name),
          mine && versionBadge(mine),
          each.latestVersion,
          each.description,
          time(each.timestamp),
        ]
      }),
      empty: filter === undefined ? 'ZMS has no templates.' : 'No template has this in its name or description.',
    })}${pager(request, next)}</div>`
    const commands = [['template', 'list', domainName]]
    return { title: 'Templates', domain: domainName, section: 'templates', content, commands }
  },
})

/** Which version of a template a domain has, and whether there is a newer one. */
export function versionBadge({ currentVersion, latestVersion, autoUpdate }: TemplateMetaData): Content {
  const isOld = currentVersion !== undefined && latestVersion !== undefined && currentVersion < latestVersion
  return [
    badge(currentVersion === undefined ? 'applied' : `version ${currentVersion}`, isOld ? 'plain' : 'good'),
    isOld && [
      ' ',
      badge(`version ${latestVersion} is there`, 'warn'),
      autoUpdate === true && ' ZMS brings it by itself',
    ],
  ]
}

function compare(a: TemplateMetaData, b: TemplateMetaData, had: ReadonlyMap<string, unknown>): number {
  const [first, second] = [a.templateName ?? '', b.templateName ?? '']
  if (had.has(first) !== had.has(second)) return had.has(first) ? -1 : 1
  return first < second ? -1 : 1
}
