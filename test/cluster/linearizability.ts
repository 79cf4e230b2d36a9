/** What a register holds; undefined: nothing, e.g. because it was deleted. */
export type RegisterValue = string | undefined

/** What a client did with a register. `present` asks only whether it holds anything. */
export type RegisterAction =
  | { readonly kind: 'write'; readonly value: RegisterValue }
  | { readonly kind: 'read'; readonly value: RegisterValue }
  | { readonly kind: 'present'; readonly value: boolean }

/**
 * Something that a client did. Times are of one clock that never goes back. A write without a time of return is one of
 * unknown outcome: it may take effect at any time after its call, or never. Reads that failed are left out of histories.
 */
export type RegisterOperation = RegisterAction & {
  readonly calledAt: number
  readonly returnedAt: number | undefined
}

/** Whether there is an order of all operations that a single register would have given these answers in. */
export type Verdict<Operation> =
  | { readonly kind: 'linearizable' }
  /** `blocked`: what cannot be put next where the longest attempt ended, after the register held `value`. */
  | { readonly kind: 'refused'; readonly blocked: readonly Operation[]; readonly value: RegisterValue }
  | { readonly kind: 'undecided' }

/** A point of the search: the operations that have been put in order, and what the register then holds. */
interface Place {
  /** All operations with an answer before this one are in order. */
  readonly low: number
  /** And these later ones. */
  readonly further: ReadonlySet<number>
  /** Writes of unknown outcome that took effect. */
  readonly effective: ReadonlySet<number>
  readonly value: RegisterValue
}

/** So many points are looked at before the search gives up. */
const MOST_PLACES = 2_000_000

/**
 * Searches for an order of the operations on one register in which each takes effect at one moment between its call and its
 * return. It goes back to the last choice when it is stuck and remembers where it has been, as Wing and Gong's search with
 * Lowe's memory does. Two properties of registers keep it short: a read that fits is put in order at once, and a write of
 * unknown outcome only right before a read that needs it.
 */
export function checkRegister<Operation extends RegisterOperation>(
  history: readonly Operation[],
  initial?: RegisterValue,
  mostPlaces = MOST_PLACES,
): Verdict<Operation> {
  const search = new Search(history)
  const seen = new Set<string>()
  const open: Place[] = [search.settle({ low: 0, further: new Set(), effective: new Set(), value: initial })]
  let farthest: { place: Place; count: number } | undefined
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (search.isComplete(place)) return { kind: 'linearizable' }
    const key = keyOf(place)
    if (seen.has(key)) continue
    if (seen.size >= mostPlaces) return { kind: 'undecided' }
    seen.add(key)
    const count = place.low + place.further.size
    if (farthest === undefined || count > farthest.count) farthest = { place, count }
    // The most promising one is taken up first, so it comes last.
    open.push(...search.next(place).toReversed())
  }
  const place = farthest?.place as Place
  return {
    kind: 'refused',
    blocked: search.candidates(place).map((at) => search.answered[at] as Operation),
    value: place.value,
  }
}

interface UnknownWrite {
  readonly calledAt: number
  readonly value: RegisterValue
}

class Search<Operation extends RegisterOperation> {
  /** Operations with an answer, and writes without one, by the time of the call. */
  readonly answered: readonly Operation[]
  readonly #unknown: readonly UnknownWrite[]

  constructor(history: readonly Operation[]) {
    const sorted = history.toSorted((a, b) => a.calledAt - b.calledAt)
    this.answered = sorted.filter(({ returnedAt }) => returnedAt !== undefined)
    this.#unknown = sorted.flatMap((operation: RegisterOperation) =>
      operation.kind === 'write' && operation.returnedAt === undefined ? [operation] : [],
    )
  }

  isComplete({ low }: Place): boolean {
    return low === this.answered.length
  }

  /** Operations that may come next: no other one had returned before they were called. */
  candidates({ low, further }: Place): number[] {
    const found: number[] = []
    let earliestReturn = Number.POSITIVE_INFINITY
    for (let at = low; at < this.answered.length; at++) {
      const operation = this.answered[at] as Operation
      if (operation.calledAt > earliestReturn) break
      if (further.has(at)) continue
      found.push(at)
      earliestReturn = Math.min(earliestReturn, returnOf(operation))
    }
    return found.filter((at) => (this.answered[at] as Operation).calledAt <= earliestReturn)
  }

  /** Puts all reads in order that fit what the register holds: it is never better to do that later. */
  settle(place: Place): Place {
    let settled = place
    for (;;) {
      const fitting = this.candidates(settled).filter((at) => this.#fits(at, settled.value))
      if (fitting.length === 0) return settled
      for (const at of fitting) settled = this.#with(settled, at)
    }
  }

  /** The points that can follow. */
  next(place: Place): Place[] {
    const candidates = this.candidates(place)
    const earliestReturn = Math.min(...candidates.map((at) => returnOf(this.answered[at] as Operation)))
    const found: Place[] = []
    for (const at of candidates.toSorted((a, b) => this.#returnOf(a) - this.#returnOf(b))) {
      const operation = this.answered[at] as Operation
      if (operation.kind === 'write') found.push(this.settle({ ...this.#with(place, at), value: operation.value }))
    }
    const tried = new Set<RegisterValue>()
    for (const [at, { calledAt, value }] of this.#unknown.entries()) {
      if (calledAt > earliestReturn) break
      // Of several writes of one value the first serves as well as the others.
      if (place.effective.has(at) || tried.has(value)) continue
      tried.add(value)
      if (!candidates.some((read) => this.#fits(read, value))) continue
      found.push(this.settle({ ...place, effective: new Set([...place.effective, at]), value }))
    }
    return found
  }

  /** Whether an operation is a read that a register with this value answers so. */
  #fits(at: number, value: RegisterValue): boolean {
    const operation = this.answered[at] as Operation
    if (operation.kind === 'write') return false
    return operation.kind === 'read' ? operation.value === value : operation.value === (value !== undefined)
  }

  #returnOf(at: number): number {
    return returnOf(this.answered[at] as Operation)
  }

  #with(place: Place, at: number): Place {
    const further = new Set(place.further).add(at)
    let { low } = place
    while (further.delete(low)) low++
    return { ...place, low, further }
  }
}

const returnOf = ({ returnedAt }: RegisterOperation) => returnedAt ?? Number.POSITIVE_INFINITY

function keyOf({ low, further, effective, value }: Place): string {
  const sorted = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b).join(',')
  return `${low}|${sorted(further)}|${sorted(effective)}|${value === undefined ? '' : `=${value}`}`
}
