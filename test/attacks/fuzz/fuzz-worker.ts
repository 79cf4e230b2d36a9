// The thread in which targets read their inputs, so that whoever watches it can tell when one does not come back.
import { parentPort, workerData } from 'node:worker_threads'
import * as fc from 'fast-check'
import { type FuzzTarget, tryInput } from './fuzz-target.ts'
import { spoiledInput } from './spoiled-input.ts'
import { type FuzzOrder, type FuzzReport, INPUT_PLACE, PLACES } from './watched-fuzz.ts'

const { module, names, count, seed, shrinks = true, shared } = workerData as FuzzOrder
const { FUZZ_TARGETS } = (await import(module)) as { FUZZ_TARGETS: readonly FuzzTarget[] }
const places = new Int32Array(shared, 0, INPUT_PLACE / Int32Array.BYTES_PER_ELEMENT)
const present = Buffer.from(shared, INPUT_PLACE)

for (const [index, name] of names.entries()) {
  const target = FUZZ_TARGETS.find((each) => each.name === name)
  if (target === undefined) throw new RangeError(`there is no target ${name}`)
  Atomics.store(places, PLACES.target, index)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a thread has no origin
  parentPort?.postMessage(await report(target))
}

async function report(target: FuzzTarget): Promise<FuzzReport> {
  const started = performance.now()
  const property = fc.asyncProperty(spoiledInput(target), async (input) => {
    input.copy(present)
    Atomics.store(places, PLACES.length, input.length)
    Atomics.add(places, PLACES.tried, 1)
    await tryInput(target, input)
  })
  const { failed, numRuns, errorInstance, counterexample } = await fc.check(property, {
    numRuns: count,
    seed,
    endOnFailure: !shrinks,
  })
  const done = { name: target.name, tried: numRuns, seconds: (performance.now() - started) / 1000 }
  if (!failed) return done
  const reason = errorInstance instanceof Error ? String(errorInstance.stack) : String(errorInstance)
  return { ...done, failure: { reason, input: counterexample?.[0].toString('base64') ?? '' } }
}
