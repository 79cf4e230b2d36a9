import type { Command } from 'commander'
import type { Identity } from '#client/identity.ts'
import type { ZmsClient } from '#client/zms-client.ts'
import type { ZtsClient } from '#client/zts-client.ts'
import { CommandFailure } from '../command-failure.ts'
import { type Context, contextsFile, readContexts } from './contexts.ts'
import { type OutputFormat, outputOption, printResult, type Result, yamlText } from './output.ts'

/** Options that name servers and an identity. */
export interface ServerOptions {
  readonly zms?: string
  readonly zts?: string
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly tokenFile?: string
}

/** Options that say which servers are asked, and as whom. */
export interface SessionOptions extends ServerOptions {
  readonly context?: string
  readonly output: OutputFormat
}

/** What a session takes from the machine. */
export interface SessionMachine {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
}

/** Adds all of them to a command. */
export function withSession(command: Command): Command {
  return withServers(
    command
      .addOption(outputOption())
      .option('--context <name>', 'servers and identity by their name (default: the current context)'),
  )
}

/** Adds those that name servers and an identity. */
export function withServers(command: Command): Command {
  return command
    .option('--zms <url>', 'URL of ZMS')
    .option('--zts <url>', 'URL of ZTS')
    .option('--ca-file <file>', 'authorities that vouch for the servers')
    .option('--cert-file <file>', 'your certificate')
    .option('--key-file <file>', 'its private key')
    .option('--token-file <file>', 'a principal token, instead of a certificate')
}

/** Servers that a command asks; clients are made when they are first needed. */
export class Session implements AsyncDisposable {
  /** All that is known: the options win over the context, which wins over the configuration of the user. */
  readonly context: Context
  readonly format: OutputFormat
  #identity: Promise<Identity | undefined> | undefined
  #zms: Promise<ZmsClient> | undefined
  #zts: Promise<ZtsClient> | undefined

  constructor(context: Context, format: OutputFormat) {
    this.context = context
    this.format = format
  }

  /** Throws a CommandFailure when the context does not exist. */
  static async open(options: SessionOptions, machine: SessionMachine): Promise<Session> {
    return new Session(await contextOf(options, machine), options.output)
  }

  zms(): Promise<ZmsClient> {
    this.#zms ??= this.#openZms()
    return this.#zms
  }

  zts(): Promise<ZtsClient> {
    this.#zts ??= this.#openZts()
    return this.#zts
  }

  /** Who calls; undefined for nobody. */
  identity(): Promise<Identity | undefined> {
    this.#identity ??= identityOf(this.context)
    return this.#identity
  }

  async print(result: Result): Promise<void> {
    await printResult(result, this.format)
  }

  /** Prints a value that people read as YAML, too. */
  async printDocument(value: unknown): Promise<void> {
    const text = await yamlText(value)
    await this.print({ value, table: () => text.trimEnd().split('\n') })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that could not be made has told why to who asked for it.
    for (const client of [this.#zms, this.#zts]) await (await client?.catch(() => undefined))?.close()
  }

  async #openZms(): Promise<ZmsClient> {
    const { zms: url } = this.context
    if (url === undefined) throw noServer('ZMS', '--zms')
    const { ZmsClient: Client } = await import('#client/zms-client.ts')
    return new Client({ url, ...(await this.#connection()) })
  }

  async #openZts(): Promise<ZtsClient> {
    const { zts: url } = this.context
    if (url === undefined) throw noServer('ZTS', '--zts')
    const { ZtsClient: Client } = await import('#client/zts-client.ts')
    return new Client({ url, cache: false, prefetch: false, accessTokenFolder: false, ...(await this.#connection()) })
  }

  async #connection() {
    const { ca: caFile } = this.context
    const identity = await this.identity()
    return { ...(caFile !== undefined && { caFile }), ...(identity && { identity }) }
  }
}

const noServer = (title: string, option: string): CommandFailure =>
  new CommandFailure(`which ${title}? Name a context (athenz context --help), or its URL by ${option}`)

async function identityOf({ certificate, key, tokenFile }: Context): Promise<Identity | undefined> {
  const { certificateOf } = await import('../tools/certificate-caller.ts')
  try {
    if (tokenFile !== undefined) {
      const { tokenIdentity } = await import('#client/identity.ts')
      const { readGivenFile } = await import('../tools/tool.ts')
      return tokenIdentity((await readGivenFile(tokenFile, 'token')).trim())
    }
    if (certificate === undefined && key === undefined) return undefined
    if (certificate === undefined || key === undefined) {
      throw new CommandFailure('a certificate and its private key are needed together')
    }
    return await certificateOf(certificate, key)
  } catch (error) {
    if (error instanceof CommandFailure || !(error instanceof Error)) throw error
    throw new CommandFailure(error.message)
  }
}

/**
 * The servers and the identity that options name, or else those of a context, or of the configuration of the user.
 * @throws CommandFailure when the context does not exist
 */
export async function contextOf(
  options: Omit<SessionOptions, 'output'>,
  { env, home }: SessionMachine,
): Promise<Context> {
  const named = await namedContext(options.context ?? (env['ATHENZ_CONTEXT'] || undefined), contextsFile(env, home))
  const { zms, zts, caFile, certFile, keyFile, tokenFile } = options
  const given = present({ zms, zts, ca: caFile, certificate: certFile, key: keyFile, tokenFile })
  // An identity is taken as a whole: a token beside somebody else's certificate would be two callers.
  const identified = certFile !== undefined || keyFile !== undefined || tokenFile !== undefined
  const { certificate: _certificate, key: _key, tokenFile: _token, ...servers } = named ?? {}
  const base = identified ? servers : (named ?? {})
  return { ...(await userDefaults(home, identified || named !== undefined)), ...base, ...given }
}

async function namedContext(name: string | undefined, file: string): Promise<Context | undefined> {
  const { current, contexts } = await readContexts(file)
  const wanted = name ?? current
  if (wanted === undefined) return undefined
  const context = contexts.get(wanted)
  if (context === undefined) throw new CommandFailure(`there is no context ${wanted} in ${file}`)
  return context
}

/** What the configuration for the original's tools says. */
async function userDefaults(home: string, isIdentified: boolean): Promise<Context> {
  const { readDefaultConfig } = await import('../tools/default-config.ts')
  const { zms, zts, 'svc-cert-file': certificate, 'svc-key-file': key } = await readDefaultConfig(home)
  return present({ zms, zts, ...(!isIdentified && { certificate, key }) })
}

const present = (context: { readonly [K in keyof Context]: Context[K] | undefined }): Context =>
  Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined))
