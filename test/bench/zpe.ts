import { generateKeyPairSync } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { signRoleToken } from '#core/token/sign-role-token.ts'
import { Zpe } from '#zpe/zpe.ts'
import type { BenchOptions } from './options.ts'
import { casbinEngine, cedarEngine } from './other-engines.ts'
import { type BenchResult, goal, type Table } from './report.ts'
import { median } from './statistics.ts'

/**
 * Decisions of the policy engine beside an application, on one core, through its public call: the text of a role token
 * whose signature was verified before, policies from a signed file. casbin and Cedar decide the same questions by the same
 * rules in the same process.
 */

const SIZES = [10, 1_000, 10_000]
const DOMAIN = 'sports'
/** Least goals, in decisions a second. */
const GOALS: ReadonlyMap<number, number> = new Map([
  [10, 2_000_000],
  [10_000, 1_000_000],
])
const TIMES_FASTER = 10

/** A kind of rules: the resource of the i-th assertion, and what of it is asked about. */
export interface RuleKind {
  readonly name: string
  readonly pattern: (i: number) => string
  readonly asked: (i: number) => string
}

/** Rules about resources without wildcards. */
export const EXACT_RULES: RuleKind = {
  name: 'exact',
  pattern: (i) => `article.${i}`,
  asked: (i) => `article.${i}`,
}

const KINDS: readonly RuleKind[] = [
  EXACT_RULES,
  { name: 'prefix', pattern: (i) => `article.${i}.*`, asked: (i) => `article.${i}.news` },
  { name: 'inner *', pattern: (i) => `article.${i}.*.text`, asked: (i) => `article.${i}.news.text` },
  { name: 'leading *', pattern: (i) => `*.${i}.text`, asked: (i) => `news.${i}.text` },
]

/** Asks an engine the i-th question; all of them are granted. */
export type Ask = (i: number) => boolean

/** How often an engine decides. */
export interface Rate {
  /** Decisions in a second of CPU time of this process, which does not depend on what else the machine does. */
  readonly perCpuSecond: number
  readonly perSecond: number
}

/** Measures decisions a second for every kind and number of rules. */
export async function zpe({ seconds, rounds }: BenchOptions): Promise<BenchResult> {
  const millis = (seconds * 1000) / 8
  const rows: (string | number)[][] = []
  const exact = new Map<number, Rate>()
  const ratios: { readonly name: string; readonly casbin: number; readonly cedar: number }[] = []
  for (const kind of KINDS) {
    for (const count of SIZES) {
      await using world = await openWorld(kind, count)
      const casbin = await casbinEngine(kind, count)
      const cedar = cedarEngine(kind, count)
      const measured = inTurn(rounds, [
        () => measureRate(world.ask, count, millis),
        () => measureRate(casbin, count, millis),
        () => measureRate(cedar, count, millis),
      ])
      const awaited = await world.awaited(millis)
      const [own, theirs, others] = measured as [Rate, Rate, Rate]
      if (kind.name === 'exact') exact.set(count, own)
      const name = `${kind.name} ${count}`
      const [ofCasbin, ofCedar] = [own.perCpuSecond / theirs.perCpuSecond, own.perCpuSecond / others.perCpuSecond]
      ratios.push({ name, casbin: ofCasbin, cedar: ofCedar })
      rows.push([
        name,
        own.perCpuSecond,
        own.perSecond,
        awaited.perCpuSecond,
        world.unseen().perCpuSecond,
        theirs.perCpuSecond,
        others.perCpuSecond,
        ofCasbin,
        ofCedar,
      ])
    }
  }
  const table: Table = {
    title: 'decisions a second, one core (CPU time unless it says wall)',
    columns: ['rules', 'ZPE', 'ZPE wall', 'awaited', 'new texts', 'casbin', 'Cedar', '÷ casbin', '÷ Cedar'],
    rows,
  }
  return {
    tables: [table],
    goals: [
      ...[...GOALS].map(([count, least]) =>
        goal(`decisions/s with ${count} exact assertions`, '≥', least, exact.get(count)?.perCpuSecond ?? 0, {
          digits: 0,
        }),
      ),
      ...(['casbin', 'cedar'] as const).map((other) => {
        const least = ratios.reduce((a, b) => (b[other] < a[other] ? b : a))
        return goal(`least lead on ${other} (${least.name})`, '≥', TIMES_FASTER, least[other], { digits: 1 })
      }),
    ],
    notes: [
      'awaited: with `await` on every answer. new texts: token and resource are new strings each time, as requests bring them.',
      'A pattern that begins with * can match anything, so each one is tried: the cost grows with their number.',
    ],
  }
}

/** Middle rates of rounds in which each is measured once. */
function inTurn(rounds: number, measures: readonly (() => Rate)[]): Rate[] {
  const all = Array.from({ length: rounds }, () => measures.map((measureOnce) => measureOnce()))
  return measures.map((_, index) => ({
    perCpuSecond: median(all.map((round) => round[index]?.perCpuSecond ?? 0)),
    perSecond: median(all.map((round) => round[index]?.perSecond ?? 0)),
  }))
}

const BATCH = 64
const WARMING_MILLIS = 300

/** Asks an engine about all rules in turn for a time, after it has been warmed. */
export function measureRate(ask: Ask, count: number, millis: number): Rate {
  // Compiled by then.
  askFor(ask, count, WARMING_MILLIS)
  return askFor(ask, count, millis)
}

function askFor(ask: Ask, count: number, millis: number): Rate {
  const start = performance.now()
  const cpu = process.cpuUsage()
  let asked = 0
  let elapsed = 0
  while (elapsed < millis) {
    // Slow engines look at the time more often.
    for (let batch = 0; batch < BATCH && (batch === 0 || asked > BATCH); batch++, asked++) {
      if (!ask(asked % count)) throw new Error('not granted')
    }
    elapsed = performance.now() - start
  }
  return rateOf(asked, cpu, elapsed)
}

function rateOf(asked: number, before: NodeJS.CpuUsage, elapsedMillis: number): Rate {
  const { user, system } = process.cpuUsage(before)
  return { perCpuSecond: (asked / (user + system)) * 1_000_000, perSecond: (asked / elapsedMillis) * 1000 }
}

/** The policy engine with rules of one kind in its files. */
export interface World extends AsyncDisposable {
  readonly ask: Ask
  /** The same with `await`. */
  awaited(millis: number): Promise<Rate>
  /** The same with strings that were never seen before. */
  unseen(): Rate
}

const UNSEEN = 20_000

/** Opens the policy engine with so many rules, and a token that fits them. */
export async function openWorld({ pattern, asked }: RuleKind, count: number): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'athenz-bench-zpe-'))
  const signer = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, '0')
  await writeFiles(
    root,
    signer,
    Array.from({ length: count }, (_, i) => pattern(i)),
  )
  const engine = await Zpe.open({ root })
  const now = Math.floor(Date.now() / 1000)
  const token = await signRoleToken(
    {
      domain: DOMAIN,
      roles: ['readers'],
      completeRoleSet: true,
      principal: 'user.joe',
      issueTimeSeconds: now,
      expiryTimeSeconds: now + 7200,
    },
    signer,
  )
  const resources = Array.from({ length: count }, (_, i) => `${DOMAIN}:${asked(i)}`)
  const first = await engine.allowAccess(token, resources[0] ?? '', 'read')
  if (!first.granted) throw new Error(`not granted: ${first.status}`)
  const ask: Ask = (i) => {
    const check = engine.allowAccess(token, resources[i] as string, 'read')
    return 'granted' in check && check.granted
  }
  return {
    ask,
    async awaited(millis) {
      const start = performance.now()
      const cpu = process.cpuUsage()
      let done = 0
      while (performance.now() - start < millis) {
        for (let batch = 0; batch < BATCH; batch++, done++) {
          if (!(await engine.allowAccess(token, resources[done % count] as string, 'read')).granted) {
            throw new Error('not granted')
          }
        }
      }
      return rateOf(done, cpu, performance.now() - start)
    },
    unseen() {
      const copy = (text: string) => Buffer.from(text).toString('latin1')
      const tokens = Array.from({ length: UNSEEN }, () => copy(token))
      const texts = Array.from({ length: UNSEEN }, (_, i) => copy(resources[i % count] as string))
      const start = performance.now()
      const cpu = process.cpuUsage()
      for (let i = 0; i < UNSEEN; i++) {
        const check = engine.allowAccess(tokens[i] as string, texts[i] as string, 'read')
        if (!('granted' in check && check.granted)) throw new Error('not granted')
      }
      return rateOf(UNSEEN, cpu, performance.now() - start)
    },
    async [Symbol.asyncDispose]() {
      await engine.close()
      await rm(root, { recursive: true })
    },
  }
}

async function writeFiles(root: string, signer: Signer, resources: readonly string[]): Promise<void> {
  const time = new Date().toISOString()
  const assertions = resources.map((resource) => ({
    role: `${DOMAIN}:role.readers`,
    action: 'read',
    resource: `${DOMAIN}:${resource}`,
    effect: 'ALLOW',
  }))
  const policies = [{ name: `${DOMAIN}:policy.all`, modified: time, assertions }]
  const data = { expires: time, modified: time, policyData: { domain: DOMAIN, policies } }
  const text = canonicalText(data, canonicalShapes.signedPolicyData)
  const signature = encodeYBase64(await signer.sign(text))
  const conf = { ztsPublicKeys: [{ id: signer.keyId, key: encodeYBase64(publicKeyPem(signer.publicKey)) }] }
  await mkdir(join(root, 'var', 'zpe'), { recursive: true })
  await mkdir(join(root, 'conf', 'athenz'), { recursive: true })
  await writeFile(join(root, 'conf', 'athenz', 'athenz.conf'), JSON.stringify(conf))
  await writeFile(
    join(root, 'var', 'zpe', `${DOMAIN}.pol`),
    `{"signedPolicyData":${text},"keyId":"${signer.keyId}","signature":"${signature}"}`,
  )
}
