import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolders } from '#core/seam/make-folders.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { isRunning, type ProcessIdentity, parseIdentity } from './process-identity.ts'
import type { ServerKind, ServerLayout } from './server-kind.ts'
import type { StatusTarget } from './server-status.ts'

/** What is known of a server that was started here. */
export interface ServerState {
  readonly identity: ProcessIdentity
  /** Base of its REST interface, e.g. `https://localhost:4443/zms/v1`. */
  readonly url: string
  /** Where it is asked for its status. */
  readonly status: StatusTarget
  /** Epoch milliseconds. */
  readonly startedMillis: number
  /** It was started in the foreground, where nobody is left to remove the files after it. */
  readonly foreground: boolean
}

/** The files that tell of a running server: `zms.pid` with its number for other programs, `zms.state` for these commands. */
export class ServerStateFiles {
  readonly #folder: string
  readonly #pidFile: string
  readonly #stateFile: string

  constructor(kind: ServerKind, layout: ServerLayout) {
    this.#folder = layout.varFolder
    this.#pidFile = join(layout.varFolder, `${kind.name}.pid`)
    this.#stateFile = join(layout.varFolder, `${kind.name}.state`)
  }

  /** What the files say; undefined when there are none or they are damaged. */
  async read(): Promise<ServerState | undefined> {
    try {
      return parse(await readFile(this.#stateFile, 'utf8'))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw new CommandFailure(`cannot read ${this.#stateFile}: ${reasonOf(error)}`)
    }
  }

  /** What the files say of a server that is running. */
  async readRunning(): Promise<ServerState | undefined> {
    const state = await this.read()
    return state && isRunning(state.identity) ? state : undefined
  }

  async write(state: ServerState): Promise<void> {
    const { identity, ...rest } = state
    try {
      await makeFolders(this.#folder)
      await replaceFile(this.#stateFile, `${JSON.stringify({ ...identity, ...rest })}\n`)
      await replaceFile(this.#pidFile, `${identity.pid}\n`)
    } catch (error) {
      throw new CommandFailure(`cannot write to ${this.#folder}: ${reasonOf(error)}`)
    }
  }

  async remove(): Promise<void> {
    try {
      await Promise.all([rm(this.#pidFile, { force: true }), rm(this.#stateFile, { force: true })])
    } catch (error) {
      throw new CommandFailure(`cannot write to ${this.#folder}: ${reasonOf(error)}`)
    }
  }
}

async function replaceFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.next`, content)
  await rename(`${file}.next`, file)
}

function parse(text: string): ServerState | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const identity = parseIdentity(value)
  if (identity === undefined) return undefined
  const { url, status, startedMillis, foreground } = value as Record<string, unknown>
  if (typeof url !== 'string' || typeof startedMillis !== 'number') return undefined
  return { identity, url, status: targetOf(status) ?? { url }, startedMillis, foreground: foreground === true }
}

function targetOf(value: unknown): StatusTarget | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { url, proxyProtocol, certificateNeeded } = value as Record<string, unknown>
  if (typeof url !== 'string') return undefined
  return {
    url,
    ...(proxyProtocol === true && { proxyProtocol }),
    ...(certificateNeeded === true && { certificateNeeded }),
  }
}
