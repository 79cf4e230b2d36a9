/** Which certificates an instance has: what is known of a stolen one. Times are epoch milliseconds, serials decimal. */
export interface CertificateRecord {
  readonly provider: string
  readonly instanceId: string
  /** Full name. */
  readonly service: string
  readonly currentSerial: string
  readonly currentTime: number
  readonly currentIp: string
  readonly prevSerial: string
  readonly prevTime: number
  readonly prevIp: string
  readonly clientCert: boolean
  readonly lastNotifiedTime?: number | undefined
  readonly lastNotifiedServer?: string | undefined
  readonly expiryTime?: number | undefined
  readonly hostName?: string | undefined
  readonly siaProvider?: string | undefined
  /** When address or host name last changed. */
  readonly svcDataUpdateTime?: number | undefined
}

/** Who is going to tell people of certificates that are not refreshed; times are epoch milliseconds. */
export interface UnrefreshedClaim {
  readonly provider: string
  /** Certificates that were issued before. */
  readonly issuedBefore: number
  /** Name of the server that tells, and when. */
  readonly server: string
  readonly at: number
  /** Records of which people were told at this time or later are left out. */
  readonly notSince: number
}

/**
 * Records of certificates by provider, instance and service: a plug-in. A store that cannot be reached rejects with a
 * ServiceError `unavailable`, names that it cannot keep with `bad-request`. Names that differ in the case of their
 * letters never stand for each other: such a store finds nothing, or rejects with `conflict`.
 */
export interface CertificateRecords {
  get(provider: string, instanceId: string, service: string): Promise<CertificateRecord | undefined>
  /** Inserts, or replaces what was known of the same instance: it has started anew. */
  insert(record: CertificateRecord): Promise<void>
  /**
   * Writes a record in place of one whose `currentSerial` is `replaced`; false when another one is there by now, so that
   * two refreshes at the same time cannot both be the first.
   */
  update(record: CertificateRecord, replaced: string): Promise<boolean>
  /** No error when there is none. */
  delete(provider: string, instanceId: string, service: string): Promise<void>
  /** Removes records whose current time is before `before`, at most `limit` (0: all); gives how many. */
  deleteExpired(before: number, limit: number): Promise<number>
  /**
   * Notes at the records of a provider that are not refreshed that the server tells people of them, and gives them.
   * However many servers ask at the same time, one gets each. A store that cannot do it may be without.
   */
  claimUnrefreshed?(claim: UnrefreshedClaim): Promise<CertificateRecord[]>
  /** What is wrong with the store, for operators; undefined when nothing is. Never rejects. */
  check?(): Promise<string | undefined>
  close?(): Promise<void> | void
}

/** Whether a record is among those of a claim. */
export const isClaimed = (
  { provider, currentTime, lastNotifiedTime }: CertificateRecord,
  claim: Pick<UnrefreshedClaim, 'provider' | 'issuedBefore' | 'notSince'>,
): boolean =>
  provider === claim.provider &&
  currentTime < claim.issuedBefore &&
  (lastNotifiedTime === undefined || lastNotifiedTime < claim.notSince)
