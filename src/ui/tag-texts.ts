import { type Content, html } from './html.ts'

/** The tags of an object, each with its values; undefined when it has none. */
export function tagTexts(tags: Readonly<Record<string, { readonly list: readonly string[] }>> | undefined): Content {
  const entries = Object.entries(tags ?? {})
  if (entries.length === 0) return undefined
  return entries.map(([key, { list }]) => html`<div><code>${key}</code>: ${list.join(', ')}</div>`)
}
