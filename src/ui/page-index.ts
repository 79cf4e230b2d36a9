import type { Page } from './page.ts'

/** A page with the values of the placeholders in its path. */
export interface FoundPage {
  readonly page: Page
  readonly params: Readonly<Record<string, string>>
}

/** Finds pages by path. Where a path fits several, that with a fixed part before one with a placeholder counts. */
export class PageIndex {
  readonly #pages: readonly { readonly page: Page; readonly parts: readonly string[] }[]

  /** Throws Error for two pages at one path. */
  constructor(pages: readonly Page[]) {
    const rows = pages.map((page) => ({ page, parts: partsOf(page.path) }))
    this.#pages = rows.toSorted((a, b) => compare(sortKey(a.parts), sortKey(b.parts)))
    const keys = rows.map(({ parts }) => parts.map((part) => (part.startsWith(':') ? ':' : part)).join('/'))
    const twice = keys.find((key, index) => keys.indexOf(key) !== index)
    if (twice !== undefined) throw new Error(`two pages have the path /${twice}`)
  }

  /** The page at a path without query; undefined when there is none, or the path is badly encoded. */
  find(pathname: string): FoundPage | undefined {
    const given = partsOf(pathname).map(decoded)
    for (const { page, parts } of this.#pages) {
      if (parts.length !== given.length) continue
      const params = new Map<string, string>()
      const fits = parts.every((part, index) => {
        const value = given[index]
        if (value === undefined || value === '') return false
        if (part.startsWith(':')) params.set(part.slice(1), value)
        return part.startsWith(':') || part === value
      })
      if (fits) return { page, params: Object.fromEntries(params) }
    }
    return undefined
  }
}

const partsOf = (path: string): string[] => (path === '/' ? [] : path.replace(/\/$/, '').split('/').slice(1))

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

/** Placeholders come after everything else. */
const sortKey = (parts: readonly string[]): string =>
  parts.map((part) => (part.startsWith(':') ? '\u{ffff}' : part)).join('/')

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
