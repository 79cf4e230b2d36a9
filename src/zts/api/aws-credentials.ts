import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { maybe, shown } from '#core/http/scalar-types.ts'
import { struct, time, type ValueOf } from '#core/http/wire.ts'
import { awsRole } from './names.ts'
import { checkedErrors, inDomain } from './parameters.ts'

/** Credentials of AWS for a while. */
export const AWSTemporaryCredentials = struct('AWSTemporaryCredentials', {
  accessKeyId: shown.text,
  secretAccessKey: shown.text,
  sessionToken: shown.text,
  expiration: time(),
})
export type AWSTemporaryCredentials = ValueOf<typeof AWSTemporaryCredentials>

/** Credentials of AWS. */
export const awsCredentialsEndpoints = {
  getAWSTemporaryCredentials: endpoint({
    operation: 'getAWSTemporaryCredentials',
    method: 'GET',
    path: '/domain/{domainName}/role/{role}/creds',
    group: 'AWSAuth',
    summary: 'Issues credentials for a role of AWS that the caller may assume.',
    params: { ...inDomain, role: awsRole },
    query: {
      durationSeconds: query('durationSeconds', maybe.int32),
      externalId: query('externalId', maybe.text),
    },
    access: authenticate,
    // The external id is what AWS knows the caller's right by.
    secretQuery: true,
    responses: { 200: AWSTemporaryCredentials },
    errors: checkedErrors,
  }),
}
