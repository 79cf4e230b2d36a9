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
}

/** Visits to all pages, to some of them with what people look for: paths with their queries. */
export function pageVisits(sights: Sights): string[] {
  const { member, action, resource } = sights
  const domain = path`/domain/${sights.domain}`
  const policy = `${domain}${path`/policy/${sights.policy}`}`
  const version = `${policy}${path`/version/${sights.version}`}`
  const service = `${domain}${path`/service/${sights.service}`}`
  const template = `${domain}${path`/template/${sights.template}`}`
  const written = { effect: 'ALLOW', role: sights.role, assertedAction: action, resource, version: '0' }
  return [
    '/',
    '/?filter=a',
    '/due',
    '/search',
    withQuery('/search', { q: sights.role }),
    '/new-domain',
    domain,
    `${domain}/settings`,
    `${domain}/history`,
    withQuery(`${domain}/history`, { filter: member }),
    `${domain}/delete`,
    `${domain}/roles`,
    withQuery(`${domain}/roles`, { filter: sights.role }),
    ...collectionVisits(`${domain}${path`/role/${sights.role}`}`, member),
    `${domain}/groups`,
    ...collectionVisits(`${domain}${path`/group/${sights.group}`}`, member),
    `${domain}/policies`,
    withQuery(`${domain}/policies`, { filter: sights.policy }),
    policy,
    withQuery(policy, { filter: resource }),
    `${policy}/new-assertion`,
    withQuery(`${policy}/new-assertion`, written),
    `${policy}${path`/version/0/assertion/${sights.assertion}`}`,
    `${policy}/delete`,
    version,
    `${version}/delete`,
    `${domain}/services`,
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
  `${collection}${path`/member/${member}`}`,
  withQuery(`${collection}/members`, { member }),
  `${collection}/review`,
  `${collection}/settings`,
  `${collection}/history`,
  `${collection}/delete`,
]

/** Paths of the pages that visits leave out. */
export function unvisited(visits: readonly string[]): string[] {
  const index = new PageIndex(PAGES)
  const seen = new Set(visits.map((visit) => index.find(visit.split('?', 1)[0] ?? '')?.page))
  return PAGES.filter((page) => !seen.has(page)).map((page) => page.path)
}
