import type { DevServers } from '../../support/dev-servers.ts'
import type { Cryptography } from '../bare-server.ts'
import type { BenchZms } from '../bench-zms.ts'
import type { Load } from '../load-tool.ts'
import type { Axis, Size } from './sizes.ts'

/** Servers with data of some size. */
export interface World {
  readonly zms: BenchZms
  readonly servers: DevServers
  /** Base of the REST interface of the server that is asked. */
  readonly base: string
}

/** What is sent, without who sends it and for how long. */
export type ScenarioLoad = Pick<Load, 'urls' | 'expected'> &
  Partial<Pick<Load, 'method' | 'body' | 'bodies' | 'bodyType' | 'clients' | 'tag'>>

/** A kind of requests that is measured. */
export interface Scenario {
  /** Name of the benchmark, and after a slash of a part of it. */
  readonly name: string
  readonly server: 'zms' | 'zts'
  /** What the cost may depend on. */
  readonly axes: readonly Axis[]
  /** Whether the store of the data makes a difference: otherwise it is measured with one. */
  readonly stores: 'each' | 'one'
  /** What no answer goes without, to compare with what OpenSSL alone does of it. */
  readonly cryptography?: readonly Cryptography[]
  /** What to send, for at most so many requests when that is known. */
  load(world: World, size: Size, requests?: number): ScenarioLoad | Promise<ScenarioLoad>
}
