import { type Content, type Html, html } from './html.ts'
import type { PageRequest } from './page.ts'

/** A form that few need: folded away, and open when it is shown again because it could not be carried out. */
export function disclosure(
  request: PageRequest,
  { summary, actions }: { readonly summary: string; readonly actions: readonly string[] },
  ...content: readonly Content[]
): Html {
  const isOpen = request.formAction !== undefined && actions.includes(request.formAction)
  return html`<details${isOpen && html` open`}><summary>${summary}</summary>${content}</details>`
}
