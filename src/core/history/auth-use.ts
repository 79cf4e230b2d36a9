/** That a principal used a domain: asked for its tokens, certificates or decisions. Names are lower case. */
export interface AuthUse {
  /** The domain that was used. */
  readonly uriDomain: string
  readonly principalDomain: string
  /** Local name of the principal. */
  readonly principalName: string
  /** Method and target of the latest request. */
  readonly endpoint: string
  /** Its time, in epoch seconds. */
  readonly epochSeconds: number
}

/** The uses of one domain by others, and those of other domains by its principals. */
export interface AuthUses {
  readonly incoming: readonly AuthUse[]
  readonly outgoing: readonly AuthUse[]
}

/**
 * Where uses are kept for those who ask who depends on a domain; a plug-in. Of a principal and a domain the latest use is
 * kept, until it is too old.
 */
export interface AuthHistoryStore {
  /** Adds uses. Rejects when they cannot be kept now; they are then given again. */
  record(uses: readonly AuthUse[]): Promise<void>
  /** The uses that a domain (lower case) has to do with. */
  ofDomain(domain: string): Promise<AuthUses>
  close?(): Promise<void> | void
}

/** What tells the use of a domain by a principal from others. */
export const useKey = ({ uriDomain, principalDomain, principalName }: Omit<AuthUse, 'endpoint' | 'epochSeconds'>) =>
  `${uriDomain} ${principalDomain} ${principalName}`
