/** The greatest part of a list for people that ZMS gives at once. */
const GREATEST_PART = 500

/** Which part is asked for. */
export interface PartQuery {
  readonly limit: number
  readonly skip?: string
}

/** A part of a list; `next` is the `skip` of the next one. */
interface Part<T> {
  readonly list: readonly T[]
  readonly next?: string | undefined
}

/** The first entries of a list that ZMS gives a part at a time; all of them unless `most` is given. */
export async function listParts<T>(
  ask: (query: PartQuery) => Promise<Part<T>>,
  most = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const found: T[] = []
  let skip: string | undefined
  do {
    const limit = Math.min(GREATEST_PART, most - found.length)
    const { list, next } = await ask({ limit, ...(skip !== undefined && { skip }) })
    found.push(...list)
    skip = next
  } while (skip !== undefined && found.length < most)
  return found
}
