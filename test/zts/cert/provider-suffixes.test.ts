import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RoleAccess } from '#zts/cache/role-access.ts'
import { ProviderSuffixes } from '#zts/cert/provider-suffixes.ts'
import { domainData, domainsOf } from '../../support/zts-domains.ts'

const assertion = (role: string, resource: string, more: object = {}) => ({
  role: `sys.auth:role.${role}`,
  action: 'launch',
  resource,
  ...more,
})
const sysAuth = (assertions: readonly object[], active = true) => ({
  name: 'sys.auth',
  roles: [
    { name: 'sys.auth:role.provider.aws', roleMembers: [{ memberName: 'athenz.aws' }] },
    { name: 'sys.auth:role.both', roleMembers: [{ memberName: 'athenz.aws' }, { memberName: 'athenz.gcp' }] },
  ],
  policies: [{ name: 'sys.auth:policy.suffixes', active, assertions }],
})
const nothing = { dns: [], hostname: [], deniedHostname: [] }

function suffixesOf(...assertions: readonly object[]) {
  const domains = domainsOf(sysAuth(assertions))
  return { domains, suffixes: new ProviderSuffixes(domains, new RoleAccess(domains, () => Date.now())) }
}

describe('ProviderSuffixes', () => {
  it('are those of the assertions whose role the provider holds', () => {
    const { suffixes } = suffixesOf(
      assertion('provider.aws', 'sys.auth:dns.aws.athenz.cloud'),
      assertion('both', 'sys.auth:dns.Shared.Athenz.Cloud', { effect: 'ALLOW' }),
      assertion('both', 'sys.auth:hostname.hosts.example.com'),
      assertion('provider.aws', 'sys.auth:hostname.bad.hosts.example.com', { effect: 'DENY' }),
      assertion('provider.aws', 'sys.auth:dns.denied.cloud', { effect: 'DENY' }),
    )
    assert.deepEqual(suffixes.of('athenz.aws'), {
      dns: ['.aws.athenz.cloud', '.shared.athenz.cloud'],
      hostname: ['.hosts.example.com'],
      deniedHostname: ['.bad.hosts.example.com'],
    })
    assert.deepEqual(suffixes.of('athenz.gcp'), {
      dns: ['.shared.athenz.cloud'],
      hostname: ['.hosts.example.com'],
      deniedHostname: [],
    })
    assert.deepEqual(suffixes.of('athenz.azure'), nothing)
  })

  it('are not those of other actions and resources', () => {
    const { suffixes } = suffixesOf(
      assertion('both', 'sys.auth:dns.a.cloud', { action: 'read' }),
      assertion('both', 'sys.auth:instance'),
      assertion('both', 'sys.auth:dns.'),
      assertion('nobody', 'sys.auth:dns.b.cloud'),
    )
    assert.deepEqual(suffixes.of('athenz.aws'), nothing)
  })

  it('are not those of policies that are not active, or of no domain', () => {
    const domains = domainsOf(sysAuth([assertion('both', 'sys.auth:dns.a.cloud')], false))
    assert.deepEqual(new ProviderSuffixes(domains, new RoleAccess(domains, Date.now)).of('athenz.aws'), nothing)
    const empty = domainsOf()
    assert.deepEqual(new ProviderSuffixes(empty, new RoleAccess(empty, Date.now)).of('athenz.aws'), nothing)
  })

  it('follow the domain', () => {
    const { domains, suffixes } = suffixesOf(assertion('both', 'sys.auth:dns.a.cloud'))
    assert.deepEqual(suffixes.of('athenz.aws').dns, ['.a.cloud'])
    domains.read(
      domainData({ ...sysAuth([assertion('both', 'sys.auth:dns.b.cloud')]), modified: '2026-08-01T13:00:00.000Z' }),
    )
    assert.deepEqual(suffixes.of('athenz.aws').dns, ['.b.cloud'])
  })
})
