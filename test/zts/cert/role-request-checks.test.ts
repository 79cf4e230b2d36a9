import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PresentedCertificate } from '#zts/cert/presented-certificate.ts'
import type { RequestRules } from '#zts/cert/request-rules.ts'
import { ROLE_REQUEST_CHECKS, type RoleSubject } from '#zts/cert/role-request-checks.ts'
import { requestFor } from '../../support/certificate-requests.ts'
import { refusalOf } from './check-support.ts'

const CERTIFICATE: PresentedCertificate = {
  organizationalUnit: 'Testing',
  dnsNames: ['mine.example.com'],
  ipAddresses: ['10.0.0.1', '2001:db8:0:0:0:0:0:1'],
  uris: [],
  instanceId: 'i-1',
  hostname: 'h1.example.com',
}
const SUBJECT: RoleSubject = {
  domain: 'sports',
  role: 'readers',
  principal: 'media.east.api',
  proxy: undefined,
  remoteAddress: '192.0.2.1',
  certificate: CERTIFICATE,
}
const URI = 'URI:athenz://principal/media.east.api'
const EMAIL = 'email:media.east.api@zts.athenz.cloud'

type Case = readonly [
  what: string,
  names: readonly string[],
  reason: string | undefined,
  subject?: Partial<RoleSubject>,
  rules?: Partial<RequestRules>,
]
const strictDns = { verifiesRoleDnsNames: true }
const strictAddress = { verifiesAddress: true }

const cases: readonly Case[] = [
  ['the URI of the principal', [URI], undefined],
  ['the URI of the principal in capitals', ['URI:athenz://principal/Media.East.API'], undefined],
  ['that URI with its beginning in capitals', ['URI:ATHENZ://Principal/media.east.api'], undefined],
  ['its e-mail address', [EMAIL], undefined],
  ['both', [URI, EMAIL], undefined],
  ['neither', [], 'the principal is not named'],
  ['the URI of somebody else', ['URI:athenz://principal/media.east.web'], 'the URI is not that of the principal'],
  ['two URIs of principals', [URI, 'URI:athenz://principal/media.east.web'], 'the principal is named more than once'],
  [
    'two URIs of principals, one in capitals',
    [URI, 'URI:ATHENZ://PRINCIPAL/media.east.web'],
    'the principal is named more than once',
  ],
  ['the URI twice', [URI, URI], 'the principal is named more than once'],
  ['two e-mail addresses', [EMAIL, 'email:media.east.api@x.athenz.cloud'], 'the principal is named more than once'],
  [
    'the e-mail address of somebody else',
    ['email:media.east.web@zts.athenz.cloud'],
    'the e-mail address is not that of the principal',
  ],
  [
    'an e-mail address elsewhere',
    ['email:media.east.api@example.com'],
    'the e-mail address is not that of the principal',
  ],
  [
    'an e-mail address at the end of domains itself',
    ['email:media.east.api@.athenz.cloud'],
    'the e-mail address is not that of the principal',
  ],
  [
    'an e-mail address with two ats',
    ['email:media.east.api@evil.com@zts.athenz.cloud'],
    'the e-mail address is not that of the principal',
  ],
  [
    'a wrong e-mail address beside the URI',
    [URI, 'email:x@zts.athenz.cloud'],
    'the e-mail address is not that of the principal',
  ],
  ['any DNS name', [URI, 'DNS:www.example.com'], undefined],
  [
    'any DNS name where that is forbidden',
    [URI, 'DNS:www.example.com'],
    'the DNS name www.example.com is not that of the principal',
    {},
    strictDns,
  ],
  ['the DNS name of the principal', [URI, 'DNS:api.media-east.athenz.cloud'], undefined, {}, strictDns],
  ['the DNS name of the certificate', [URI, 'DNS:mine.example.com'], undefined, {}, strictDns],
  [
    'that name without the certificate',
    [URI, 'DNS:mine.example.com'],
    'the DNS name mine.example.com is not that of the principal',
    { certificate: undefined },
    strictDns,
  ],
  [
    'a DNS name that the plug-in accepts',
    [URI, 'DNS:www.example.com'],
    undefined,
    {},
    {
      ...strictDns,
      dataValidator: {
        acceptsServiceDnsName: () => false,
        acceptsRoleDnsName: async (...names) => names.join(' ') === 'www.example.com sports readers media.east.api',
      },
    },
  ],
  ['the URI of a proxy user', [URI, 'URI:athenz://proxyuser/user.joe'], undefined],
  ['the proxy user who asks', [URI, 'URI:athenz://proxyuser/user.joe'], undefined, { proxy: 'user.joe' }],
  [
    'another proxy user',
    [URI, 'URI:athenz://proxyuser/user.jane'],
    'the caller is not named as proxy user',
    { proxy: 'user.joe' },
  ],
  ['no proxy user', [URI], 'the caller is not named as proxy user', { proxy: 'user.joe' }],
  [
    'two proxy users',
    [URI, 'URI:athenz://proxyuser/user.joe', 'URI:athenz://proxyuser/user.jane'],
    'the caller is not named as proxy user',
    { proxy: 'user.joe' },
  ],
  ['the SPIFFE id of the role', [URI, 'URI:spiffe://sports/ra/readers'], undefined],
  ['the SPIFFE id of the role in the trust domain', [URI, 'URI:spiffe://athenz.io/ns/sports/ra/readers'], undefined],
  ['the SPIFFE id of another role', [URI, 'URI:spiffe://sports/ra/writers'], 'the SPIFFE URI is not that of the role'],
  ['the SPIFFE id of a service', [URI, 'URI:spiffe://media.east/sa/api'], 'the SPIFFE URI is not that of the role'],
  ['the instance of the certificate', [URI, 'URI:athenz://instanceid/sys.auth.zts/i-1'], undefined],
  ['another instance', [URI, 'URI:athenz://instanceid/sys.auth.zts/i-2'], 'the instance is not that of the caller'],
  [
    'another instance in a DNS name',
    [URI, 'URI:athenz://instanceid/sys.auth.zts/i-1', 'DNS:i-2.instanceid.athenz.zts.athenz.cloud'],
    'more than one instance is named',
  ],
  [
    'an instance without a certificate',
    [URI, 'URI:athenz://instanceid/sys.auth.zts/i-1'],
    'the instance is not that of the caller',
    { certificate: undefined },
  ],
  ['the host of the certificate', [URI, 'URI:athenz://hostname/h1.example.com'], undefined],
  ['another host', [URI, 'URI:athenz://hostname/h2.example.com'], 'the host is not that of the caller'],
  ['any address', [URI, 'IP:10.9.9.9'], undefined],
  ['addresses of the certificate', [URI, 'IP:10.0.0.1', 'IP:2001:db8::1'], undefined, {}, strictAddress],
  ['one that is not', [URI, 'IP:10.0.0.1', 'IP:10.9.9.9'], 'an address is not that of the caller', {}, strictAddress],
  ['the address of the caller', [URI, 'IP:192.0.2.1'], undefined, { certificate: undefined }, strictAddress],
  [
    'that and another one',
    [URI, 'IP:192.0.2.1', 'IP:10.0.0.1'],
    'an address is not that of the caller',
    { certificate: undefined },
    strictAddress,
  ],
  [
    'an organization that is not allowed',
    [URI],
    'Unable to validate Subject O Field',
    {},
    { allowedOrganizations: new Set(['Other']) },
  ],
  [
    'a URI of the role where unknown ones are forbidden',
    [URI, 'URI:athenz://role/sports/readers'],
    '',
    {},
    { verifiesUriSchemes: true },
  ],
]

describe('requests for role certificates', () => {
  for (const [what, names, reason, subject, rules] of cases) {
    it(`${reason === undefined ? 'are accepted' : 'are refused'} with ${what}`, async () => {
      const csr = requestFor('sports:role.readers', names)
      assert.equal(await refusalOf(ROLE_REQUEST_CHECKS, csr, { ...SUBJECT, ...subject }, rules), reason)
    })
  }

  it('are refused for another role', async () => {
    const csr = requestFor('sports:role.writers', [URI])
    assert.equal(await refusalOf(ROLE_REQUEST_CHECKS, csr, SUBJECT), 'the common name is not that of the role')
  })

  it('may have the unit of the certificate, or an allowed one', async () => {
    const rules = { verifiesUnit: true, allowedUnits: new Set(['Other']) }
    const csr = (unit: string) =>
      requestFor(undefined, [URI], {
        subject: [
          { type: 'OU', value: unit },
          { type: 'CN', value: 'sports:role.readers' },
        ],
      })
    assert.equal(await refusalOf(ROLE_REQUEST_CHECKS, csr('testing'), SUBJECT, rules), undefined)
    assert.equal(await refusalOf(ROLE_REQUEST_CHECKS, csr('Other'), SUBJECT, rules), undefined)
    assert.equal(
      await refusalOf(ROLE_REQUEST_CHECKS, csr('x'), SUBJECT, rules),
      'CSR Subject OrgUnit validation failed',
    )
  })
})
