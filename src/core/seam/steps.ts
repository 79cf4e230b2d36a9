import { Pace } from './pace.ts'

/** Work in steps: it yields where it may be interrupted and returns its result. */
export type Steps<T> = Generator<void, T, void>

/** Does all steps at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** Does the steps so that others have their turn in between, however many there are. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  const pace = new Pace()
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    const pause = pace.pause()
    if (pause) await pause
  }
}
