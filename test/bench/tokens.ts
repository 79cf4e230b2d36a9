import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { type BareServer, type Cryptography, startBareServer } from './bare-server.ts'
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

/** Part of the signatures that OpenSSL makes on all cores. */
const RSA_GOAL = 0.75
/** Part of the answers of the bare server. */
const EC_GOAL = 0.45
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
const TOKENS: readonly { name: string; load: (base: string) => Pick<Load, 'urls' | 'method' | 'body' | 'bodyType'> }[] =
  [
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
      '÷ bare that signs: part of the answers of a bare server whose every answer costs such a signature',
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
  /** A bare server that makes a signature for each answer. */
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
  await using signing = await startBareServer(zms.server, summary.ca, [key.cryptography])
  const base = summary.zts ?? ''
  await requireTokens(zms, summary.ca, base, key)
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
  const limit = () =>
    limitOf({ bare, signing }, key, options.seconds, (load) => run(load, WARM_SECONDS, options.seconds))
  const pids = [summary.pids.zts ?? 0]
  for (const { url, pid } of [bare, signing]) await run({ urls: [url], pids: [pid] }, FIRST_WARM_SECONDS, 1)

  const rows: Table['rows'][number][] = []
  const goals: Goal[] = []
  const allLimits: Limit[] = []
  for (const { name, load } of TOKENS) {
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
    const [ofBare, ofOpenssl] = [ratioOf((each) => each.bare.perSecond), ratioOf((each) => each.signaturesPerSecond)]
    const delay = median(delays)
    const [perSecond = 0, p50 = 0, p99 = 0, cpu = 0] = figures(ours)
    rows.push([
      `${name}, ${key.name}`,
      perSecond,
      p50,
      p99,
      cpu,
      ofBare,
      ofOpenssl,
      ratioOf((each) => each.signing.perSecond),
      delay,
    ])
    allLimits.push(...limits)
    if (key.preference === 'RSA') {
      goals.push(goal(`${name}s with ${key.name}, part of OpenSSL`, '≥', RSA_GOAL, ofOpenssl))
      goals.push(
        goal(`event-loop delay p99 with ${name}s and ${key.name}`, '≤', LOOP_DELAY_GOAL_MILLIS, delay, {
          unit: ' ms',
          digits: 1,
        }),
      )
    } else {
      goals.push(goal(`${name}s with ${key.name}, part of bare`, '≥', EC_GOAL, ofBare))
    }
  }
  const signatures = median(allLimits.map((each) => each.signaturesPerSecond))
  const ratiosOf = (of: (each: Limit) => LoadResult) => [
    median(allLimits.map((each) => of(each).perSecond / each.bare.perSecond)),
    median(allLimits.map((each) => of(each).perSecond / each.signaturesPerSecond)),
  ]
  const limitRow = (name: string, of: (each: Limit) => LoadResult) => [name, ...figures(allLimits.map(of)).slice(0, 4)]
  rows.unshift(
    [`OpenSSL, signatures with ${key.name}`, signatures, '-', '-', '-', '-', 1, '-', '-'],
    [...limitRow(`bare, beside ${key.name}`, (each) => each.bare), 1, '-', '-', '-'],
    [
      ...limitRow(`bare that signs with ${key.name}`, (each) => each.signing),
      ...ratiosOf((each) => each.signing),
      1,
      '-',
    ],
  )
  return { rows, goals }
}

async function limitOf(
  { bare, signing }: { bare: BareServer; signing: BareServer },
  key: KeyRow,
  seconds: number,
  run: (load: Pick<Load, 'urls' | 'pids'>) => Promise<LoadResult>,
): Promise<Limit> {
  return {
    bare: await run({ urls: [bare.url], pids: [bare.pid] }),
    signing: await run({ urls: [signing.url], pids: [signing.pid] }),
    signaturesPerSecond: await opensslSignatures(key.preference, seconds),
  }
}

/** 99th percentile of the delay of the event loop of ZTS since it was asked for the last time; it counts anew then. */
async function loopDelayMillis(opsPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text()
  const value = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]
  return Number(value) * 1000
}

/** A fast wrong answer is worth nothing. */
async function requireTokens(zms: BenchZms, ca: string, base: string, { preference }: KeyRow): Promise<void> {
  const keyId = preference === 'RSA' ? '0' : 'ec0'
  const { client } = zms
  const roleToken = await requestText(`${base}/domain/${domainName(3)}/token`, { client, ca })
  if (!roleToken.includes(`;k=${keyId};`)) throw new Error(`not the role token that was expected: ${roleToken}`)
  const accessToken = await requestText(`${base}/oauth2/token`, { client, ca, form: FORM })
  const { access_token: text = '' } = JSON.parse(accessToken) as { access_token?: string }
  const header = JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString()) as { kid?: string }
  if (header.kid !== keyId) throw new Error(`not the access token that was expected: ${accessToken}`)
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
