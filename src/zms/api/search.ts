import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { kept, maybe, shown } from '#core/http/scalar-types.ts'
import { bool, list, optional, struct, type ValueOf, type WireType } from '#core/http/wire.ts'
import { openReadErrors } from './parameters.ts'

/** The first of one kind, and whether there are more. */
const some = <T, I>(item: WireType<T, I>) => struct({ list: list(item), more: bool() })

/** Everything found by a text, each kind by itself. */
export const SearchResult = struct({
  /** Names. */
  domains: some(shown.domain),
  /** Full names. */
  roles: some(shown.resource),
  groups: some(shown.resource),
  services: some(shown.service),
  principals: some(shown.member),
  tags: some(
    struct({
      key: shown.text,
      value: shown.text,
      domainName: shown.domain,
      /** `domain`, `role`, `group`, `policy` or `service`. */
      kind: shown.text,
      /** Local name of what has the tag; absent when it is the domain. */
      name: maybe.text,
    }),
  ),
  accounts: some(
    struct({
      domainName: shown.domain,
      /** Setting of the domain: `account`, `azureSubscription`, `businessService`, `gcpProject` or `productId`. */
      attribute: shown.text,
      value: shown.text,
    }),
  ),
})
export type SearchResult = ValueOf<typeof SearchResult>

/** One search over everything that has a name. */
export const searchAllEndpoints = {
  search: endpoint({
    operation: 'search',
    method: 'GET',
    path: '/sys/search',
    group: 'Domain',
    summary:
      'Finds domains by a part of their name, and roles, groups, services, principals, tags and accounts by its beginning.',
    query: { text: query('text', optional(kept.text)), limit: query('limit', maybe.int32) },
    access: authenticate,
    responses: { 200: SearchResult },
    errors: openReadErrors,
  }),
}
