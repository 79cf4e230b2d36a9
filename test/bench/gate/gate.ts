import { startBareCryptography, startBareServer } from '../bare-server.ts'
import { prepareZms } from '../bench-zms.ts'
import { waitForInstanceDomain } from '../instance-load.ts'
import { type ClientFiles, type LoadTool, openLoadTool } from '../load-tool.ts'
import { printResult, type Table } from '../report.ts'
import { requestText } from '../request-text.ts'
import { median, pairedRatio } from '../statistics.ts'
import { benchMachine, machineText } from '../suite/results.ts'
import type { ScenarioLoad } from '../suite/scenario.ts'
import type { Size } from '../suite/sizes.ts'
import {
  fillSuite,
  ordinaryData,
  ordinaryDomains,
  sizedDomain,
  sizedDomainName,
  sizedResource,
} from '../suite/suite-data.ts'
import { measureChanges } from '../suite/zts-change.ts'
import { EXACT_RULES, measureRate, openWorld } from '../zpe.ts'
import { type Contender, cpuByTurns, type Trust } from './cpu-by-turns.ts'
import { type MembershipStatements, membershipStatements } from './membership-statements.ts'

/** What is demanded: several times what a quiet machine shows, so that only a change of the code gets there. */
export const GATE_LIMITS = {
  'CPU of an access check ÷ bare': 3,
  'CPU of a role token ÷ bare that signs': 3,
  'CPU of an access token ÷ bare that signs': 3,
  'access check: 10,000 domains ÷ 1': 2,
  'no news of domains: 10,000 domains ÷ 1': 2,
  'access check: role of 100,000 members ÷ 10': 2,
  'access check: policy of 10,000 exact assertions ÷ 10': 3,
  'role token: role of 100,000 members ÷ 10': 2,
  'decision beside an application: 10,000 exact assertions ÷ 10': 3,
  'change of a domain in ZTS: among 2,000 domains ÷ among 10': 3,
  'SQL statements of a membership write': 12,
  'SQL statements of a membership write: role of 100,000 members ÷ 10': 1,
} as const satisfies Readonly<Record<string, number>>
export type GateCheck = keyof typeof GATE_LIMITS
export const GATE_CHECKS = Object.keys(GATE_LIMITS) as GateCheck[]

/** What was measured; a check is passed when its ratio is at most its limit. */
export interface GateOutcome {
  readonly ratios: ReadonlyMap<GateCheck, number>
  readonly statements: readonly MembershipStatements[]
}

const ROUNDS = 5
const ANSWERS = { firstRequests: 12_000, requests: 3000 }
const TOKENS = { firstRequests: 1500, requests: 300 }
const MANY_DOMAINS = 10_000
const SMALL: Omit<Size, 'domains'> = { members: 10, assertions: 10 }
const MANY_MEMBERS = { ...SMALL, members: 100_000 }
const MANY_ASSERTIONS = { ...SMALL, assertions: 10_000 }
/** Domains among which one changes, and how often it does. */
const [FEW_OTHERS, MANY_OTHERS] = [10, 2000]
const CHANGES = 30
const DECIDING_MILLIS = 150
/** What is printed of a statement. */
const TEXT_SIZE = 140

/** Measures everything that the gate looks at; takes less than a minute on two idle cores. */
export async function measureGate(): Promise<GateOutcome> {
  const tool = await openLoadTool()
  // The number of statements does not depend on what else the machine does, and CPU time little.
  const [statements, ofServers] = await Promise.all([membershipStatements([10, 1000, 100_000]), serverRatios(tool)])
  const ratios = new Map<GateCheck, number>([
    ...ofServers,
    ['decision beside an application: 10,000 exact assertions ÷ 10', await decisionRatio()],
    ['change of a domain in ZTS: among 2,000 domains ÷ among 10', await changeRatio()],
  ])
  const counts = statements.map((each) => each.statements.length)
  ratios.set('SQL statements of a membership write', Math.max(...counts))
  ratios.set(
    'SQL statements of a membership write: role of 100,000 members ÷ 10',
    (counts.at(-1) ?? Number.NaN) / (counts[0] ?? Number.NaN),
  )
  return { ratios, statements }
}

/**
 * Measures several times and prints each ratio beside its limit, then the least and the greatest of each, and the machine.
 * Gives whether all passed.
 */
export async function runGate(times: number): Promise<boolean> {
  const outcomes: GateOutcome[] = []
  for (let time = 0; time < times; time++) {
    const outcome = await measureGate()
    if (time === 0) for (const each of outcome.statements) console.log(statementText(each))
    printResult({ tables: [ratioTable([outcome])], goals: [] })
    outcomes.push(outcome)
  }
  if (times > 1) printResult({ tables: [ratioTable(outcomes)], goals: [] })
  const failures = outcomes.flatMap(({ ratios }) => GATE_CHECKS.filter((check) => !isPassed(check, ratios.get(check))))
  for (const check of new Set(failures)) console.log(`out of bounds: ${check}`)
  console.log(`\n${machineText(await benchMachine())}`)
  return failures.length === 0
}

/** Whether a ratio that was measured is within the bounds of a check; one that was not measured is not. */
export const isPassed = (check: GateCheck, ratio: number | undefined): boolean =>
  ratio !== undefined && ratio <= GATE_LIMITS[check]

const statementText = ({ members, statements }: MembershipStatements): string =>
  [
    `a membership written into a role of ${members.toLocaleString('en')} members: ${statements.length} statements`,
    ...statements.map((text) => `  ${text.length > TEXT_SIZE ? `${text.slice(0, TEXT_SIZE)}…` : text}`),
  ].join('\n')

function ratioTable(outcomes: readonly GateOutcome[]): Table {
  const of = (check: GateCheck) => outcomes.map(({ ratios }) => ratios.get(check) ?? Number.NaN)
  return {
    title: outcomes.length === 1 ? 'Gate' : `Gate, ${outcomes.length} times`,
    columns: ['', 'least', 'greatest', 'limit', ''],
    rows: GATE_CHECKS.map((check) => [
      check,
      Math.min(...of(check)),
      Math.max(...of(check)),
      GATE_LIMITS[check],
      of(check).every((ratio) => isPassed(check, ratio)) ? 'passed' : 'out of bounds',
    ]),
  }
}

const NO_NEWS: Pick<ScenarioLoad, 'tag' | 'expected'> = { tag: '"2099-01-01T00:00:00.000Z"', expected: [304] }

/** ZMS and ZTS with one ordinary domain beside large ones, and ZMS with many domains. */
async function serverRatios(tool: LoadTool): Promise<[GateCheck, number][]> {
  await using few = await prepareZms('file', (store) => fillSuite(store, 1, [SMALL, MANY_MEMBERS, MANY_ASSERTIONS]), {})
  await using many = await prepareZms('file', (store) => fillSuite(store, MANY_DOMAINS, []))
  await using fewServers = await few.start()
  await using manyServers = await many.start()
  const { ca, zms, zts, pids } = fewServers.summary
  await waitForInstanceDomain(few, fewServers)
  await requireGranted(few.client, ca, `${zms}/access/read/${sizedResource(MANY_MEMBERS)}`)
  await using bare = await startBareServer(few.server, ca)
  await using signing = await startBareCryptography(few.server, ca, { work: ['sign-rsa'], answerBytes: 700 })

  const [domain = ''] = ordinaryDomains(1)
  const trust: Trust = { client: few.client, ca }
  const contender =
    (base: string | null, pid: number | null, known = trust) =>
    (path: string, load: Partial<ScenarioLoad> = {}): Contender => ({
      ...known,
      load: { urls: [`${base}${path}`], expected: [200], ...load },
      pid: pid ?? 0,
    })
  const ofZms = contender(zms, pids.zms)
  const ofZts = contender(zts, pids.zts)
  const { summary } = manyServers
  const ofMany = contender(summary.zms, summary.pids.zms, { client: many.client, ca: summary.ca })
  const check = `/access/read/${domain}:table3.row`
  const list = '/sys/modified_domains?metaonly=true'
  const turns = { tool, rounds: ROUNDS }

  const answers = await cpuByTurns(
    {
      check: ofZms(check),
      checkAmongMany: ofMany(check),
      noNews: ofZms(list, NO_NEWS),
      noNewsAmongMany: ofMany(list, NO_NEWS),
      small: ofZms(`/access/read/${sizedResource(SMALL)}`),
      members: ofZms(`/access/read/${sizedResource(MANY_MEMBERS)}`),
      assertions: ofZms(`/access/read/${sizedResource(MANY_ASSERTIONS)}`),
    },
    { ...turns, ...ANSWERS, bare: { ...bare, ...trust } },
  )
  const tokens = await cpuByTurns(
    {
      role: ofZts(`/domain/${sizedDomainName(SMALL)}/token`),
      members: ofZts(`/domain/${sizedDomainName(MANY_MEMBERS)}/token`),
      access: ofZts('/oauth2/token', {
        method: 'POST',
        body: `grant_type=client_credentials&scope=${sizedDomainName(SMALL)}:domain`,
        bodyType: 'application/x-www-form-urlencoded',
      }),
    },
    { ...turns, ...TOKENS, bare: { ...signing, ...trust } },
  )
  return [
    ['CPU of an access check ÷ bare', median(answers.check)],
    ['CPU of a role token ÷ bare that signs', median(tokens.role)],
    ['CPU of an access token ÷ bare that signs', median(tokens.access)],
    ['access check: 10,000 domains ÷ 1', pairedRatio(answers.checkAmongMany, answers.check)],
    ['no news of domains: 10,000 domains ÷ 1', pairedRatio(answers.noNewsAmongMany, answers.noNews)],
    ['access check: role of 100,000 members ÷ 10', pairedRatio(answers.members, answers.small)],
    ['access check: policy of 10,000 exact assertions ÷ 10', pairedRatio(answers.assertions, answers.small)],
    ['role token: role of 100,000 members ÷ 10', pairedRatio(tokens.members, tokens.role)],
  ]
}

/** A fast wrong answer is worth nothing. */
async function requireGranted(client: ClientFiles, ca: string, url: string): Promise<void> {
  const answer = await requestText(url, { client, ca })
  if (answer !== '{"granted":true}') throw new Error(`${url}: ${answer}`)
}

async function decisionRatio(): Promise<number> {
  const [few, many] = [SMALL.assertions, MANY_ASSERTIONS.assertions]
  await using small = await openWorld(EXACT_RULES, few)
  await using large = await openWorld(EXACT_RULES, many)
  const [fewRates, manyRates]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    fewRates.push(measureRate(small.ask, few, DECIDING_MILLIS).perCpuSecond)
    manyRates.push(measureRate(large.ask, many, DECIDING_MILLIS).perCpuSecond)
  }
  return pairedRatio(fewRates, manyRates)
}

async function changeRatio(): Promise<number> {
  const changed = sizedDomain(SMALL)
  const few = await measureChanges(ordinaryData(FEW_OTHERS), changed, CHANGES)
  const many = await measureChanges(ordinaryData(MANY_OTHERS), changed, CHANGES)
  return (many.cpuMicros ?? Number.NaN) / (few.cpuMicros ?? Number.NaN)
}
