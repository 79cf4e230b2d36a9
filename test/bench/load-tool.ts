import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../support/program.ts'
import { CACHE_FOLDER } from './report.ts'

/** Files of a client certificate. */
export interface ClientFiles {
  readonly certificate: string
  readonly key: string
}

/** Requests to send. */
export interface Load {
  /** Used in turn; `{i}` in them and in the body becomes a running number. */
  readonly urls: readonly string[]
  readonly method?: string
  readonly body?: string
  /** Bodies of one line, used in turn with the URLs, in place of `body`. */
  readonly bodies?: readonly string[]
  /** Type of the body; JSON when absent. */
  readonly bodyType?: string
  /** Entity tag, with its quotes, of what the sender has already. */
  readonly tag?: string
  /** The number to begin with. */
  readonly first?: number
  /** File that verifies the server. */
  readonly ca: string
  readonly client: ClientFiles
  /**
   * In place of `client`: each connection is one of n clients in turn, and sends the URLs and bodies at every nth place
   * from its own on.
   */
  readonly clients?: readonly ClientFiles[]
  readonly connections: number
  readonly warmSeconds: number
  /** Requests before counting, in place of time. */
  readonly warmRequests?: number
  readonly seconds: number
  /** Counted requests after which it ends before its time. */
  readonly requests?: number
  /** Processes whose CPU time is measured. */
  readonly pids?: readonly number[]
  /** Statuses that are no failure. */
  readonly expected: readonly number[]
}

/** What came of a load. */
export interface LoadResult {
  readonly count: number
  readonly perSecond: number
  readonly p50Millis: number
  readonly p99Millis: number
  /** How often which status; 0 stands for no answer. */
  readonly statuses: Readonly<Record<string, number>>
  /** CPU microseconds per request of each process. */
  readonly cpuMicros: readonly number[]
}

/** Sends loads. */
export interface LoadTool {
  /** What it is, for the report. */
  readonly name: string
  /** Rejects when an answer has a status that was not expected. */
  run(load: Load): Promise<LoadResult>
}

const SOURCE_FOLDER = join(import.meta.dirname, 'load')
const GO_PROGRAMS = ['go', '/usr/local/go/bin/go']

/** The load tool: that in Go where Go is installed, else the one in JavaScript. */
export async function openLoadTool(): Promise<LoadTool> {
  const program = await buildGoTool()
  if (program !== undefined) return loadTool('the Go tool', program, [])
  return loadTool('the JavaScript tool (Go is not installed)', process.execPath, [join(SOURCE_FOLDER, 'load.ts')])
}

async function buildGoTool(): Promise<string | undefined> {
  const program = join(CACHE_FOLDER, 'load')
  await mkdir(CACHE_FOLDER, { recursive: true })
  const env = { ...process.env, CGO_ENABLED: '0' }
  for (const go of GO_PROGRAMS) {
    const present = await runProgram('sh', ['-c', 'command -v "$1"', 'sh', go])
    if (present.status !== 0) continue
    const { status, stderr } = await runProgram(go, ['build', '-o', program, '.'], { cwd: SOURCE_FOLDER, env })
    if (status !== 0) throw new Error(`the load tool does not build: ${stderr}`)
    return program
  }
  return undefined
}

function loadTool(name: string, program: string, before: readonly string[]): LoadTool {
  return {
    name,
    async run({ urls, client, ca, connections, warmSeconds, seconds, expected, ...load }) {
      const folder = await mkdtemp(join(tmpdir(), 'athenz-load-'))
      try {
        const fileOf = async (file: string, lines: readonly string[]) => {
          if (lines.length === 0) return ''
          await writeFile(join(folder, file), lines.join('\n'))
          return join(folder, file)
        }
        const clients = (load.clients ?? []).map(({ certificate, key }) => `${certificate} ${key}`)
        const options = {
          urls: await fileOf('urls', urls),
          bodies: await fileOf('bodies', load.bodies ?? []),
          clients: await fileOf('clients', clients),
          method: load.method ?? 'GET',
          body: load.body ?? '',
          type: load.bodyType ?? 'application/json',
          tag: load.tag ?? '',
          first: String(load.first ?? 0),
          ca,
          cert: client.certificate,
          key: client.key,
          c: String(connections),
          warm: `${warmSeconds}s`,
          d: `${seconds}s`,
          warmcount: String(load.warmRequests ?? 0),
          count: String(load.requests ?? 0),
          pids: (load.pids ?? []).join(','),
        }
        const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`)
        const { status, stdout, stderr } = await runProgram(program, [...before, ...args])
        if (status !== 0) throw new Error(`the load tool failed: ${stderr}`)
        const result = JSON.parse(stdout) as LoadResult
        const others = Object.keys(result.statuses).filter((code) => !expected.includes(Number(code)))
        if (others.length > 0) throw new Error(`unexpected answers: ${JSON.stringify(result.statuses)}`)
        return result
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}
