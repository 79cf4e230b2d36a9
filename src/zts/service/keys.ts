import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { keysEndpoints } from '../api/keys.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** The public keys of the servers. */
export function keysService({ publishedKeys }: Pick<ZtsDependencies, 'publishedKeys'>): Handlers<typeof keysEndpoints> {
  return {
    getJWKList({ query: { rfc, service } }) {
      return ok({ keys: publishedKeys.jwks(service === 'zms' ? 'zms' : 'zts', rfc) })
    },
  }
}
