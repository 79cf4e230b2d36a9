import type { MaybePromise } from '#core/http/maybe-promise.ts'

/** What is known of host names: a plug-in. Without one there is no say beyond the suffixes of providers. */
export interface HostnameResolver {
  /** Whether the host exists. */
  isHostname(hostname: string): MaybePromise<boolean>
  /** Whether the host has all these names as canonical names, for certificates of a service (full name). */
  areCnames(service: string, hostname: string, cnames: readonly string[]): MaybePromise<boolean>
  /** Addresses of the host. */
  addressesOf(hostname: string): MaybePromise<readonly string[]>
}
