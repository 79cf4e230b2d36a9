import type { Principal } from '#core/authority/principal.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'
import type { ZmsDependencies } from './dependencies.ts'

/** What a token of a user has beyond the name. */
export interface UserTokenOptions {
  /** Services that may use it for the user. */
  readonly services: readonly string[]
  /** Address it is issued to. */
  readonly ip?: string | undefined
  /** Epoch milliseconds; it ends at the configured time or then, whichever comes first. */
  readonly endMillis?: number
}

/** Issues a principal token to a user. */
export function issueUserToken(
  { config, signer, now }: Pick<ZmsDependencies, 'config' | 'signer' | 'now'>,
  { domain, name = '' }: Principal,
  { services, ip, endMillis = Number.POSITIVE_INFINITY }: UserTokenOptions,
): Promise<string> {
  const { hostname, userTokenTimeoutSeconds } = config.zms
  const issueTimeSeconds = Math.floor(now() / 1000)
  return signPrincipalToken(
    {
      version: 'U1',
      domain,
      name,
      host: hostname,
      issueTimeSeconds,
      expiryTimeSeconds: Math.min(issueTimeSeconds + userTokenTimeoutSeconds, Math.floor(endMillis / 1000)),
      ...(ip && { ip }),
      ...(services.length > 0 && { authorizedServices: services }),
    },
    signer,
  )
}
