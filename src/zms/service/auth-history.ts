import type { AuthHistoryStore, AuthUse } from '#core/history/auth-use.ts'
import { formatTimestamp } from '#core/http/wire.ts'
import type { AuthHistoryDependencies } from '../api/domain.ts'

/** Source of who has used whose domains lately. */
export interface AuthHistory {
  dependencies(domain: string): Promise<AuthHistoryDependencies>
}

/** Without a store nothing is known. */
export const noAuthHistory: AuthHistory = {
  dependencies: async () => ({ incomingDependencies: [], outgoingDependencies: [] }),
}

/** What a store knows, in the words of the API; the life of a record is told as its end, in epoch seconds, as in the original. */
export function authHistoryOf(store: Pick<AuthHistoryStore, 'ofDomain'>, retentionSeconds: number): AuthHistory {
  const told = (use: AuthUse): AuthHistoryDependencies['incomingDependencies'][number] => ({
    uriDomain: use.uriDomain,
    principalDomain: use.principalDomain,
    principalName: use.principalName,
    timestamp: formatTimestamp(use.epochSeconds * 1000),
    endpoint: use.endpoint,
    ttl: use.epochSeconds + retentionSeconds,
  })
  return {
    async dependencies(domain) {
      const { incoming, outgoing } = await store.ofDomain(domain)
      return {
        incomingDependencies: latestFirst(incoming).map(told),
        outgoingDependencies: latestFirst(outgoing).map(told),
      }
    },
  }
}

const latestFirst = (uses: readonly AuthUse[]): AuthUse[] => uses.toSorted((a, b) => b.epochSeconds - a.epochSeconds)
