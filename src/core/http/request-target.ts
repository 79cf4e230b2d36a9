/** The path in a request target: what comes before query and fragment. */
export function pathOf(url: string): string {
  const query = url.indexOf('?')
  const path = query === -1 ? url : url.slice(0, query)
  const fragment = path.indexOf('#')
  return fragment === -1 ? path : path.slice(0, fragment)
}

/**
 * The wanted parameters of the query in a request target; undefined when there is no query, `malformed` when a wanted
 * value has broken percent encoding. Of a repeated parameter the first counts.
 */
export function parseQuery(url: string, wanted: ReadonlySet<string>): Map<string, string> | 'malformed' | undefined {
  const start = url.indexOf('?')
  if (start === -1) return undefined
  const fragment = url.indexOf('#', start)
  const values = new Map<string, string>()
  for (const pair of url.slice(start + 1, fragment === -1 ? undefined : fragment).split('&')) {
    const equals = pair.indexOf('=')
    const name = formText(equals === -1 ? pair : pair.slice(0, equals))
    if (name === undefined || !wanted.has(name) || values.has(name)) continue
    const value = formText(equals === -1 ? '' : pair.slice(equals + 1))
    if (value === undefined) return 'malformed'
    values.set(name, value)
  }
  return values
}

/** A name or value of a query or form (`application/x-www-form-urlencoded`), decoded; undefined when it does not decode. */
export function formText(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return undefined
  }
}
