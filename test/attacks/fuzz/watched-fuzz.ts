import { on } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { INPUT_MAX_BYTES } from './spoiled-input.ts'

/** What a thread is told to do. */
export interface FuzzOrder {
  /** Module that exports `FUZZ_TARGETS`, and which of these are meant, one after the other. */
  readonly module: string
  readonly names: readonly string[]
  /** Inputs for each. */
  readonly count: number
  /** The same seed makes the same changes. */
  readonly seed: number
  /** Looks for the smallest input that fails in the same way; so unless told otherwise. */
  readonly shrinks?: boolean
  /** Has the counters of the thread and the input that is being read. */
  readonly shared: SharedArrayBuffer
}

/** What became of a target. */
export interface FuzzReport {
  readonly name: string
  /** How many inputs were read. */
  readonly tried: number
  readonly seconds: number
  /** The smallest input found that fails, in base64, and why. */
  readonly failure?: { readonly reason: string; readonly input: string }
}

/** How long to wait for it. */
export interface FuzzWatch {
  /** A target that has not come back from an input in this time will not. */
  readonly lostAfterMillis?: number
}

/** Where a thread notes how many inputs it has begun to read, which target reads, and the length of the present one. */
export const PLACES = { tried: 0, target: 1, length: 2 } as const
/** Where that input is. */
export const INPUT_PLACE = 12

/** Module with the targets of this project. */
export const TARGETS_MODULE = join(import.meta.dirname, 'fuzz-targets.ts')

const LOST_AFTER_MILLIS = 20_000
const LOOK_MILLIS = 250

/**
 * Has targets read their inputs, in a thread of its own, and gives a report for each. An input that a target does not
 * come back from is a failure like others, and the last one.
 */
export async function* fuzz(
  order: Omit<FuzzOrder, 'shared'>,
  { lostAfterMillis = LOST_AFTER_MILLIS }: FuzzWatch = {},
): AsyncGenerator<FuzzReport> {
  const shared = new SharedArrayBuffer(INPUT_PLACE + INPUT_MAX_BYTES)
  const worker = new Worker(join(import.meta.dirname, 'fuzz-worker.ts'), { workerData: { ...order, shared } })
  const lost = (report: FuzzReport): void => void worker.emit('message', report)
  const watch = setInterval(lookAfter(order, shared, lostAfterMillis, lost), LOOK_MILLIS)
  try {
    let left = order.names.length
    for await (const [report] of on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[FuzzReport]>) {
      yield report
      left--
      if (left === 0 || report.failure?.reason.startsWith(LOST)) return
    }
    throw new Error(`the thread ended before ${left} of its targets`)
  } finally {
    clearInterval(watch)
    await worker.terminate()
  }
}

const LOST = 'it does not come back'

function lookAfter(
  { names }: Pick<FuzzOrder, 'names'>,
  shared: SharedArrayBuffer,
  lostAfterMillis: number,
  lost: (report: FuzzReport) => void,
): () => void {
  const places = new Int32Array(shared, 0, INPUT_PLACE / Int32Array.BYTES_PER_ELEMENT)
  let seen = 0
  let since = performance.now()
  return () => {
    const tried = Atomics.load(places, PLACES.tried)
    if (tried !== seen || tried === 0) {
      seen = tried
      since = performance.now()
    } else if (performance.now() - since > lostAfterMillis) {
      const input = Buffer.from(shared, INPUT_PLACE, Atomics.load(places, PLACES.length)).toString('base64')
      const seconds = lostAfterMillis / 1000
      const name = names[Atomics.load(places, PLACES.target)] ?? ''
      lost({ name, tried, seconds, failure: { reason: `${LOST} within ${seconds} s`, input } })
    }
  }
}
