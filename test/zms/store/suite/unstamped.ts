import { plain } from '../../../support/plain.ts'

/**
 * A domain as plain data for comparison, without times of change and without the ids of assertions, whose order counts
 * as little as that of other things.
 */
export function unstamped(domain: unknown): unknown {
  return strip(plain(domain))
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .filter(([key]) => key !== 'modified' && key !== 'created')
    .map(([key, item]) => [key, key === 'assertions' ? withoutIds(item as object) : strip(item)])
  return Object.fromEntries(entries) as unknown
}

const withoutIds = (assertions: object) =>
  Object.values(assertions)
    .map((assertion: object) => ({ ...assertion, id: undefined }))
    .map((assertion) => JSON.stringify(assertion))
    .sort()
