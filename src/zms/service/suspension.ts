/** Reasons for which a membership, or a principal with all its memberships, does not count: bits of one number. */
export const suspensions = {
  /** A user lacks an attribute that the role, the group or their domain demands. */
  authorityFilter: 1,
  /** The user authority holds the principal suspended. */
  authority: 2,
  /** Somebody with the right for it has suspended the principal. */
  operator: 4,
} as const

/** The bits with one of them set or cleared. */
export const withBit = (bits: number | undefined, bit: number, set: boolean): number =>
  set ? (bits ?? 0) | bit : (bits ?? 0) & ~bit

const NAMES = [
  ['authority-filter', suspensions.authorityFilter],
  ['authority', suspensions.authority],
  ['operator', suspensions.operator],
] as const

/** Words for the bits that are set. */
export const suspensionNames = (bits: number): string[] =>
  NAMES.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name)
