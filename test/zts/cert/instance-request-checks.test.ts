import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readCertificateRequest } from '#zts/cert/certificate-request.ts'
import { INSTANCE_REQUEST_CHECKS, type InstanceSubject, providerDnsNames } from '#zts/cert/instance-request-checks.ts'
import { organizationalUnit, sameAddress, sameIgnoringCase } from '#zts/cert/request-checks.ts'
import type { RequestRules } from '#zts/cert/request-rules.ts'
import { requestFor, requestOf } from '../../support/certificate-requests.ts'
import { RULES, refusalOf } from './check-support.ts'

const SUBJECT: InstanceSubject = {
  domain: 'sports.east',
  service: 'api',
  instanceId: 'i-1',
  hostCnames: [],
  suffixes: {
    dns: ['.zts.athenz.cloud'],
    hostname: ['.hosts.example.com'],
    deniedHostname: ['.bad.hosts.example.com'],
  },
  certDnsDomain: 'sports.example.com',
}
const OWN = 'DNS:api.sports-east.zts.athenz.cloud'
const HOST = 'h1.hosts.example.com'

/** Says yes to what begins with `good`. */
const HOSTNAMES: RequestRules['hostnames'] = {
  isHostname: (hostname) => hostname.startsWith('h'),
  areCnames: async (service, _hostname, cnames) =>
    service === 'sports.east.api' && cnames.every((name) => name.startsWith('good')),
  addressesOf: () => [],
}

type Case = readonly [
  what: string,
  commonName: string | undefined,
  names: readonly string[],
  reason: string | undefined,
  subject?: Partial<InstanceSubject>,
  rules?: Partial<RequestRules>,
]

const cases: readonly Case[] = [
  ['a service with its name', 'sports.east.api', [OWN], undefined],
  ['no alternative names', 'sports.east.api', [], undefined],
  ['its common name in capitals', 'Sports.East.API', [OWN], undefined],
  ['no instance', 'sports.east.api', [OWN], 'InstanceId cannot be empty', { instanceId: undefined }],
  ['an instance without a name', 'sports.east.api', [OWN], 'InstanceId cannot be empty', { instanceId: '' }],
  ['the common name of another service', 'sports.east.web', [OWN], 'Unable to validate CSR common name'],
  [
    'a common name with a letter that only looks the same',
    'sports.east.apı',
    [OWN],
    'Unable to validate CSR common name',
  ],
  ['no common name', undefined, [OWN], 'CSR contains neither a CommonName nor a SPIFFE URI'],
  ['a SPIFFE id in place of the common name', undefined, ['URI:spiffe://sports.east/sa/api'], undefined],
  [
    'another host in the URI',
    'sports.east.api',
    [`URI:athenz://hostname/${HOST}`],
    `Instance/Uri hostname mismatch: null vs. ${HOST}`,
  ],
  ['the host in the URI', 'sports.east.api', [`URI:athenz://hostname/${HOST}`], undefined, { hostname: HOST }],
  ['a host of the provider', 'sports.east.api', [`DNS:${HOST}`], undefined, { hostname: HOST }],
  [
    'a host in another letter case',
    'sports.east.api',
    [`DNS:${HOST}`],
    undefined,
    { hostname: 'H1.Hosts.example.com' },
  ],
  [
    'a host that nobody knows',
    'sports.east.api',
    [OWN],
    'Unable to validate Instance hostname: x.hosts.example.com',
    { hostname: 'x.hosts.example.com' },
    { hostnames: HOSTNAMES },
  ],
  ['a host that is known', 'sports.east.api', [OWN], undefined, { hostname: HOST }, { hostnames: HOSTNAMES }],
  [
    'a host of somebody else',
    'sports.east.api',
    [OWN],
    'Unable to validate Instance hostname: h.example.com',
    { hostname: 'h.example.com' },
  ],
  [
    'a host whose end only looks like it',
    'sports.east.api',
    [OWN],
    'Unable to validate Instance hostname: evilhosts.example.com',
    { hostname: 'evilhosts.example.com' },
  ],
  [
    'a denied host',
    'sports.east.api',
    [OWN],
    'Unable to validate Instance hostname: h.bad.hosts.example.com',
    { hostname: 'h.bad.hosts.example.com' },
  ],
  ['a host, which is not looked at without DNS names', 'sports.east.api', [], undefined, { hostname: 'h.example.com' }],
  [
    'canonical names without a host',
    'sports.east.api',
    [OWN],
    'Instance Host CNAME list provided without Hostname',
    { hostCnames: ['good.hosts.example.com'] },
  ],
  [
    'canonical names of somebody else',
    'sports.east.api',
    [OWN],
    'invalid cname provided for instance: www.example.com',
    { hostname: HOST, hostCnames: ['good.hosts.example.com', 'www.example.com'] },
    { hostnames: HOSTNAMES },
  ],
  [
    'denied canonical names',
    'sports.east.api',
    [OWN],
    'invalid cname provided for instance: good.bad.hosts.example.com',
    { hostname: HOST, hostCnames: ['good.bad.hosts.example.com'] },
    { hostnames: HOSTNAMES },
  ],
  [
    'canonical names that nobody can confirm',
    'sports.east.api',
    [OWN],
    'Instance host name CNAME list provided without a valid hostname resolver',
    { hostname: HOST, hostCnames: ['good.hosts.example.com'] },
  ],
  [
    'canonical names of another host',
    'sports.east.api',
    [OWN],
    `${HOST} does not have all hosts in good.hosts.example.com,other.hosts.example.com as configured CNAMEs`,
    { hostname: HOST, hostCnames: ['good.hosts.example.com', 'other.hosts.example.com'] },
    { hostnames: HOSTNAMES },
  ],
  [
    'canonical names of the host',
    'sports.east.api',
    ['DNS:good.hosts.example.com'],
    undefined,
    { hostname: HOST, hostCnames: ['good.hosts.example.com'] },
    { hostnames: HOSTNAMES },
  ],
  ['a DNS name of the domain', 'sports.east.api', ['DNS:any.sports.example.com'], undefined],
  [
    'a foreign DNS name',
    'sports.east.api',
    [OWN, 'DNS:www.example.com'],
    'www.example.com does not end with provider/service configured suffix or hostname',
  ],
  [
    'a DNS name whose end only looks like it',
    'sports.east.api',
    ['DNS:api.evilzts.athenz.cloud'],
    'api.evilzts.athenz.cloud does not end with provider/service configured suffix or hostname',
  ],
  [
    'the domain of certificates itself',
    'sports.east.api',
    ['DNS:sports.example.com'],
    'sports.example.com does not end with provider/service configured suffix or hostname',
  ],
  [
    'a DNS name that the plug-in accepts',
    'sports.east.api',
    ['DNS:WWW.example.com'],
    undefined,
    {},
    {
      dataValidator: {
        acceptsServiceDnsName: async (name, domain, service) =>
          `${name} ${domain} ${service}` === 'www.example.com sports.east api',
        acceptsRoleDnsName: () => false,
      },
    },
  ],
  [
    'an organization that is allowed',
    'sports.east.api',
    [],
    undefined,
    {},
    { allowedOrganizations: new Set(['Athenz']) },
  ],
  [
    'an organization that is not',
    'sports.east.api',
    [],
    'Unable to validate Subject O Field',
    {},
    { allowedOrganizations: new Set(['athenz']) },
  ],
  [
    'the SPIFFE id of another service',
    'sports.east.api',
    ['URI:spiffe://sports.east/sa/web'],
    'Unable to validate Service SPIFFE URI',
  ],
  [
    'a SPIFFE id of the trust domain',
    'sports.east.api',
    ['URI:SPIFFE://Athenz.io/ns/default/sa/sports.east.api'],
    undefined,
  ],
  [
    'a SPIFFE id of the namespace',
    'sports.east.api',
    ['URI:spiffe://athenz.io/ns/prod/sa/sports.east.api'],
    undefined,
    { namespace: 'prod' },
  ],
  [
    'a SPIFFE id of another namespace',
    'sports.east.api',
    ['URI:spiffe://athenz.io/ns/default/sa/sports.east.api'],
    'Unable to validate Service SPIFFE URI',
    { namespace: 'prod' },
  ],
  [
    'a SPIFFE id with a tail',
    'sports.east.api',
    ['URI:spiffe://sports.east/sa/api/x'],
    'Unable to validate Service SPIFFE URI',
  ],
  ['any URI', 'sports.east.api', ['URI:https://example.com'], undefined],
  [
    'any URI where that is forbidden',
    'sports.east.api',
    ['URI:https://example.com'],
    '',
    {},
    { verifiesUriSchemes: true },
  ],
  [
    'known URIs where others are forbidden',
    'sports.east.api',
    ['URI:athenz://principal/x', 'URI:spiffe://sports.east/sa/api'],
    undefined,
    {},
    { verifiesUriSchemes: true },
  ],
]

describe('requests of instances', () => {
  for (const [what, commonName, names, reason, subject, rules] of cases) {
    it(`${reason === undefined ? 'are accepted' : 'are refused'} with ${what}`, async () => {
      const csr = requestFor(commonName, names)
      assert.equal(await refusalOf(INSTANCE_REQUEST_CHECKS, csr, { ...SUBJECT, ...subject }, rules), reason)
    })
  }
})

describe('the unit of a request', () => {
  const check = (unit: string | undefined, own: { provider?: string; unit?: string }, rules: Partial<RequestRules>) =>
    refusalOf(
      [organizationalUnit],
      requestOf({ subject: unit === undefined ? [] : [{ type: 'OU', value: unit }] }),
      own,
      rules,
    )
  const strict = { verifiesUnit: true, allowedUnits: new Set(['Testing', 'Athenz']) }
  const refused = 'CSR Subject OrgUnit validation failed'
  for (const [unit, own, reason] of [
    [undefined, {}, undefined],
    ['Testing', {}, undefined],
    ['testing', {}, refused],
    ['Testing:restricted', {}, undefined],
    ['Testing:restricted:restricted', {}, refused],
    ['SYS.auth.zts', { provider: 'sys.auth.zts' }, undefined],
    ['vendor', { unit: 'Vendor' }, undefined],
    ['other', { provider: 'sys.auth.zts', unit: 'Vendor' }, refused],
  ] as const) {
    it(`${unit} ${reason === undefined ? 'is accepted' : 'is refused'} beside ${JSON.stringify(own)}`, async () => {
      assert.equal(await check(unit, own, strict), reason)
      assert.equal(await check(unit, own, {}), undefined)
    })
  }
})

describe('the names that a provider must vouch for', () => {
  it('are those with its ends, and the host', async () => {
    const names = [
      OWN,
      'DNS:other.sports-east.zts.athenz.cloud',
      'DNS:*.api.sports-east.zts.athenz.cloud',
      'DNS:*.zts.athenz.cloud',
      'DNS:any.sports.example.com',
      'DNS:accepted.zts.athenz.cloud',
      'DNS:good.hosts.example.com',
      `DNS:${HOST}`,
    ]
    const request = await readCertificateRequest(requestFor('sports.east.api', names))
    const dataValidator = {
      acceptsServiceDnsName: (name: string) => name.startsWith('accepted'),
      acceptsRoleDnsName: () => false,
    }
    const subject = { ...SUBJECT, hostname: HOST, hostCnames: ['good.hosts.example.com'] }
    assert.deepEqual(await providerDnsNames(request, subject, { ...RULES, dataValidator }), [
      'api.sports-east.zts.athenz.cloud',
      'other.sports-east.zts.athenz.cloud',
      '*.zts.athenz.cloud',
      HOST,
    ])
    const shouted = { ...SUBJECT, hostname: HOST.toUpperCase() }
    const named = await readCertificateRequest(requestFor('sports.east.api', [`DNS:${HOST}`]))
    assert.deepEqual(await providerDnsNames(named, shouted, RULES), [HOST])
  })
})

describe('comparisons', () => {
  it('of names take no letter but those of ASCII for the same', () => {
    assert.ok(sameIgnoringCase('Sports.API', 'sports.api'))
    assert.ok(!sameIgnoringCase('K', '\u212a'))
    assert.ok(!sameIgnoringCase('sports', 'sportſ'))
  })

  it('of addresses do not mind how they are written', () => {
    assert.ok(sameAddress('2001:db8::1', '2001:DB8:0:0:0:0:0:1'))
    assert.ok(!sameAddress('10.0.0.1', '10.0.0.2'))
    assert.ok(!sameAddress('10.0.0.1', 'junk'))
  })
})
