import { path, withQuery } from '#ui/html.ts'
import { PageIndex } from '#ui/page-index.ts'
import { PAGES } from '#ui/pages.ts'

/** Names of what is there to be looked at. */
export interface Sights {
  readonly domain: string
  /** Role and group, both with the member. */
  readonly role: string
  readonly group: string
  readonly member: string
  /** A role that has the group as its member, and one whose members another domain chooses. */
  readonly indirectRole: string
  readonly delegatedRole: string
  /** Tag that roles have. */
  readonly tag: { readonly key: string; readonly value: string }
  readonly policy: string
  /** Version of the policy that is not the active one, `0`. */
  readonly version: string
  /** Id of an assertion of the active version. */
  readonly assertion: string | number
  readonly service: string
  /** Template that the domain has. */
  readonly template: string
  /** An action and a resource that assertions are about. */
  readonly action: string
  readonly resource: string
  /** What is looked for everywhere besides: beginnings of names, values of tags and accounts. */
  readonly sought: readonly string[]
}

/** Visits to all pages, to some of them with what people look for: paths with their queries. */
export function pageVisits(sights: Sights): string[] {
  const { member, action, resource, tag } = sights
  const domain = path`/domain/${sights.domain}`
  const policy = `${domain}${path`/policy/${sights.policy}`}`
  const version = `${policy}${path`/version/${sights.version}`}`
  const service = `${domain}${path`/service/${sights.service}`}`
  const template = `${domain}${path`/template/${sights.template}`}`
  const role = (name: string) => `${domain}${path`/role/${name}`}`
  const written = { effect: 'ALLOW', role: sights.role, assertedAction: action, resource, version: '0' }
  return [
    '/',
    '/?filter=a',
    withQuery('/', { skip: `${sights.domain}.team5` }),
    '/due',
    '/search',
    ...[sights.role, ...sights.sought].map((q) => withQuery('/search', { q })),
    '/new-domain',
    domain,
    `${domain}/settings`,
    `${domain}/history`,
    withQuery(`${domain}/history`, { filter: member }),
    withQuery(`${domain}/history`, { filter: 'nobody-has-this-name' }),
    `${domain}/delete`,
    `${domain}/roles`,
    withQuery(`${domain}/roles`, { filter: sights.role }),
    withQuery(`${domain}/roles`, { skip: 'role5' }),
    withQuery(`${domain}/roles`, { tagKey: tag.key, tagValue: tag.value }),
    ...collectionVisits(role(sights.role), member),
    ...expandedVisits(role(sights.indirectRole), member),
    ...expandedVisits(role(sights.delegatedRole), member),
    `${domain}/groups`,
    withQuery(`${domain}/groups`, { filter: sights.group }),
    ...collectionVisits(`${domain}${path`/group/${sights.group}`}`, member),
    `${domain}/policies`,
    withQuery(`${domain}/policies`, { filter: sights.policy }),
    withQuery(`${domain}/policies`, { skip: 'policy5' }),
    policy,
    withQuery(policy, { filter: resource }),
    withQuery(policy, { filter: 'nothing-has-this-name' }),
    withQuery(policy, { skip: sights.assertion }),
    `${policy}/new-assertion`,
    withQuery(`${policy}/new-assertion`, written),
    `${policy}${path`/version/0/assertion/${sights.assertion}`}`,
    `${policy}/delete`,
    version,
    `${version}/delete`,
    `${domain}/services`,
    withQuery(`${domain}/services`, { filter: sights.service }),
    withQuery(`${domain}/services`, { skip: 'service5' }),
    service,
    `${service}/delete`,
    `${domain}/templates`,
    template,
    `${template}/delete`,
    '/access',
    withQuery('/access', { principal: member, action, resource }),
    withQuery('/access', { action, resource }),
    withQuery('/access', { principal: member }),
  ]
}

const collectionVisits = (collection: string, member: string): string[] => [
  collection,
  withQuery(collection, { filter: member }),
  withQuery(collection, { filter: 'nobody-has-this-name' }),
  withQuery(collection, { skip: member }),
  ...['active', 'expired', 'disabled', 'pending', 'overdue'].map((state) => withQuery(collection, { state })),
  `${collection}${path`/member/${member}`}`,
  withQuery(`${collection}/members`, { member }),
  `${collection}/review`,
  `${collection}/settings`,
  `${collection}/history`,
  withQuery(`${collection}/history`, { filter: 'nobody-has-this-name' }),
  `${collection}/delete`,
]

/** A role with those who have it through others. */
const expandedVisits = (role: string, member: string): string[] =>
  [{}, { filter: member }, { state: 'active' }, { state: 'expired' }, { skip: member }].map((query) =>
    withQuery(role, { expand: 'true', ...query }),
  )

/** Paths of the pages that visits leave out. */
export function unvisited(visits: readonly string[]): string[] {
  const index = new PageIndex(PAGES)
  const seen = new Set(visits.map((visit) => index.find(visit.split('?', 1)[0] ?? '')?.page))
  return PAGES.filter((page) => !seen.has(page)).map((page) => page.path)
}
