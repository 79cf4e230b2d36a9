import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { WireType } from '#core/http/wire.ts'
import { ztsEndpoints } from '#zts/api/index.ts'

const CASES: readonly [string, WireType<unknown>, unknown, unknown][] = [
  ['a domain of a path', ztsEndpoints.getRoleToken.params.domainName, 'Sports.API', 'sports.api'],
  ['a resource', ztsEndpoints.getResourceAccessExt.query.resource.type, 'D:X Y', 'd:x y'],
  ['roles that are asked for', ztsEndpoints.getRoleToken.query.role.type, 'Readers,Writers', 'readers,writers'],
  ['a key id', ztsEndpoints.getPublicKeyEntry.params.keyId, 'K1', 'k1'],
  ['an instance id', ztsEndpoints.postInstanceRefreshInformation.params.instanceId, 'I-0A', 'I-0A'],
  ['a role of AWS, encoded twice', ztsEndpoints.getAWSTemporaryCredentials.params.role, 'Path%2FRole', 'Path/Role'],
  ['a nonce', ztsEndpoints.getOIDCResponse.query.nonce.type, 'Nonce', 'Nonce'],
  [
    'versions of policies',
    ztsEndpoints.postSignedPolicyRequest.body,
    { policyVersions: { Readers: 'V2' } },
    { policyVersions: new Map([['readers', 'v2']]), signatureP1363Format: false },
  ],
  [
    'an instance',
    ztsEndpoints.postInstanceRegisterInformation.body,
    { provider: 'SYS.Auth.ZTS', domain: 'Sports', service: 'API', hostname: 'Host.A', attestationData: 'Att' },
    { provider: 'sys.auth.zts', domain: 'sports', service: 'api', hostname: 'Host.A', attestationData: 'Att' },
  ],
  ['the name of an external member', ztsEndpoints.postExternalMemberCertificateRequest.body, member('A'), member('a')],
]

function member(name: string) {
  return { name: `sports:ext.${name}`, csr: 'Csr', attestationData: 'Att' }
}

describe('names become lower case, values keep their letters', () => {
  for (const [what, type, given, read] of CASES) {
    test(what, () => assert.deepEqual(type.parse(given), read))
  }
})
