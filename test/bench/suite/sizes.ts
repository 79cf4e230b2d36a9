/** What data may be large in: domains of the server, members of a role, assertions of a policy. */
export const AXES = ['domains', 'members', 'assertions'] as const
export type Axis = (typeof AXES)[number]

/** Sizes of data. */
export type Size = Readonly<Record<Axis, number>>

/** The sizes that are walked along each axis. */
export type SizeLists = Readonly<Record<Axis, readonly number[]>>

/** Where nothing else is asked for. */
export const STANDARD_SIZES: SizeLists = { domains: [1000], members: [10], assertions: [10] }

/** All sizes, by which one sees how cost grows. */
export const GRID_SIZES: SizeLists = {
  domains: [1, 1000, 10_000],
  members: [10, 1000, 100_000],
  assertions: [10, 10_000],
}

/** What stays where it is while another axis is walked: of each list the standard size, or else the first. */
export function baseSize(lists: SizeLists): Size {
  const base = (axis: Axis): number => {
    const [standard] = STANDARD_SIZES[axis]
    const found = lists[axis].find((size) => size === standard) ?? lists[axis][0]
    if (found === undefined) throw new RangeError(`no sizes of ${axis}`)
    return found
  }
  return { domains: base('domains'), members: base('members'), assertions: base('assertions') }
}

/** The sizes to measure at: each of the axes walked by itself, all others at the base. In the order of the axes, each once. */
export function walk(lists: SizeLists, axes: readonly Axis[]): Size[] {
  const base = baseSize(lists)
  const all = AXES.filter((axis) => axes.includes(axis)).flatMap((axis) =>
    lists[axis].map((value) => ({ ...base, [axis]: value })),
  )
  const sizes = all.length === 0 ? [base] : all
  return [...new Map(sizes.map((size) => [sizeKey(size), size])).values()]
}

/** The same text for the same size. */
export const sizeKey = (size: Partial<Size>): string => AXES.map((axis) => size[axis] ?? '-').join(' ')

/** A size along some axes only. */
export const along = (size: Size, axes: readonly Axis[]): Partial<Size> =>
  Object.fromEntries(axes.map((axis) => [axis, size[axis]]))
