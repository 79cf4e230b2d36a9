import { messageOf } from '../error/message-of.ts'

/** A list of paths: exact ones, and regular expressions that must match a whole path. */
export interface UriList {
  readonly exact: ReadonlySet<string>
  readonly patterns: readonly RegExp[]
}

/** What comes of reading a list of paths. */
export type ParsedUriList =
  | { readonly ok: true; readonly list: UriList }
  | { readonly ok: false; readonly item: string; readonly reason: string }

/**
 * A regular expression that must match a whole text; throws SyntaxError. It is compiled alone first: `a)(b` would only
 * become valid through the group put around it.
 */
export const wholePattern = (source: string): RegExp => new RegExp(`^(?:${new RegExp(source).source})$`)

/**
 * Reads a comma list of paths. An item with a `+` is a regular expression, as in the peer; it comes from the operator's
 * file, never from a request, and one that does not compile is refused here, at the start.
 */
export const parseUriList = (text: string): ParsedUriList => {
  const exact = new Set<string>()
  const patterns: RegExp[] = []
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue
    if (!item.includes('+')) {
      exact.add(item)
      continue
    }
    try {
      patterns.push(wholePattern(item))
    } catch (error) {
      return { ok: false, item, reason: messageOf(error) }
    }
  }
  return { ok: true, list: { exact, patterns } }
}

/** Whether `path` (without query) is on the list. */
export const uriListIncludes = (list: UriList, path: string): boolean =>
  list.exact.has(path) || list.patterns.some((pattern) => pattern.test(path))
