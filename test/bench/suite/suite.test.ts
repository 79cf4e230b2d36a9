import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { type BenchRow, costOf } from './row.ts'
import { runSuite, SUITE_NAMES, type SuiteName } from './suite.ts'

/** Every benchmark at its smallest, on the file store: whether it works, and not what it measures. */
const SMALLEST = {
  stores: ['file'],
  sizes: { domains: [1], members: [1], assertions: [1] },
  seconds: 0.1,
  rounds: 1,
  requests: 100,
} as const
const LOCAL: readonly SuiteName[] = ['zts-load', 'zts-change', 'zpe-decision']

const REQUESTS = [
  'access-check',
  'access-check/sized',
  'role-token',
  'role-token/sized',
  'access-token',
  'instance-register',
  'instance-refresh',
  'role-certificate',
  'role-write',
  'membership-write',
  'domain-read',
  'domain-sync/list',
  'domain-sync/no-news',
  'domain-sync/signed',
  'domain-sync/jws',
  'domain-sync/jws-same',
]
const WITHOUT_SERVERS = ['zts-load', 'zts-change', 'zts-change/sized', 'zpe-decision']
const STARTS = ['cold-start/zms', 'cold-start/both']
const MEMORY = ['zms', 'zts'].flatMap((server) => [`memory/${server}-started`, `memory/${server}-loaded`])
/** Compared with what OpenSSL does. */
const SIGNED = [
  'role-token',
  'role-token/sized',
  'access-token',
  'instance-register',
  'instance-refresh',
  'role-certificate',
]

describe('every benchmark of the suite', () => {
  let rows: readonly BenchRow[]
  const told: BenchRow[] = []

  before(async () => {
    // OpenSSL takes seconds for each answer, and is asked itself in openssl-limit.test.ts.
    const openssl = async () => 1_000_000
    const run = (names: readonly SuiteName[]) => runSuite(names, { ...SMALLEST, openssl }, (row) => told.push(row))
    // Those without servers wait for the disk most of the time.
    const servers = SUITE_NAMES.filter((name) => !LOCAL.includes(name))
    rows = (await Promise.all([run(servers), run(LOCAL)])).flat()
  })

  test('gives its rows, in the order in which benchmarks are named', () => {
    assert.deepEqual(
      rows.map(({ name }) => name),
      [...REQUESTS, ...STARTS, ...MEMORY, ...WITHOUT_SERVERS],
    )
    assert.deepEqual(new Set(told), new Set(rows))
  })

  test('has figures that are numbers, and a cost', () => {
    for (const row of rows) {
      const { name, figures } = row
      for (const [figure, value] of Object.entries(figures)) {
        assert.ok(Number.isFinite(value) && value >= 0, `${name}: ${figure} is ${value}`)
      }
      assert.ok(Number.isFinite(costOf(figures)), `${name} has no cost`)
    }
  })

  test('is measured beside a limit where it asks a server', () => {
    for (const { name, figures } of rows.filter((row) => REQUESTS.includes(row.name))) {
      const { perSecond = 0, ofBare = 0, cpuOfBare } = figures
      assert.ok(perSecond > 0 && ofBare > 0 && cpuOfBare !== undefined, `${name}: ${JSON.stringify(figures)}`)
      assert.equal(figures.ofOpenssl !== undefined, SIGNED.includes(name), name)
    }
  })
})
