import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Registry } from 'prom-client'
import { parse } from 'yaml'
import { DurationCounts } from '#core/metrics/duration-counts.ts'
import { registerPoolMetrics } from '#core/metrics/pool-metrics.ts'
import { GroupReport } from '#core/workers/group-report.ts'
import { SiaMetrics } from '#sia/sia-metrics.ts'
import { ZpuMetrics } from '#zpu/zpu-metrics.ts'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { findPromtool, type Promtool } from '../support/promtool.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)

const CONF = join(PROJECT_FOLDER, 'conf', 'monitoring')
const ALERTS = join(CONF, 'athenz-alerts.yml')
const ALERT_TESTS = join(import.meta.dirname, 'alerts.test.yml')
const alerts = readFileSync(ALERTS, 'utf8')

interface Panel {
  readonly type: string
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}
const dashboard = JSON.parse(readFileSync(join(CONF, 'athenz-dashboard.json'), 'utf8')) as { panels: Panel[] }
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

/** Names of metrics in a text. */
const metricsIn = (text: string) => new Set(text.match(/\b(?:athenz|nodejs|process)_[a-z0-9_]+\b/g))

describe('what is written for Prometheus', () => {
  let promtool: Promtool
  before(async () => {
    promtool = await findPromtool()
  })
  const withPromtool = (name: string, check: (path: string) => Promise<void>): void => {
    void test(name, async (context) => {
      if ('missing' in promtool) context.skip(promtool.missing)
      else await check(promtool.path)
    })
  }

  withPromtool('are rules that it takes', async (path) => {
    const { stdout } = await run(path, ['check', 'rules', ALERTS])
    assert.match(stdout, /SUCCESS: \d+ rules found/)
  })

  withPromtool('are alerts that come when they should, and only then', async (path) => {
    const { stdout } = await run(path, ['test', 'rules', ALERT_TESTS])
    assert.match(stdout, /SUCCESS/)
  })

  withPromtool('are expressions in the dashboard that it takes', async (path) => {
    assert.ok(expressions.length > 15)
    const file = join(temporaryFolder(), 'expressions.json')
    const rules = expressions.map((expr, at) => ({
      record: `panel:${at}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'),
    }))
    // JSON is YAML, too.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    await run(path, ['check', 'rules', file])
  })
})

test('every alert has a case in which it comes, and one in which it does not', () => {
  const { groups } = parse(alerts) as { groups: { rules: { alert: string }[] }[] }
  const names = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
  const { tests } = parse(readFileSync(ALERT_TESTS, 'utf8')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
  }
  const cases = tests.flatMap((each) => each.alert_rule_test)
  const namesWhere = (isWanted: (expected: number) => boolean) =>
    new Set(cases.filter((each) => isWanted(each.exp_alerts.length)).map(({ alertname }) => alertname))
  const [coming, staying] = [namesWhere((expected) => expected > 0), namesWhere((expected) => expected === 0)]
  assert.ok(names.length > 15)
  assert.deepEqual(
    names.filter((name) => !coming.has(name) || !staying.has(name)),
    [],
  )
})

/** Metrics that are only there on MySQL, with workers, or in other programs than servers. */
async function otherMetrics(): Promise<string> {
  const registry = new Registry()
  registerPoolMetrics(registry, () => [['x', { busy: 0, idle: 0, waiting: 0, waits: new DurationCounts([1]) }]])
  const none = { restarts: 0, states: new Map(), stopping: new AbortController().signal, ask: async () => new Map() }
  const registries = [registry, new ZpuMetrics(Date.now).registry, new SiaMetrics(Date.now).registry]
  const texts = [new GroupReport(none, new Registry()).metrics(), ...registries.map((each) => each.metrics())]
  return (await Promise.all(texts)).join('\n')
}

test('the alerts and the dashboard read metrics that the servers have', async () => {
  const ports = { zms: await freePort(), zts: await freePort(), ui: await freePort() }
  const options = { dir: temporaryFolder(), zts: true, ui: true }
  // The first start makes the files.
  await (await startDevServers(options))[Symbol.asyncDispose]()
  for (const [server, port] of Object.entries(ports)) {
    appendFileSync(join(options.dir, `conf/${server}_server/${server}.properties`), `athenz.ts.ops_port=${port}\n`)
  }
  await using _servers = await startDevServers(options)
  const texts = await Promise.all(
    Object.values(ports).map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
  )
  const known = metricsIn([...texts, await otherMetrics()].join('\n'))
  const used = [...metricsIn(alerts), ...metricsIn(expressions.join('\n'))]
  assert.ok(used.length > 15)
  assert.deepEqual(
    used.filter((name) => !known.has(name)),
    [],
  )
  const ofPage = texts[2]?.match(/(?<=^athenz_certificate_days_left\{use=")[\w-]+/gm) ?? []
  assert.deepEqual([...new Set(ofPage)].toSorted(), ['client-trust', 'server'])
})
