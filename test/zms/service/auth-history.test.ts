import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthUseTable } from '#core/history/auth-use-table.ts'
import { authHistoryOf } from '#zms/service/auth-history.ts'
import { domainService } from '#zms/service/domain.ts'
import { use } from '../../core/history/uses.ts'
import { Harness } from './harness.ts'

const HISTORY = '/domain/sports/history/auth'

test('the history of a domain without a store is two empty lists', async () => {
  const zms = await Harness.open({ services: [domainService] })
  const { status, body } = await zms.get(HISTORY)
  assert.deepEqual([status, body], [200, { incomingDependencies: [], outgoingDependencies: [] }])
})

test('the history of a domain tells who used it and what it used, the latest first, and how long that is known', async () => {
  const table = new AuthUseTable(100)
  table.put(use('sports', 'weather.api', 1_800_000_000))
  table.put(use('sports', 'user.joe', 1_800_000_060))
  table.put(use('weather', 'sports.web', 1_800_000_000))
  const authHistory = authHistoryOf({ ofDomain: async (domain) => table.ofDomain(domain) }, 3600)
  const zms = await Harness.open({ services: [domainService], parts: { authHistory } })
  const { status, body } = await zms.get(HISTORY)
  assert.equal(status, 200)
  assert.deepEqual(body, {
    incomingDependencies: [
      {
        uriDomain: 'sports',
        principalDomain: 'user',
        principalName: 'joe',
        timestamp: '2027-01-15T08:01:00.000Z',
        endpoint: 'GET /zts/v1/domain/sports/token',
        ttl: 1_800_003_660,
      },
      {
        uriDomain: 'sports',
        principalDomain: 'weather',
        principalName: 'api',
        timestamp: '2027-01-15T08:00:00.000Z',
        endpoint: 'GET /zts/v1/domain/sports/token',
        ttl: 1_800_003_600,
      },
    ],
    outgoingDependencies: [
      {
        uriDomain: 'weather',
        principalDomain: 'sports',
        principalName: 'web',
        timestamp: '2027-01-15T08:00:00.000Z',
        endpoint: 'GET /zts/v1/domain/weather/token',
        ttl: 1_800_003_600,
      },
    ],
  })
})
