// The load tool for machines without Go: takes the same arguments as main.go and prints the same line. It needs several
// times the CPU of the Go tool for a request, so the ratios that it gives are nearer to one.
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { percentile } from '../statistics.ts'

const text = { type: 'string' } as const
const { values: args } = parseArgs({
  options: {
    urls: text,
    method: { ...text, default: 'GET' },
    body: { ...text, default: '' },
    bodies: { ...text, default: '' },
    type: { ...text, default: 'application/json' },
    tag: { ...text, default: '' },
    first: { ...text, default: '0' },
    ca: text,
    cert: text,
    key: text,
    clients: { ...text, default: '' },
    c: { ...text, default: '16' },
    d: { ...text, default: '8s' },
    warm: { ...text, default: '3s' },
    warmcount: { ...text, default: '0' },
    count: { ...text, default: '0' },
    pids: { ...text, default: '' },
  },
})

const first = Number(args.first)
const connections = Number(args.c)
const warmMillis = Number.parseFloat(args.warm) * 1000
const countedMillis = Number.parseFloat(args.d) * 1000
/** Requests before counting, in place of time; and counted ones after which it ends before its time. */
const [warmCount, count] = [Number(args.warmcount), Number(args.count)]
const pids = args.pids === '' ? [] : args.pids.split(',')
const targets = readLines(args.urls ?? '')
const bodies = args.bodies === '' ? [args.body] : readLines(args.bodies)
const ca = readFileSync(args.ca ?? '')
const agents = (args.clients === '' ? [`${args.cert} ${args.key}`] : readLines(args.clients)).map((line) => {
  const [cert, key] = line.split(' ').map((file) => readFileSync(file))
  return new https.Agent({ keepAlive: true, maxSockets: connections, ca, cert, key })
})

function readLines(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}

/** User and system time of a process in clock ticks (1/100 s). */
function cpuTicks(pid: string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

let next = first
let counting = false
let answered = 0
const millis: number[] = []
const statuses: Record<string, number> = {}

/** With several clients, each sends what stands at its own places. */
function send(client: number, own: number): Promise<number> {
  const number = next++
  const place = agents.length > 1 ? own * agents.length + client : number - first
  const fill = (template: string) => template.replaceAll('{i}', String(number))
  const body = fill(bodies[place % bodies.length] ?? '')
  const headers = {
    ...(body !== '' && { 'content-type': args.type, 'content-length': Buffer.byteLength(body) }),
    ...(args.tag !== '' && { 'if-none-match': args.tag }),
  }
  const { promise, resolve } = Promise.withResolvers<number>()
  const target = fill(targets[place % targets.length] ?? '')
  const agent = agents[client]
  const request = https.request(target, { method: args.method, headers, ...(agent && { agent }) }, (response) => {
    response.resume().on('end', () => resolve(response.statusCode ?? 0))
    response.on('error', () => resolve(0))
  })
  request.on('error', () => resolve(0)).end(body)
  return promise
}

const isOver = (endMillis: number): boolean => performance.now() >= endMillis || (count > 0 && millis.length >= count)

async function sender(client: number, endMillis: number): Promise<void> {
  for (let own = 0; !isOver(endMillis); own++) {
    const counted = counting
    const start = performance.now()
    const status = await send(client, own)
    answered++
    if (!counted) continue
    millis.push(performance.now() - start)
    statuses[status] = (statuses[status] ?? 0) + 1
  }
}

const endMillis = performance.now() + warmMillis + countedMillis
const senders = Array.from({ length: connections }, (_, index) => sender(index % agents.length, endMillis))
const isWarm = (): boolean => answered >= warmCount || performance.now() >= endMillis
if (warmCount === 0) await delay(warmMillis)
while (!isWarm()) await delay(1)
const ticks = pids.map(cpuTicks)
const start = performance.now()
counting = true
await Promise.all(senders)
const seconds = (performance.now() - start) / 1000
const cpuMicros = pids.map((pid, index) => tenths(((cpuTicks(pid) - (ticks[index] ?? 0)) * 10_000) / millis.length))
millis.sort((a, b) => a - b)
for (const agent of agents) agent.destroy()
console.log(
  JSON.stringify({
    count: millis.length,
    perSecond: tenths(millis.length / seconds),
    p50Millis: percentile(millis, 0.5),
    p99Millis: percentile(millis, 0.99),
    statuses,
    cpuMicros,
  }),
)

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
