/**
 * One page of a list of names: those after `skip`, at most `limit` (0 and less mean all). `next` is the last name of the
 * page when there are more. Names come in ascending order.
 */
export function namePage(
  names: Iterable<string>,
  { limit, skip }: { limit?: number | undefined; skip?: string | undefined },
): { names: string[]; next?: string } {
  const sorted = [...names].sort()
  const after = skip === undefined || skip === '' ? sorted : sorted.filter((name) => name > skip)
  if (limit === undefined || limit <= 0 || after.length <= limit) return { names: after }
  const page = after.slice(0, limit)
  return { names: page, next: page.at(-1) as string }
}
