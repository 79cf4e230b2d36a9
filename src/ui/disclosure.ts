import { postForm } from './components.ts'
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

/** A form whose button takes something away for good. */
export interface AskedForm {
  /** Action of the page that gets it. */
  readonly action: string
  /** Text that opens the question. */
  readonly ask: string
  /** What is lost. */
  readonly question: string
  /** Text of the button below. */
  readonly submit: string
  /** What the button does, for those who do not see where it stands. */
  readonly label?: string
}

/** A form that is sent after one question: what is done cannot be taken back. It works without scripts. */
export const askedFirst = (request: PageRequest, form: AskedForm, ...content: readonly Content[]): Html => {
  const { action, ask, question, submit, label } = form
  // Who speaks to the browser says the words that are seen.
  const button = { action, submit, danger: true, ...(label !== undefined && { label: `${submit}: ${label}` }) }
  return html`<details class="ask"><summary${label && html` aria-label="${label}"`}>${ask}</summary><p>${question}</p>
${postForm(request, button, ...content)}</details>`
}
