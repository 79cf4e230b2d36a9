import { badRequest } from '#core/error/service-error.ts'
import type { RequestOf } from '#core/http/endpoint.ts'
import { resolveUserAlias } from '#core/names/principal-name.ts'
import type { DomainList, domainEndpoints } from '../api/domain.ts'
import type { DomainListFilter, DomainQueries } from '../store/store.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { parseHttpDate } from './http-date.ts'
import { principalDomainsOf } from './principal-domains.ts'

type ListRequest = RequestOf<typeof domainEndpoints.getDomainList>

/**
 * The names that a list request asks for. Searches exclude each other; the first one given counts. A search by account,
 * project, subscription or product that finds nothing answers null instead of an empty list, as the original does.
 */
export async function listDomains(
  { store: queries, config }: Pick<ZmsDependencies, 'store' | 'config'>,
  { query, headers }: ListRequest,
): Promise<DomainList> {
  if (query.limit !== undefined && query.limit <= 0) {
    throw badRequest(`getDomainList: limit must be positive: ${query.limit}`)
  }
  const modifiedSince = modifiedSinceOf(headers.modifiedSince)
  const single = await singleSearch(queries, query)
  if (single) return { names: single.length > 0 ? single : null }
  if (query.roleMember || query.roleName) {
    const role = query.roleName?.includes(':role.')
      ? query.roleName.slice(query.roleName.indexOf(':role.') + 6)
      : query.roleName
    const member = query.roleMember && resolveUserAlias(query.roleMember, principalDomainsOf(config))
    return { names: await queries.domainsByMember(member || undefined, role || undefined) }
  }
  if (query.tagKey) return { names: await queries.domainsByTag(query.tagKey, query.tagValue) }
  if (query.businessService)
    return { names: await queries.domainsByAttribute('businessService', query.businessService) }
  const { limit } = query
  const filter = {
    ...(query.prefix && { prefix: query.prefix }),
    ...(query.depth !== undefined && { depth: query.depth }),
    ...(modifiedSince !== undefined && { modifiedSince }),
  }
  const names = await queries.domainNames({
    ...filter,
    ...(query.skip && (await isListed(queries, query.skip, filter)) && { after: query.skip }),
    ...(limit !== undefined && { limit: limit + 1 }),
  })
  if (limit === undefined || names.length <= limit) return { names }
  const page = names.slice(0, limit)
  return { names: page, next: page.at(-1) as string }
}

/** Whether the list has a name: one that it does not have skips nothing, as in the original. */
async function isListed(
  queries: DomainQueries,
  name: string,
  { prefix = '', depth, modifiedSince }: DomainListFilter,
): Promise<boolean> {
  if (!name.startsWith(prefix)) return false
  if (depth !== undefined && name.split('.').length - 1 > depth) return false
  const domain = await queries.domain(name)
  return domain !== undefined && (modifiedSince === undefined || domain.modified > modifiedSince)
}

async function singleSearch(queries: DomainQueries, query: ListRequest['query']): Promise<string[] | undefined> {
  if (query.account) return queries.domainsByAttribute('account', query.account)
  if (query.subscription) return queries.domainsByAttribute('azureSubscription', query.subscription)
  if (query.project) return queries.domainsByAttribute('gcpProject', query.project)
  if (query.productNumber) return queries.domainsByAttribute('ypmId', query.productNumber)
  if (query.productId) return queries.domainsByAttribute('productId', query.productId)
  return undefined
}

function modifiedSinceOf(text: string | undefined): number | undefined {
  if (!text) return undefined
  const time = parseHttpDate(text)
  if (time === undefined) {
    throw badRequest(
      `getDomainList: If-Modified-Since header value must be valid RFC1123 dateUnparseable date: ${JSON.stringify(text)}`,
    )
  }
  return time
}
