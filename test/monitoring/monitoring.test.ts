import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Registry } from 'prom-client'
import { registerPoolMetrics } from '#core/metrics/pool-metrics.ts'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { findPromtool, type Promtool } from '../support/promtool.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)

const CONF = join(PROJECT_FOLDER, 'conf', 'monitoring')
const ALERTS = join(CONF, 'athenz-alerts.yml')
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
    const { stdout } = await run(path, ['test', 'rules', join(import.meta.dirname, 'alerts.test.yml')])
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

test('the alerts and the dashboard read metrics that the servers have', async () => {
  const ports = { zms: await freePort(), zts: await freePort() }
  const options = { dir: temporaryFolder(), zts: true }
  // The first start makes the files.
  await (await startDevServers(options))[Symbol.asyncDispose]()
  for (const [server, port] of Object.entries(ports)) {
    appendFileSync(join(options.dir, `conf/${server}_server/${server}.properties`), `athenz.ts.ops_port=${port}\n`)
  }
  await using _servers = await startDevServers(options)
  const texts = await Promise.all(
    Object.values(ports).map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
  )
  // Databases are there on MySQL only.
  const registry = new Registry()
  registerPoolMetrics(registry, () => [['x', { busy: 0, idle: 0, waiting: 0 }]])
  const known = metricsIn([...texts, await registry.metrics()].join('\n'))
  const used = [...metricsIn(alerts), ...metricsIn(expressions.join('\n'))]
  assert.ok(used.length > 15)
  assert.deepEqual(
    used.filter((name) => !known.has(name)),
    [],
  )
})
