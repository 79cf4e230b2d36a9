import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { pageVisits, type Sights, unvisited } from '../ui/page-visits.ts'
import { formsOf, type Shown, unescaped, Visitor } from '../ui/visitor.ts'
import { prepareZms, STORE_TITLES, type StoreKind } from './bench-zms.ts'
import type { BenchOptions } from './options.ts'
import { fillForPages, LARGE_SIGHTS } from './page-data.ts'
import type { BenchResult, Goal, Table } from './report.ts'
import { median } from './statistics.ts'

const GOAL_MILLIS = 200
const GOAL_CALLS = 3
const LEAST_ROUNDS = 5
/** As many members as a page lists are changed with one form. */
const MEMBERS_OF_A_FORM = 50
const GOAL_FORM_MILLIS = 1000
/** One to look whether it still is as it was shown, one to change it; besides, one to look whether all fit into one part. */
const GOAL_CALLS_PER_MEMBER = 2
/** The clock of the kernel, in which `/proc` counts processor time. */
const TICK_MILLIS = 10

/**
 * Every page of the web page, for the administrator of a company (`page-data`), and forms that change one thing or many:
 * the time that its servers need, and how often ZMS is asked. The first request for a page counts by itself; goals are
 * about the middle of the others.
 */
export async function pages(options: BenchOptions): Promise<BenchResult> {
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const store of options.stores) {
    const { pages: measured, forms } = await measurePages(store, Math.max(options.rounds, LEAST_ROUNDS))
    tables.push({
      title: `Pages, ${STORE_TITLES[store]}`,
      columns: ['page', 'first ms', 'ms', 'of ZMS', 'CPU ms', 'calls', 'KiB'],
      rows: measured.map((each) => [
        each.target,
        each.firstMillis,
        each.millis,
        each.zmsMillis,
        each.cpuMillis,
        each.calls,
        each.kibibytes,
      ]),
    })
    tables.push({
      title: `Forms, ${STORE_TITLES[store]}`,
      columns: ['form', 'ms', 'of ZMS', 'calls'],
      rows: forms.map(({ what, millis, zmsMillis, calls }) => [what, millis, zmsMillis, calls]),
    })
    goals.push(...measured.map((each) => pageGoal(store, each)), ...forms.map((each) => formGoal(store, each)))
  }
  return { tables, goals }
}

const pageGoal = (store: StoreKind, { target, millis, calls }: MeasuredPage): Goal => ({
  wanted: `${target} on the ${STORE_TITLES[store]} ≤ ${GOAL_MILLIS} ms of server time, ≤ ${GOAL_CALLS} calls to ZMS`,
  reached: millis <= GOAL_MILLIS && calls <= GOAL_CALLS,
  figure: `${millis.toFixed(0)} ms, ${calls} calls`,
})

/** What a page costs. Times are those that the server tells; all but the first are the middle of several requests. */
interface MeasuredPage {
  /** Path and query. */
  readonly target: string
  readonly firstMillis: number
  readonly millis: number
  /** Part of it during which ZMS was asked. */
  readonly zmsMillis: number
  /** Processor time of ZMS and the web page for a request. */
  readonly cpuMillis: number
  readonly calls: number
  readonly kibibytes: number
}

function formGoal(store: StoreKind, { what, members, millis, calls }: MeasuredForm): Goal {
  const greatest = Math.max(GOAL_CALLS, 1 + GOAL_CALLS_PER_MEMBER * members)
  const longest = members > 1 ? GOAL_FORM_MILLIS : GOAL_MILLIS
  return {
    wanted: `to ${what} on the ${STORE_TITLES[store]} ≤ ${longest} ms of server time, ≤ ${greatest} calls to ZMS`,
    reached: millis <= longest && calls <= greatest,
    figure: `${millis.toFixed(0)} ms, ${calls} calls`,
  }
}

/** What a form costs: the middle of several that change something. */
interface MeasuredForm {
  readonly what: string
  /** How many it changes. */
  readonly members: number
  readonly millis: number
  readonly zmsMillis: number
  readonly calls: number
}

interface Measured {
  readonly pages: readonly MeasuredPage[]
  readonly forms: readonly MeasuredForm[]
}

async function measurePages(store: StoreKind, rounds: number): Promise<Measured> {
  await using zms = await prepareZms(store, fillForPages)
  // The company has more of everything than quotas allow by themselves.
  await using servers = await zms.start({ 'athenz.zms.quota_check': 'false' }, 'ui')
  const { summary } = servers
  const admin = await Visitor.signedIn(summary)
  const pids = [summary.pids.zms, summary.pids.ui].filter((pid) => pid !== null)
  const policy = await shown(admin, `/domain/${LARGE_SIGHTS.domain}/policy/${LARGE_SIGHTS.policy}`)
  const assertion = /\/version\/0\/assertion\/(\d+)/.exec(policy.text)?.[1]
  if (assertion === undefined) throw new Error('the policy shows no assertion')
  const sights: Sights = { ...LARGE_SIGHTS, assertion }
  const visits = pageVisits(sights)
  const missing = unvisited(visits)
  if (missing.length > 0) throw new Error(`pages that are not measured: ${missing.join(', ')}`)
  const measured: MeasuredPage[] = []
  for (const target of visits) measured.push(await measurePage(admin, target, pids, rounds))
  return { pages: measured, forms: await measureForms(admin, rounds) }
}

/** A form with what is written into it, so that each round changes something. */
interface FilledForm {
  readonly what: string
  readonly members: number
  /** Page that has it. */
  readonly page: string
  readonly action: string
  /** `text` is what the page shows. */
  readonly fields: (round: number, text: string) => readonly (readonly [name: string, value: string])[]
}

const domainPath = `/domain/${LARGE_SIGHTS.domain}`
const largeRole = `${domainPath}/role/${LARGE_SIGHTS.role}`
const guests = Array.from({ length: MEMBERS_OF_A_FORM }, (_, at) => `user.guest${at}`)
const employees = Array.from({ length: MEMBERS_OF_A_FORM }, (_, at) => `user.employee${at * 7}`)
const selected = (names: readonly string[]) => names.map((name) => ['member', name] as const)
/** A day in a far year, another one each round. */
const day = (round: number): string => new Date(Date.UTC(2090, 0, 1 + round)).toISOString().slice(0, 10)

/** In this order the last ones take back what the first ones do. */
const FORMS: readonly FilledForm[] = [
  {
    what: `add ${MEMBERS_OF_A_FORM} members to a role of many`,
    members: MEMBERS_OF_A_FORM,
    page: largeRole,
    action: 'add',
    fields: () => [['member', guests.join('\n')]],
  },
  {
    what: `renew ${MEMBERS_OF_A_FORM} of them`,
    members: MEMBERS_OF_A_FORM,
    page: `${largeRole}/members?member=${employees[0]}`,
    action: 'renew',
    fields: (round) => [...selected(employees), ['expiration', day(round)]],
  },
  {
    what: `remove ${MEMBERS_OF_A_FORM} of them`,
    members: MEMBERS_OF_A_FORM,
    page: `${largeRole}/members?member=${guests[0]}`,
    action: 'remove',
    fields: () => selected(guests),
  },
  {
    what: 'review a page of them',
    members: 1,
    page: `${largeRole}/review`,
    action: 'review',
    fields: (_, text) =>
      selected([...text.matchAll(/name="member" value="([^"]*)"/g)].map(([, name = '']) => unescaped(name))),
  },
  {
    what: 'change a setting of the role',
    members: 1,
    page: `${largeRole}/settings`,
    action: 'save',
    fields: (round) => [['tokenExpiryMins', String(100 + round)]],
  },
  {
    what: 'change a setting of the domain',
    members: 1,
    page: `${domainPath}/settings`,
    action: 'save',
    fields: (round) => [['description', `round ${round}`]],
  },
  {
    what: 'add an assertion to a policy of many',
    members: 1,
    page: `${domainPath}/policy/${LARGE_SIGHTS.policy}/new-assertion?effect=ALLOW&role=role1&assertedAction=read&resource=new&version=0`,
    action: 'add',
    fields: (round) => [['resource', `new.${round}`]],
  },
]

async function measureForms(admin: Visitor, rounds: number): Promise<MeasuredForm[]> {
  const timings = FORMS.map((): ReturnType<typeof timing>[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, form] of FORMS.entries()) timings[index]?.push(timing(await sent(admin, form, round)))
  }
  return FORMS.map(({ what, members }, index) => {
    const own = timings[index] ?? []
    return {
      what,
      members,
      millis: median(own.map(({ millis }) => millis)),
      zmsMillis: median(own.map(({ zmsMillis }) => zmsMillis)),
      calls: Math.max(...own.map(({ calls }) => calls)),
    }
  })
}

/** Sends a form with all that the page has put into it. Throws Error when it is not carried out. */
async function sent(admin: Visitor, { page, action, fields, what }: FilledForm, round: number): Promise<Shown> {
  const { text } = await shown(admin, page)
  const form = formsOf(text).find(({ values }) => values.get('action') === action)
  if (form === undefined) throw new Error(`${page} has no form to ${what}`)
  const written = fields(round, text)
  const names = new Set(written.map(([name]) => name))
  const answer = await admin.post(form.to, [...[...form.values].filter(([name]) => !names.has(name)), ...written])
  if (answer.status !== 303) throw new Error(`to ${what}: ${answer.status} ${answer.heading} ${answer.text}`)
  return answer
}

async function measurePage(
  admin: Visitor,
  target: string,
  pids: readonly number[],
  rounds: number,
): Promise<MeasuredPage> {
  const first = timing(await shown(admin, target))
  // What the first request leaves to be done is not counted for the others.
  await sleep(TICK_MILLIS)
  const before = await cpuMillisOf(pids)
  const timings = []
  for (let round = 0; round < rounds; round++) timings.push(timing(await shown(admin, target)))
  const cpuMillis = ((await cpuMillisOf(pids)) - before) / rounds
  return {
    target,
    firstMillis: first.millis,
    millis: median(timings.map(({ millis }) => millis)),
    zmsMillis: median(timings.map(({ zmsMillis }) => zmsMillis)),
    cpuMillis,
    calls: Math.max(first.calls, ...timings.map(({ calls }) => calls)),
    kibibytes: first.bytes / 1024,
  }
}

async function shown(admin: Visitor, target: string): Promise<Shown> {
  const page = await admin.get(target)
  if (page.status !== 200) throw new Error(`${target}: ${page.status} ${page.heading}`)
  return page
}

/** What the answer tells of its making. Throws Error when it tells nothing. */
function timing({ headers, text }: Shown) {
  const header = String(headers['server-timing'] ?? '')
  const [, calls, zmsMillis, millis] = /^zms;desc="(\d+) calls";dur=([\d.]+), total;dur=([\d.]+)$/.exec(header) ?? []
  if (millis === undefined) throw new Error(`no server time: ${header}`)
  return {
    calls: Number(calls),
    zmsMillis: Number(zmsMillis),
    millis: Number(millis),
    bytes: Buffer.byteLength(text),
  }
}

/** Processor time of processes so far. */
async function cpuMillisOf(pids: readonly number[]): Promise<number> {
  let ticks = 0
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks * TICK_MILLIS
}
