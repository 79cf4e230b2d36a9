import { setTimeout as pause } from 'node:timers/promises'
import type { GaleraCluster } from './galera-cluster.ts'
import type { HttpsClient } from './https-client.ts'
import { checkRegister } from './linearizability.ts'
import { DOMAINS } from './registers.ts'
import { CROWD, type RecordedOperation, type Workload } from './workload.ts'
import { backwardSteps, impossibleDecisions, type ZtsWatch } from './zts-watch.ts'

/** What is judged: what clients were told, and what is there when everything is whole again. */
export interface Evidence {
  readonly http: HttpsClient
  readonly zms: readonly string[]
  readonly workload: Workload
  readonly watches: readonly ZtsWatch[]
  readonly cluster: GaleraCluster
}

/** Everything that must not be; each line is for people. */
export async function judge(evidence: Evidence): Promise<string[]> {
  const { workload } = evidence
  return [
    ...workload.unexpected.map((text) => `unexpected answer: ${text}`),
    ...historyProblems(workload),
    ...(await crowdProblems(evidence)),
    ...(await ztsProblems(evidence)),
    ...(await nodeProblems(evidence.cluster)),
  ]
}

/** Registers whose answers no single register would have given: stale reads, lost writes, writes that half happened. */
function historyProblems({ histories }: Workload): string[] {
  const problems: string[] = []
  for (const [{ name }, history] of histories) {
    const verdict = checkRegister(history)
    if (verdict.kind === 'undecided') problems.push(`${name}: the check of ${history.length} operations was given up`)
    if (verdict.kind !== 'refused') continue
    const { blocked, value } = verdict
    const from = Math.min(...blocked.map(({ calledAt }) => calledAt)) - CONTEXT_MILLIS
    const around = history
      .filter(
        ({ calledAt, returnedAt = Number.POSITIVE_INFINITY }) =>
          returnedAt > from && calledAt < from + 2 * CONTEXT_MILLIS,
      )
      .toSorted((a, b) => a.calledAt - b.calledAt)
    problems.push(
      [
        `${name} is not linearizable: after ${shortened(value)} does not fit`,
        ...blocked.map(textOf),
        '… among',
        ...around.map(textOf),
      ].join('\n          '),
    )
  }
  return problems
}

const CONTEXT_MILLIS = 400
/** Public keys begin and end alike. */
const shortened = (value: unknown) => String(value).replace(/^(.{60}).{20}(.{8}).*$/, '…$2…')

function textOf({ kind, value, calledAt, returnedAt, server, status }: RecordedOperation): string {
  const time = `${calledAt.toFixed(1)}–${returnedAt?.toFixed(1) ?? '?'}`
  return `${time} ZMS ${server + 1} ${kind} ${shortened(value)} (${status})`
}

/** Members that are missing though their addition was acknowledged, and members whom nobody added. */
async function crowdProblems({ http, zms, workload }: Evidence): Promise<string[]> {
  const problems: string[] = []
  for (const [server, base] of zms.entries()) {
    const present = new Set<string>()
    for (const domain of DOMAINS) {
      const { body } = await http.ask(`${base}/domain/${domain}/role/${CROWD}`, 'GET')
      const { roleMembers = [] } = body as { roleMembers?: { memberName: string }[] }
      for (const { memberName } of roleMembers) present.add(`${domain}/${memberName}`)
    }
    for (const member of workload.crowd) {
      if (!present.has(member)) problems.push(`ZMS ${server + 1}: the acknowledged member ${member} is lost`)
    }
    for (const member of present) {
      if (!workload.invited.has(member)) problems.push(`ZMS ${server + 1}: nobody added the member ${member}`)
    }
  }
  return problems
}

const CATCH_UP_MILLIS = 30_000

/** A ZTS may be a little behind, but never goes back, and catches up. */
async function ztsProblems({ http, zms, workload, watches }: Evidence): Promise<string[]> {
  const problems: string[] = []
  for (const [index, watch] of watches.entries()) {
    for (const [register, seen] of watch.sightings) {
      const history = workload.histories.get(register) ?? []
      const wrong = [...backwardSteps(seen, history), ...impossibleDecisions(seen, history)]
      problems.push(...wrong.map((step) => `ZTS ${index + 1}, ${register.name}: ${step}`))
      const { ztsRead } = register
      const answer = await http.ask(`${zms[0]}${ztsRead?.request.path}`, 'GET')
      const expected = ztsRead?.action(answer).value
      const end = performance.now() + CATCH_UP_MILLIS
      let shown = await watch.look(register)
      while (shown !== expected && performance.now() < end) {
        await pause(100)
        shown = await watch.look(register)
      }
      if (shown !== expected) problems.push(`ZTS ${index + 1}, ${register.name}: ${String(shown)} for ever`)
    }
  }
  return problems
}

/** Tables that are not the same on all nodes. */
async function nodeProblems(cluster: GaleraCluster): Promise<string[]> {
  await cluster.synced()
  const [first, ...others] = await Promise.all(
    cluster.nodes.map(async (node) => {
      const tables = await node.query<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'zms_server' ORDER BY 1",
      )
      const list = tables.map(({ name }) => `zms_server.\`${name}\``).join(', ')
      const sums = await node.query<{ Table: string; Checksum: number }>(
        `SET SESSION wsrep_sync_wait = 1; CHECKSUM TABLE ${list}`,
      )
      return JSON.stringify(sums.at(-1))
    }),
  )
  return others.flatMap((sums, index) => (sums === first ? [] : [`node ${index + 2} does not hold what node 1 holds`]))
}
