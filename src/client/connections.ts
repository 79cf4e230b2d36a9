import { readFile, stat } from 'node:fs/promises'
import type { Dispatcher } from 'undici'
import { pemBlocks } from '#core/crypto/pem.ts'
import { messageOf } from '#core/error/message-of.ts'
import { openDispatcher } from '#core/http/json-client.ts'
import type { Clock } from '#core/seam/clock.ts'
import { invalidRequest } from './client-error.ts'
import type { Identity, TlsIdentity } from './identity.ts'

/** How connections are made. */
export interface ConnectionOptions {
  /** Authorities that vouch for the server, as PEM; those of the system unless given. */
  readonly ca?: string | readonly string[]
  /** The same in a file, which is read again when it changes. */
  readonly caFile?: string
  /** True: the server may be anybody, and so may read everything. For tools whose user said so. */
  readonly trustAnyServer?: boolean
  /** Proxy on the way to the server: `http://`, `https://` or `socks5://`. */
  readonly proxyUrl?: string
  /** Connections at a time; 20 unless given. */
  readonly connections?: number
  /** 30 seconds unless given. */
  readonly connectTimeoutMillis?: number
}

const CONNECTIONS = 20
const CONNECT_TIMEOUT_MILLIS = 30_000
/** Least time between two looks at the file of authorities. */
const LOOK_MILLIS = 60_000

/**
 * The connections of one client: made anew when the certificate of the identity, or the file of authorities, has changed,
 * while requests on the former ones end in peace.
 */
export class Connections {
  readonly #options: ConnectionOptions
  readonly #identity: Identity | undefined
  readonly #clock: Clock
  #current:
    | { readonly dispatcher: Promise<Dispatcher>; readonly tls: TlsIdentity | undefined; readonly ca: Trust }
    | undefined
  #trust: { readonly ca: Trust; readonly state: string; readonly lookedAt: number } | undefined
  #closed = false

  constructor(options: ConnectionOptions, identity: Identity | undefined, clock: Clock) {
    this.#options = options
    this.#identity = identity
    this.#clock = clock
  }

  /** The connections to use now. Throws AthenzClientError `invalid-request` when they cannot be made. */
  async dispatcher(): Promise<Dispatcher> {
    const ca = await this.#authorities()
    if (this.#closed) throw invalidRequest('the client is closed')
    const tls = this.#identity?.tls?.()
    const current = this.#current
    if (current !== undefined && current.tls === tls && current.ca === ca) return current.dispatcher
    const {
      connections = CONNECTIONS,
      connectTimeoutMillis = CONNECT_TIMEOUT_MILLIS,
      proxyUrl,
      trustAnyServer,
    } = this.#options
    const dispatcher = openDispatcher({
      connections,
      connectTimeoutMillis,
      proxyUrl,
      tls: { ca: tls?.ca ?? ca, cert: tls?.cert, key: tls?.key, trustAnyServer },
    })
    this.#current = { dispatcher, tls, ca }
    if (current) void closed(current.dispatcher)
    return dispatcher
  }

  /** Ends all connections; requests under way fail. */
  async close(): Promise<void> {
    this.#closed = true
    const dispatcher = this.#current?.dispatcher
    this.#current = undefined
    await (await dispatcher)?.destroy()
  }

  async #authorities(): Promise<Trust> {
    const { ca, caFile } = this.#options
    if (caFile === undefined) return ca
    const now = this.#clock()
    const known = this.#trust
    // A clock that was set back must not make the file unread for long.
    if (known !== undefined && Math.abs(now - known.lookedAt) < LOOK_MILLIS) return known.ca
    try {
      const { mtimeMs, size, ino } = await stat(caFile)
      const state = `${mtimeMs} ${size} ${ino}`
      const isSame = known !== undefined && known.state === state
      this.#trust = { ca: isSame ? known.ca : await readAuthorities(caFile), state, lookedAt: now }
    } catch (cause) {
      // What was read before stays in use while the file is replaced or damaged.
      if (known === undefined)
        throw invalidRequest(`cannot read authorities from ${caFile}: ${messageOf(cause)}`, cause)
      this.#trust = { ...known, lookedAt: now }
    }
    return this.#trust.ca
  }
}

type Trust = string | readonly string[] | undefined

async function readAuthorities(file: string): Promise<readonly string[]> {
  const certificates = pemBlocks(await readFile(file, 'latin1')).filter(({ label }) => label === 'CERTIFICATE')
  if (certificates.length === 0) throw new Error('there is no certificate in it')
  return certificates.map(({ text }) => text)
}

async function closed(former: Promise<Dispatcher>): Promise<void> {
  await former.then((dispatcher) => dispatcher.close()).catch(() => {})
}
