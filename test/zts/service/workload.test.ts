import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { transportRulesService } from '#zts/service/transport-rules.ts'
import { workloadService } from '#zts/service/workload.ts'
import type { WorkloadRecord, WorkloadRecords } from '#zts/store/workload-records.ts'
import type { DomainJson } from '../../support/zts-domains.ts'
import { Harness, refusal, START_MILLIS } from './harness.ts'

const SEEN = Date.parse('2026-08-01T10:00:00.000Z')
const EXPIRY = Date.parse('2026-08-31T10:00:00.000Z')
const record = (instanceId: string, ip: string, more: Partial<WorkloadRecord> = {}): WorkloadRecord => ({
  provider: 'cloud.provider',
  service: 'sports.api',
  ip,
  instanceId,
  hostname: `${instanceId}.example.com`,
  creationTime: SEEN,
  updateTime: SEEN,
  certExpiryTime: EXPIRY,
  ...more,
})
const RECORDS = [record('i1', '10.0.0.1'), record('i2', '10.0.0.9'), record('i1', '10.0.0.2', { updateTime: SEEN + 1 })]

const recordsOf = (records: readonly WorkloadRecord[]): WorkloadRecords => ({
  ofService: async (service) => records.filter((each) => each.service === service),
  atAddress: async (ip) => records.filter((each) => each.ip === ip),
  put: async () => {},
})

const service = (name: string, ...hosts: string[]) => ({ name, hosts })
const assertion = (role: string, action: string, resource: string, effect = 'ALLOW') => ({
  role,
  action,
  resource,
  effect,
})
const members = (...names: (string | object)[]) =>
  names.map((name) => (typeof name === 'string' ? { memberName: name } : name))
const SPORTS: DomainJson = {
  name: 'sports',
  services: [service('sports.api', 'h1', 'h2'), service('sports.client', 'c1'), service('sports.nohost')],
  roles: [
    {
      name: 'sports:role.clients',
      roleMembers: members(
        'sports.client',
        'sports.nohost',
        'other.svc',
        'nosuch.svc',
        'user.ann',
        'sports:group.g',
        '*',
        { memberName: 'sports.api', expiration: '2026-08-01T00:00:00.000Z' },
        { memberName: 'other.off', systemDisabled: 1 },
      ),
    },
    { name: 'sports:role.servers', roleMembers: members('sports.api') },
  ],
  policies: [
    {
      name: 'sports:policy.p',
      assertions: [
        assertion('sports:role.clients', 'TCP-IN:1024-65535:443', 'sports:api'),
        assertion('sports:role.clients', 'TCP-IN:80:8080', 'sports:api', 'DENY'),
        assertion('sports:role.servers', 'UDP-OUT:5353:53', 'sports:client'),
        assertion('sports:role.clients', 'tcp-in:1024-65535:443', 'sports:nohost'),
        assertion('sports:role.clients', 'TCP-IN:1024-65535', 'sports:nohost'),
        assertion('sports:role.clients', 'xTCP-IN:1:1', 'sports:nohost'),
        assertion('sports:role.nosuch', 'TCP-IN:1:1', 'sports:nohost'),
        assertion('sports:role.*', 'TCP-IN:1:1', 'sports:nohost'),
        assertion('sports:role.clients', 'read', 'sports:api'),
      ],
    },
    {
      name: 'sports:policy.p',
      version: 'v2',
      active: false,
      assertions: [assertion('sports:role.clients', 'TCP-IN:1:1', 'sports:api')],
    },
  ],
}
const OTHER: DomainJson = { name: 'other', services: [service('other.svc', 'o1'), service('other.off', 'o2')] }
const open = (workloadRecords?: WorkloadRecords) =>
  Harness.open({
    services: [workloadService, transportRulesService],
    domains: [SPORTS, OTHER],
    parts: { workloadRecords },
  })

const now = new Date(START_MILLIS).toISOString()
const unknown = { domainName: null, serviceName: null, hostname: null, certExpiryTime: null }
const onHost = (host: string) => ({ ...unknown, uuid: host, ipAddresses: [host], provider: 'Static', updateTime: now })
const instance = (uuid: string, updateTime: number, ipAddresses: string[] | null) => ({
  ...unknown,
  uuid,
  ipAddresses,
  provider: 'cloud.provider',
  hostname: `${uuid}.example.com`,
  updateTime: new Date(updateTime).toISOString(),
  certExpiryTime: new Date(EXPIRY).toISOString(),
})

describe('getWorkloadsByService', () => {
  test('lists the hosts that a service names', async () => {
    const { body } = await (await open()).get('/domain/sports/service/api/workloads')
    assert.deepEqual(body, { workloadList: [onHost('h1'), onHost('h2')] })
  })

  test('lists instances after them, each once with all its addresses', async () => {
    const { body } = await (await open(recordsOf(RECORDS))).get('/domain/Sports/service/API/workloads')
    assert.deepEqual(body.workloadList.slice(2), [
      instance('i1', SEEN + 1, ['10.0.0.1', '10.0.0.2']),
      instance('i2', SEEN, ['10.0.0.9']),
    ])
  })

  test('lists nothing of a service that is not known', async () => {
    const { body } = await (await open()).get('/domain/sports/service/nosuch/workloads')
    assert.deepEqual(body, { workloadList: [] })
  })

  test('refuses a domain that is not known', async () => {
    const answer = await (await open()).get('/domain/nosuch/service/api/workloads')
    assert.deepEqual(answer, refusal(400, 'Domain data not found. Invalid domain.'))
  })

  test('says so when the records cannot be read', async () => {
    const away = async () => {
      throw new ServiceError('unavailable', 'records cannot be reached')
    }
    const answer = await (await open({ ...recordsOf([]), ofService: away })).get('/domain/sports/service/api/workloads')
    assert.deepEqual(answer, refusal(503, 'records cannot be reached'))
  })
})

describe('getWorkloadsByIP', () => {
  test('lists the instances at an address', async () => {
    const { body } = await (await open(recordsOf(RECORDS))).get('/workloads/10.0.0.1')
    assert.deepEqual(body.workloadList, [{ ...instance('i1', SEEN, null), domainName: 'sports', serviceName: 'api' }])
  })

  test('lists nothing without records', async () => {
    for (const ip of ['10.0.0.1', 'fd00::1']) {
      assert.deepEqual((await (await open()).get(`/workloads/${ip}`)).body, { workloadList: [] })
    }
  })

  for (const ip of ['10.0.0.256', 'host', '1.2.3', 'fe80::1%eth0', '../x', '0x7f.1']) {
    test(`refuses ${ip}`, async () => {
      const answer = await (await open()).get(`/workloads/${encodeURIComponent(ip)}`)
      assert.deepEqual(answer, refusal(400, 'Invalid IP address'))
    })
  }
})

describe('getTransportRules', () => {
  const rule = (endPoint: string) => ({
    endPoint,
    sourcePortRange: '1024-65535',
    port: 443,
    protocol: 'TCP',
    direction: 'IN',
  })

  test('names the places of the services that may connect', async () => {
    const { body } = await (await open()).get('/domain/sports/service/api/transportRules')
    assert.deepEqual(body, { ingressRules: [rule('c1'), rule('o1')], egressRules: [] })
  })

  test('names the places that a service may connect to, instances included', async () => {
    const { body } = await (await open(recordsOf(RECORDS))).get('/domain/sports/service/client/transportRules')
    assert.deepEqual(body.ingressRules, [])
    assert.deepEqual(
      body.egressRules.map(({ endPoint }: { endPoint: string }) => endPoint),
      ['h1', 'h2', '10.0.0.1', '10.0.0.9', '10.0.0.2'],
    )
    assert.deepEqual(body.egressRules[0], {
      endPoint: 'h1',
      sourcePortRange: '5353',
      port: 53,
      protocol: 'UDP',
      direction: 'OUT',
    })
  })

  test('makes no rule of other actions, of roles that are not there, or of patterns', async () => {
    const { body } = await (await open()).get('/domain/sports/service/nohost/transportRules')
    assert.deepEqual(body, { ingressRules: [], egressRules: [] })
  })

  test('answers 404 without the domain', async () => {
    const answer = await (await open()).get('/domain/nosuch/service/api/transportRules')
    assert.deepEqual(answer, refusal(404, "Domain not found: 'nosuch'"))
  })
})
