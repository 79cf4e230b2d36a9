/**
 * One page of a list of names in ascending order: those after `skip` (all of them when it is none of the names), at most
 * `limit` (0 and less mean all). `next` is the last name of the page when there are more.
 */
export function namePage(
  names: Iterable<string>,
  { limit, skip }: { limit?: number | undefined; skip?: string | undefined },
): { names: string[]; next?: string } {
  const sorted = [...names].sort()
  const after = skip === undefined ? sorted : sorted.slice(sorted.indexOf(skip) + 1)
  if (limit === undefined || limit <= 0 || after.length <= limit) return { names: after }
  const page = after.slice(0, limit)
  return { names: page, next: page.at(-1) }
}
