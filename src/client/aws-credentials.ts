import type { AWSTemporaryCredentials } from '#zts/api/aws-credentials.ts'
import { cacheKey } from './cache-key.ts'
import { isFreshWithin, type LifeBounds } from './token-freshness.ts'
import type { TokenCall, TokenKind } from './token-keeper.ts'
import type { ZtsCalls } from './zts-calls.ts'

/** Which credentials of AWS are wanted; `maxExpirySeconds` is the life that is asked for. */
export interface AwsCredentialsOptions extends LifeBounds, TokenCall {
  /** That the role demands of those who assume it. */
  readonly externalId?: string
}

/** A request for credentials of AWS. */
export interface AwsCredentialsRequest extends LifeBounds {
  readonly domain: string
  /** Role of AWS, with its path. */
  readonly role: string
  readonly externalId: string | undefined
}

/** Credentials as the SDK of AWS takes them from a provider. */
export interface AwsCredentialIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: Date
}

/** Credentials of AWS: given out again as role tokens are. */
export const awsCredentials = (
  zts: ZtsCalls,
  minExpirySeconds: number,
): TokenKind<AwsCredentialsRequest, AWSTemporaryCredentials> => ({
  name: 'AWS credentials',
  // With the external id: who does not know it must not get what was got with it.
  key: ({ domain, role, externalId }, principal) => cacheKey({ p: principal, d: domain, r: role, e: externalId }),
  fetch: ({ domain, role, externalId, maxExpirySeconds }, signal) =>
    zts.call(
      'getAWSTemporaryCredentials',
      // The path of such a role has slashes, which servers take off together with the second encoding only.
      { domainName: domain, role: encodeURIComponent(role), durationSeconds: maxExpirySeconds, externalId },
      { signal },
    ),
  expiresAtMillis: ({ expiration }) => Date.parse(expiration),
  isFresh: (kept, request, nowMillis) => isFreshWithin(kept, request, nowMillis, minExpirySeconds),
})

/** The form that the SDK of AWS takes. */
export const awsIdentity = ({ expiration, ...keys }: AWSTemporaryCredentials): AwsCredentialIdentity => ({
  ...keys,
  expiration: new Date(expiration),
})
