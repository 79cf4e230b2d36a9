/** An address at which an instance was last seen. Times are epoch milliseconds. */
export interface WorkloadRecord {
  readonly provider: string
  /** Full name. */
  readonly service: string
  readonly ip: string
  readonly instanceId: string
  readonly hostname: string
  readonly creationTime: number
  readonly updateTime: number
  readonly certExpiryTime: number
}

/** Where instances run: a plug-in. Fails as records of certificates do. */
export interface WorkloadRecords {
  ofService(service: string): Promise<readonly WorkloadRecord[]>
  atAddress(ip: string): Promise<readonly WorkloadRecord[]>
  /** Inserts, or replaces the record of the same instance, address and service, whose creation time stays. */
  put(record: WorkloadRecord): Promise<void>
  close?(): Promise<void> | void
}
