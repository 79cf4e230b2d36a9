import { access, mkdir, rename } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from './program.ts'

/** Release of the Go module whose commands are the tools. */
const VERSION = 'v1.12.44'
const MODULE = 'github.com/AthenZ/athenz'

interface Source {
  /** Folder of the command in the module. */
  readonly path: string
  /** Name under which Go installs it, where that is another one. */
  readonly installedAs?: string
}

const SOURCES = {
  'zms-cli': { path: 'utils/zms-cli' },
  'zts-svccert': { path: 'utils/zts-svccert' },
  'zts-roletoken': { path: 'utils/zts-roletoken' },
  'zts-accesstoken': { path: 'utils/zts-accesstoken' },
  'zts-rolecert': { path: 'utils/zts-rolecert' },
  'zts-idtoken': { path: 'utils/zts-idtoken' },
  'athenz-conf': { path: 'utils/athenz-conf' },
  zpu: { path: 'utils/zpe-updater/cmd/tools', installedAs: 'tools' },
} as const satisfies Record<string, Source>

/** All that the walk needs. */
export const WALK_TOOLS = (Object.keys(SOURCES) as AthenzTool[]).filter((name) => name !== 'zts-idtoken')

/** Name of one of Athenz' own command-line tools. */
export type AthenzTool = keyof typeof SOURCES

/** The folder that holds the tools, or why there are none. */
export type AthenzTools = { readonly folder: string } | { readonly skipped: string }

/** Finds Athenz' own tools in the user's cache; builds missing ones with Go, where it is installed. */
export async function athenzTools(names: readonly AthenzTool[]): Promise<AthenzTools> {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const folder = join(cache, 'athenz-tools', VERSION)
  for (const name of names) {
    if (await isPresent(join(folder, name))) continue
    const problem = await build(name, folder)
    if (problem !== undefined) return { skipped: problem }
  }
  return { folder }
}

async function build(name: AthenzTool, folder: string): Promise<string | undefined> {
  const go = await findGo()
  if (go === undefined) return `Go is not installed, so ${name} ${VERSION} cannot be built`
  await mkdir(folder, { recursive: true })
  const env = { ...process.env, GOBIN: folder }
  const { path, installedAs }: Source = SOURCES[name]
  const { status, stderr } = await runProgram(go, ['install', `${MODULE}/${path}@${VERSION}`], { env })
  if (status !== 0) return `go install of ${name} ${VERSION} failed: ${stderr.trim().split('\n').at(-1) ?? ''}`
  if (installedAs !== undefined) await rename(join(folder, installedAs), join(folder, name))
  return undefined
}

/** The command `go`; undefined when it is not installed. Go's own archive goes to a folder that is often not on the path. */
export async function findGo(): Promise<string | undefined> {
  for (const candidate of ['go', '/usr/local/go/bin/go']) {
    const { status } = await runProgram('sh', ['-c', '"$1" version', 'sh', candidate])
    if (status === 0) return candidate
  }
  return undefined
}

function isPresent(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
