import type { AuthHistoryDependencies } from '../api/domain.ts'

/** Source of who has used whose rights lately; a plug-in. */
export interface AuthHistoryStore {
  dependencies(domain: string): Promise<AuthHistoryDependencies>
}

/** Without a history store nothing is known. */
export const noAuthHistory: AuthHistoryStore = {
  dependencies: async () => ({ incomingDependencies: [], outgoingDependencies: [] }),
}
