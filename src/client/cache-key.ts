/** Parts of the text under which a token is kept, by letter; absent ones are left out. */
export function cacheKey(parts: Readonly<Record<string, string | number | boolean | undefined>>): string {
  return Object.entries(parts)
    .flatMap(([letter, value]) =>
      value === undefined || value === '' || value === false ? [] : [`${letter}=${value}`],
    )
    .join(';')
}

/** Names of roles as one text, in one order. */
export const roleList = (roles: readonly string[]): string => [...new Set(roles)].sort().join(',')

/** One or several names as a list. */
export const listOf = (names: string | readonly string[] | undefined): readonly string[] =>
  names === undefined ? [] : [names].flat()
