const BASE = 'https://page.invalid'
const LONGEST = 2000

/**
 * A path of this very page, with its query, out of a text that anybody may have written; undefined for everything else, such
 * as `//elsewhere.example`, `/\elsewhere.example` and `javascript:…`. What it gives may stand in a `Location`.
 */
export function localPath(text: string | undefined): string | undefined {
  if (text === undefined || text.length > LONGEST || !text.startsWith('/')) return undefined
  // Browsers take a backslash for a slash and drop tabs and line ends before they look for the host.
  if (/^\/[/\\]|[\\\p{Cc}]/u.test(text) || !URL.canParse(text, BASE)) return undefined
  const { origin, pathname, search } = new URL(text, BASE)
  // Dots may leave a path that begins with two slashes.
  return origin === BASE && !pathname.startsWith('//') ? pathname + search : undefined
}
