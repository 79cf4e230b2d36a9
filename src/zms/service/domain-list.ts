import { badRequest } from '#core/error/service-error.ts'
import type { RequestOf } from '#core/http/endpoint.ts'
import type { DomainList, domainEndpoints } from '../api/domain.ts'
import type { DomainQueries } from '../store/store.ts'
import { parseHttpDate } from './http-date.ts'

type ListRequest = RequestOf<typeof domainEndpoints.getDomainList>

/**
 * The names that a list request asks for. Searches exclude each other; the first one given counts. A search by account,
 * project, subscription or product that finds nothing answers null instead of an empty list, as the original does.
 */
export async function listDomains(queries: DomainQueries, { query, headers }: ListRequest): Promise<DomainList> {
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
    return { names: await queries.domainsByMember(query.roleMember || undefined, role || undefined) }
  }
  if (query.tagKey) return { names: await queries.domainsByTag(query.tagKey, query.tagValue) }
  if (query.businessService)
    return { names: await queries.domainsByAttribute('businessService', query.businessService) }
  const { limit } = query
  // A name that the list does not have skips nothing, as in the original.
  const skips = query.skip?.startsWith(query.prefix ?? '') && (await queries.domain(query.skip)) !== undefined
  const names = await queries.domainNames({
    ...(query.prefix && { prefix: query.prefix }),
    ...(query.depth !== undefined && { depth: query.depth }),
    ...(skips && { after: query.skip }),
    ...(modifiedSince !== undefined && { modifiedSince }),
    ...(limit !== undefined && { limit: limit + 1 }),
  })
  if (limit === undefined || names.length <= limit) return { names }
  const page = names.slice(0, limit)
  return { names: page, next: page.at(-1) as string }
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
