import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { type Cryptography, startBareCryptography, startBareServer } from './bare-server.ts'
import { fillForAccess } from './bench-data.ts'
import { type BenchZms, prepareZms } from './bench-zms.ts'
import { domainName, STANDARD_SIZE } from './data.ts'
import { type Load, type LoadResult, type LoadTool, openLoadTool } from './load-tool.ts'
import { opensslSignatures } from './openssl-speed.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, type Goal, goal, type Table } from './report.ts'
import { requestText } from './request-text.ts'
import { figures } from './rounds.ts'
import { median, neighbours } from './statistics.ts'

const CONNECTIONS = 16
const FIRST_WARM_SECONDS = 5
const WARM_SECONDS = 1

/** Part of the answers of a bare server that reads the same request, makes such a signature, and answers as many bytes. */
const GOAL = 0.75
/** The sampling interval of 10 ms is in it. */
const LOOP_DELAY_GOAL_MILLIS = 20

/** Kinds of keys, and how ZTS is told to sign with them. */
const KEYS = [
  { name: 'RSA-2048', preference: 'RSA', cryptography: 'sign-rsa' },
  { name: 'P-256', preference: 'EC', cryptography: 'sign-ec' },
] as const satisfies readonly { name: string; preference: string; cryptography: Cryptography }[]

type KeyRow = (typeof KEYS)[number]

/** What is asked for: a role token in each domain in turn, an access token always in the same domain. */
const FORM = `grant_type=client_credentials&scope=${domainName(3)}:domain`
const TOKENS: readonly {
  name: 'role token' | 'access token'
  load: (base: string) => Pick<Load, 'urls' | 'method' | 'body' | 'bodyType'>
}[] = [
  {
    name: 'role token',
    load: (base) => ({
      urls: Array.from({ length: STANDARD_SIZE.domains }, (_, index) => `${base}/domain/${domainName(index)}/token`),
    }),
  },
  {
    name: 'access token',
    load: (base) => ({
      urls: [`${base}/oauth2/token`],
      method: 'POST',
      body: FORM,
      bodyType: 'application/x-www-form-urlencoded',
    }),
  },
]

const KEY_FOLDER = 'var/zts_server/keys'

/**
 * Role tokens and access tokens from ZTS over TLS with a client certificate on kept connections, 1,000 domains loaded,
 * with each kind of key. The limits, a bare server and OpenSSL's own signatures, are measured before and after each
 * round.
 */
export async function tokens(options: BenchOptions): Promise<BenchResult> {
  const tool = await openLoadTool()
  const opsPort = await freePort()
  await using zms = await prepareZms('file', fillForAccess, {
    'athenz.auth.private_key_store.private_ec_key': `${KEY_FOLDER}/zts_ec_private.pem`,
    'athenz.auth.private_key_store.private_ec_key_id': 'ec0',
    'athenz.auth.private_key_store.private_rsa_key': `${KEY_FOLDER}/zts_private.pem`,
    'athenz.auth.private_key_store.private_rsa_key_id': '0',
    'athenz.ts.ops_port': String(opsPort),
  })
  const rows: Table['rows'][number][] = []
  const goals: Goal[] = []
  for (const key of KEYS) {
    const measured = await measure({ zms, tool, key, opsPort, options })
    rows.push(...measured.rows)
    goals.push(...measured.goals)
  }
  const columns = [
    '',
    'per second',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    '÷ bare',
    '÷ OpenSSL',
    '÷ bare that signs',
    'loop delay p99 ms',
  ]
  return {
    tables: [{ title: 'Tokens', columns, rows }],
    goals,
    notes: [
      `sent by ${tool.name} on ${CONNECTIONS} connections, on the same ${availableParallelism()} cores`,
      '÷ bare that signs: of the answers of a bare server that reads the same, makes such a signature, and answers as many bytes',
    ],
  }
}

interface Measurement {
  readonly zms: BenchZms
  readonly tool: LoadTool
  readonly key: KeyRow
  readonly opsPort: number
  readonly options: BenchOptions
}

/** The limits at one moment. */
interface Limit {
  readonly bare: LoadResult
  /** A bare server that reads the same request, makes a signature for it, and answers as many bytes. */
  readonly signing: LoadResult
  readonly signaturesPerSecond: number
}

async function measure({ zms, tool, key, opsPort, options }: Measurement) {
  await using servers = await zms.start({
    'athenz.zts.key_algo_json_web_objects': key.preference,
    'athenz.zts.key_algo_proprietary_objects': key.preference,
  })
  const { summary } = servers
  await using bare = await startBareServer(zms.server, summary.ca)
  const base = summary.zts ?? ''
  const answerBytes = await requireTokens(zms, summary.ca, base, key)
  const run = (
    load: Pick<Load, 'urls' | 'method' | 'body' | 'bodyType' | 'pids'>,
    warmSeconds: number,
    seconds: number,
  ) =>
    tool.run({
      ca: summary.ca,
      client: zms.client,
      connections: CONNECTIONS,
      expected: [200],
      ...load,
      warmSeconds,
      seconds,
    })
  const pids = [summary.pids.zts ?? 0]
  await run({ urls: [bare.url], pids: [bare.pid] }, FIRST_WARM_SECONDS, 1)

  const rows: Table['rows'][number][] = []
  const goals: Goal[] = []
  const allLimits: Limit[] = []
  for (const { name, load } of TOKENS) {
    await using signing = await startBareCryptography(zms.server, summary.ca, {
      work: [key.cryptography],
      answerBytes: answerBytes[name],
    })
    const alike = { ...load(signing.url.replace(/\/$/, '')), pids: [signing.pid] }
    const limit = () =>
      limitOf(key, options.seconds, {
        bare: () => run({ urls: [bare.url], pids: [bare.pid] }, WARM_SECONDS, options.seconds),
        signing: () => run(alike, WARM_SECONDS, options.seconds),
      })
    await run(alike, FIRST_WARM_SECONDS, 1)
    await run({ ...load(base), pids }, FIRST_WARM_SECONDS, 1)
    const limits = [await limit()]
    const ours: LoadResult[] = []
    const delays: number[] = []
    for (let round = 0; round < options.rounds; round++) {
      await loopDelayMillis(opsPort)
      ours.push(await run({ ...load(base), pids }, WARM_SECONDS, options.seconds))
      delays.push(await loopDelayMillis(opsPort))
      limits.push(await limit())
    }
    const ratioOf = (of: (each: Limit) => number) =>
      median(ours.map(({ perSecond }, round) => perSecond / neighbours(limits, round, of)))
    const ofSigning = ratioOf((each) => each.signing.perSecond)
    const delay = median(delays)
    const [perSecond = 0, p50 = 0, p99 = 0, cpu = 0] = figures(ours)
    const ownLimits = limits.map((each) => each.signing)
    rows.push([
      `bare that signs alike, for a ${name}`,
      ...figures(ownLimits).slice(0, 4),
      median(limits.map((each) => each.signing.perSecond / each.bare.perSecond)),
      median(limits.map((each) => each.signing.perSecond / each.signaturesPerSecond)),
      1,
      '-',
    ])
    rows.push([
      `${name}, ${key.name}`,
      perSecond,
      p50,
      p99,
      cpu,
      ratioOf((each) => each.bare.perSecond),
      ratioOf((each) => each.signaturesPerSecond),
      ofSigning,
      delay,
    ])
    allLimits.push(...limits)
    goals.push(goal(`${name}s with ${key.name}, part of bare that signs`, '≥', GOAL, ofSigning))
    if (key.preference === 'RSA') {
      goals.push(
        goal(`event-loop delay p99 with ${name}s and ${key.name}`, '≤', LOOP_DELAY_GOAL_MILLIS, delay, {
          unit: ' ms',
          digits: 1,
        }),
      )
    }
  }
  const signatures = median(allLimits.map((each) => each.signaturesPerSecond))
  const bareFigures = figures(allLimits.map((each) => each.bare)).slice(0, 4)
  rows.unshift(
    [`OpenSSL, signatures with ${key.name}`, signatures, '-', '-', '-', '-', 1, '-', '-'],
    [`bare, beside ${key.name}`, ...bareFigures, 1, '-', '-', '-'],
  )
  return { rows, goals }
}

async function limitOf(
  key: KeyRow,
  seconds: number,
  { bare, signing }: { bare: () => Promise<LoadResult>; signing: () => Promise<LoadResult> },
): Promise<Limit> {
  return {
    bare: await bare(),
    signing: await signing(),
    signaturesPerSecond: await opensslSignatures(key.preference, seconds),
  }
}

/** 99th percentile of the delay of the event loop of ZTS since it was asked for the last time; it counts anew then. */
async function loopDelayMillis(opsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text()
  const value = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]
  return Number(value) * 1000
}

/** A fast wrong answer is worth nothing. Gives the bytes of each answer. */
async function requireTokens(zms: BenchZms, ca: string, base: string, { preference }: KeyRow) {
  const keyId = preference === 'RSA' ? '0' : 'ec0'
  const { client } = zms
  const roleToken = await requestText(`${base}/domain/${domainName(3)}/token`, { client, ca })
  if (!roleToken.includes(`;k=${keyId};`)) throw new Error(`not the role token that was expected: ${roleToken}`)
  const accessToken = await requestText(`${base}/oauth2/token`, { client, ca, form: FORM })
  const { access_token: text = '' } = JSON.parse(accessToken) as { access_token?: string }
  const header = JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()) as { kid?: string }
  if (header.kid !== keyId) throw new Error(`not the access token that was expected: ${accessToken}`)
  return { 'role token': roleToken.length, 'access token': accessToken.length }
}

/** A port that nobody listens on at the moment. */
async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
  })
  return promise
}
