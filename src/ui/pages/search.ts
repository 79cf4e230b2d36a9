import type { SearchResult } from '#zms/api/search.ts'
import { filterForm, link, table } from '../components.ts'
import { type Content, type Html, html, path, withQuery } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'

/** ZMS looks for nothing shorter. */
const SHORTEST = 2
/** Of each kind. */
const LIMIT = 20

/** One search over everything that has a name. */
export const searchPage = definePage({
  path: '/search',
  async load(request) {
    const { zms, query } = request
    const text = query.text('q')
    const isAsked = text !== undefined && text.length >= SHORTEST
    const content = html`${filterForm(request, {
      name: 'q',
      label: 'Domain, role, group, service, principal, tag or account',
      autofocus: true,
    })}
<p class="hint">Domains are found by any part of their name, everything else by its beginning.</p>
<div id="results">${isAsked ? found(text, await zms.call('search', { text, limit: LIMIT })) : html`<p class="empty">Write ${SHORTEST} characters or more.</p>`}</div>`
    return { title: 'Search', trail: [], content, commands: isAsked ? [['domain', 'list', text]] : [] }
  },
})

/** What was found of one kind. */
interface Found {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly Content[])[]
  readonly more: boolean
}

function found(text: string, result: SearchResult): Html {
  const parts = partsOf(result).filter(({ rows }) => rows.length > 0)
  if (parts.length === 0) return html`<p class="empty" role="status">Nothing has a name like “${text}”.</p>`
  return html`${parts.map(
    ({ title, head, rows, more }) => html`<section><h2>${title}</h2>
${table({ caption: `${title} found by ${text}`, head, rows, empty: '' })}
${more && html`<p>There are more: write more of the name.</p>`}</section>`,
  )}`
}

const partsOf = ({ domains, roles, groups, services, principals, tags, accounts }: SearchResult): Found[] => [
  {
    title: 'Domains',
    head: ['Domain'],
    rows: domains.list.map((name) => [link(sectionPath(name, ''), name)]),
    more: domains.more,
  },
  {
    title: 'Roles',
    head: ['Role', 'Domain'],
    rows: roles.list.map((name) => ownedCells(name, 'role')),
    more: roles.more,
  },
  {
    title: 'Groups',
    head: ['Group', 'Domain'],
    rows: groups.list.map((name) => ownedCells(name, 'group')),
    more: groups.more,
  },
  {
    title: 'Services',
    head: ['Service', 'Domain'],
    rows: services.list.map((name) => {
      const dot = name.lastIndexOf('.')
      return objectCells(name.slice(0, dot), 'service', name.slice(dot + 1))
    }),
    more: services.more,
  },
  {
    title: 'Principals',
    head: ['Principal'],
    rows: principals.list.map((name) => [link(withQuery('/access', { principal: name }), name)]),
    more: principals.more,
  },
  {
    title: 'Tags',
    head: ['Tag', 'Of', 'Domain'],
    rows: tags.list.map(({ key, value, domainName, kind, name }) => [
      `${key}=${value}`,
      name === undefined ? kind : link(path`/domain/${domainName}/${kind}/${name}`, `${kind} ${name}`),
      link(sectionPath(domainName, ''), domainName),
    ]),
    more: tags.more,
  },
  {
    title: 'Accounts',
    head: ['Account', 'Kind', 'Domain'],
    rows: accounts.list.map(({ domainName, attribute, value }) => [
      value,
      ATTRIBUTES.get(attribute) ?? attribute,
      link(sectionPath(domainName, ''), domainName),
    ]),
    more: accounts.more,
  },
]

const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['account', 'AWS account'],
  ['azureSubscription', 'Azure subscription'],
  ['businessService', 'Business service'],
  ['gcpProject', 'Google project'],
  ['productId', 'Product'],
])

/** `sports:role.readers` as a link to the role, and one to its domain. */
function ownedCells(fullName: string, kind: 'role' | 'group'): Content[] {
  const at = fullName.indexOf(`:${kind}.`)
  return objectCells(fullName.slice(0, at), kind, fullName.slice(at + kind.length + 2))
}

const objectCells = (domain: string, kind: string, name: string): Content[] => [
  link(path`/domain/${domain}/${kind}/${name}`, name),
  link(sectionPath(domain, ''), domain),
]
