import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { groupResourceName, roleResourceName, serviceFullName } from '#core/names/resource-name.ts'
import type { SearchResult, searchAllEndpoints } from '../api/search.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { compact } from './wire-form.ts'

const LIMIT = { usual: 5, greatest: 50 }
const TEXT_LENGTH = { least: 2, greatest: 256 }

/**
 * The search over everything that has a name. It tells what the original tells every authenticated principal: names of
 * domains, of what they hold and of who is a member, tags and settings of domains.
 */
export function searchAllService({ store, config }: ZmsDependencies): Handlers<typeof searchAllEndpoints> {
  return {
    async search({ query }) {
      const { limit = LIMIT.usual } = query
      if (limit < 1 || limit > LIMIT.greatest) {
        throw badRequest(`search: limit must be from 1 to ${LIMIT.greatest}: ${limit}`)
      }
      const text = query.text?.trim() ?? ''
      // A single letter is in so many names that it would find nothing that anybody looks for.
      if (text.length < TEXT_LENGTH.least || text.length > TEXT_LENGTH.greatest) {
        throw badRequest(`search: text must have from ${TEXT_LENGTH.least} to ${TEXT_LENGTH.greatest} characters`)
      }
      // One more than is shown tells that there are more.
      const found = await store.search({ text, userDomain: config.userDomain, limit: limit + 1 })
      const some = <T, R>(all: readonly T[], reply: (item: T) => R) => ({
        list: all.slice(0, limit).map(reply),
        more: all.length > limit,
      })
      return ok({
        domains: some(found.domains, (name) => name),
        roles: some(found.roles, ({ domain, name }) => roleResourceName(domain, name)),
        groups: some(found.groups, ({ domain, name }) => groupResourceName(domain, name)),
        services: some(found.services, ({ domain, name }) => serviceFullName(domain, name)),
        principals: some(found.principals, (name) => name),
        tags: some(found.tags, ({ key, value, domain, kind, name }) =>
          compact({ key, value, domainName: domain, kind, name: name === '' ? undefined : name }),
        ),
        accounts: some(found.accounts, ({ domain, attribute, value }) => ({ domainName: domain, attribute, value })),
      } satisfies SearchResult)
    },
  }
}
