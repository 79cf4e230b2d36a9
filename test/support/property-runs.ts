import type { Parameters } from 'fast-check'

/**
 * How often a property is tried: so many times, or as many times more as MODEL_SCALE says (the long form). With
 * MODEL_SEED and MODEL_PATH, which a failure prints as `seed` and `path`, it is tried again as it failed.
 */
export function propertyRuns<T>(numRuns: number): Parameters<T> {
  const { MODEL_SCALE = '1', MODEL_SEED, MODEL_PATH } = process.env
  return {
    numRuns: Math.ceil(numRuns * Number(MODEL_SCALE)),
    ...(MODEL_SEED !== undefined && { seed: Number(MODEL_SEED) }),
    ...(MODEL_PATH !== undefined && { path: MODEL_PATH, endOnFailure: true }),
  }
}
