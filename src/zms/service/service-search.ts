import { LRUCache } from 'lru-cache'
import { keyKindText } from '#core/crypto/key-kind.ts'
import { loadPublicKey } from '#core/crypto/keys.ts'
import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { ServiceSummaries, ServiceSummary, serviceSearchEndpoints } from '../api/service-search.ts'
import type { Service } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { namedPage, pageLimit } from './keyset-page.ts'
import { serviceReply } from './service-reply.ts'
import { compact } from './wire-form.ts'

/** To read a key takes some tens of microseconds. */
const KEYS_SHOWN = 10
const KINDS_KEPT = 10_000

/** Services, a part at a time. */
export function serviceSearchService({ store }: ZmsDependencies): Handlers<typeof serviceSearchEndpoints> {
  const kinds = new LRUCache<string, { readonly kind: string | undefined }>({ max: KINDS_KEPT })
  return {
    async searchServices({ params, query }) {
      const limit = pageLimit('searchServices', query.limit)
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`searchServices: Domain not found: '${params.domainName}'`)
      const { entries, ...part } = namedPage(domain.services.values(), { ...query, limit })
      return ok(compact<ServiceSummaries>({ list: entries.map((each) => summary(domain.name, each)), ...part }))
    },
  }

  function summary(domain: string, service: Service): ServiceSummary {
    const keys = [...service.publicKeys].sort(([a], [b]) => (a < b ? -1 : 1))
    return {
      ...serviceReply(domain, service, { publicKeys: false, hosts: false }),
      publicKeys: keys.slice(0, KEYS_SHOWN).map(([id, key]) => compact({ id, kind: kindOf(key) })),
      publicKeyCount: keys.length,
      hostCount: service.hosts.size,
    } as ServiceSummary
  }

  function kindOf(key: string): string | undefined {
    const known = kinds.get(key)
    if (known) return known.kind
    const kind = storedKeyKind(key)
    kinds.set(key, { kind })
    return kind
  }
}

/** Kind of a stored key, undefined for what is no key or one of a kind that is not accepted. */
function storedKeyKind(stored: string): string | undefined {
  try {
    return keyKindText(loadPublicKey(stored))
  } catch {
    return undefined
  }
}
