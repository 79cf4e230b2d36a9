/** The SSH host certificate of an instance. Times are epoch milliseconds. */
export interface SshRecord {
  readonly instanceId: string
  /** Full name. */
  readonly service: string
  /** Comma-separated. */
  readonly principals: string
  readonly clientIp: string
  readonly privateIp: string
  readonly issueTime: number
}

/** Records of SSH host certificates: a plug-in. Fails as records of certificates do. */
export interface SshRecords {
  get(instanceId: string, service: string): Promise<SshRecord | undefined>
  /** Inserts or replaces. */
  put(record: SshRecord): Promise<void>
  delete(instanceId: string, service: string): Promise<void>
  close?(): Promise<void> | void
}
