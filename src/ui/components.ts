import { type Content, type Html, html, withQuery } from './html.ts'
import type { PageRequest } from './page.ts'

/** A form that changes something. */
export interface PostForm {
  /** Action of the page that gets it. */
  readonly action: string
  /** Text of the button. */
  readonly submit: string
  /** Page that gets it, when it is not this one. */
  readonly to?: string
  /** The button is red: something is lost. */
  readonly danger?: boolean
  /** In one line with what is around it. */
  readonly inline?: boolean
  /** What the button does, for those who do not see where it stands, e.g. "Remove user.joe". */
  readonly label?: string
}

/** A form with everything that the page needs to take it. It works without scripts. */
export function postForm(request: PageRequest, form: PostForm, ...content: readonly Content[]): Html {
  const { action, submit, to = request.target, danger, inline, label } = form
  return html`<form method="post" action="${to}" class="${inline ? 'inline' : 'stacked'}">
<input type="hidden" name="csrf" value="${request.csrfToken}"><input type="hidden" name="action" value="${action}">
${content}<button class="${danger ? 'danger' : 'primary'}"${label && html` aria-label="${label}"`}>${submit}</button></form>`
}

/** A field of a form with its label. */
export interface Field {
  readonly name: string
  /** Of the element, where several forms of the page have a field of this name; otherwise the name. */
  readonly id?: string
  readonly label: string
  /** Shown unless the form was sent and is shown again. */
  readonly value?: string | number | undefined
  readonly type?: 'text' | 'number' | 'date' | 'password' | 'search' | 'email'
  readonly hint?: Content
  readonly required?: boolean
  readonly maxLength?: number
  readonly autocomplete?: string
  readonly placeholder?: string
  readonly autofocus?: boolean
}

/** A line of text to be filled in. */
export function textField(request: PageRequest, field: Field): Html {
  const {
    name,
    id = name,
    label,
    type = 'text',
    hint,
    required,
    maxLength,
    autocomplete,
    placeholder,
    autofocus,
  } = field
  const value = sentValue(request, name) ?? field.value
  return html`<div class="field"><label for="${id}">${label}</label>
<input id="${id}" name="${name}" type="${type}" value="${value}"${required && html` required`}${
    maxLength && html` maxlength="${maxLength}"`
  }${placeholder && html` placeholder="${placeholder}"`}${autofocus && html` autofocus`} autocomplete="${
    autocomplete ?? 'off'
  }"${hint && html` aria-describedby="${id}-hint"`}>${hintOf(id, hint)}</div>`
}

/** A secret to be written, and to be written again whenever the form is shown again. */
export const passwordField = (name: string, label: string, hint?: Content): Html =>
  html`<div class="field"><label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="password" required autocomplete="off"${
    hint && html` aria-describedby="${name}-hint"`
  }>${hintOf(name, hint)}</div>`

/** Several lines of text to be filled in. */
export function textArea(
  request: PageRequest,
  { name, id = name, label, value, hint, required, rows = 4 }: Field & { readonly rows?: number },
): Html {
  return html`<div class="field"><label for="${id}">${label}</label>
<textarea id="${id}" name="${name}" rows="${rows}"${required && html` required`}${
    hint && html` aria-describedby="${id}-hint"`
  }>
${sentValue(request, name) ?? value}</textarea>${hintOf(id, hint)}</div>`
}

/** A switch. It sends `on`, and, in a form that is shown again, the lack of it counts. */
export function checkBox(
  request: PageRequest,
  { name, label, checked, hint }: { name: string; label: string; checked?: boolean | undefined; hint?: Content },
): Html {
  const isOn = request.formAction === undefined ? checked : request.form.has(name)
  return html`<div class="field check"><input id="${name}" name="${name}" type="checkbox"${
    isOn && html` checked`
  }${hint && html` aria-describedby="${name}-hint"`}><label for="${name}">${label}</label>${hintOf(name, hint)}</div>`
}

/** One of a few values. */
export function selectField(
  request: PageRequest,
  {
    name,
    id = name,
    label,
    value,
    hint,
    options,
  }: Field & { readonly options: readonly (readonly [value: string, label: string])[] },
): Html {
  const chosen = sentValue(request, name) ?? value
  return html`<div class="field"><label for="${id}">${label}</label>
<select id="${id}" name="${name}"${hint && html` aria-describedby="${id}-hint"`}>${options.map(
    ([each, text]) => html`<option value="${each}"${each === chosen && html` selected`}>${text}</option>`,
  )}</select>${hintOf(id, hint)}</div>`
}

/** Why something is changed, for the history; asked for by domains whose changes are audited. `id` as of {@link Field}. */
export const auditField = (request: PageRequest, required = false, id = 'auditRef'): Html =>
  textField(request, {
    name: 'auditRef',
    id,
    label: required ? 'Reason (needed: this domain is audited)' : 'Reason, for the history',
    required,
    maxLength: 512,
    placeholder: 'ticket or sentence',
  })

const hintOf = (name: string, hint: Content): Content => hint && html`<p class="hint" id="${name}-hint">${hint}</p>`

const sentValue = ({ formAction, form }: PageRequest, name: string): string | undefined =>
  formAction === undefined ? undefined : form.exact(name)

/** A table. It scrolls sideways on narrow screens. */
export interface Table {
  /** What it lists; read by screen readers, and shown. */
  readonly caption: string
  readonly head: readonly Content[]
  readonly rows: readonly (readonly Content[])[]
  /** Shown when there are no rows. */
  readonly empty: Content
}

/** A table of rows; the first cell of each is its heading. */
export function table({ caption, head, rows, empty }: Table): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption>
<thead><tr>${head.map((cell) => (cell ? html`<th scope="col">${cell}</th>` : html`<td></td>`))}</tr></thead>
<tbody>${rows.map(
    ([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`
}

/**
 * The link to the next part of a list that is read by keys: `next` is the `skip` of the next page. Where a page has
 * several lists, each has a field of the query and a name of its own.
 */
export function pager(
  request: PageRequest,
  next: string | undefined,
  { field = 'skip', of = 'the list' }: { readonly field?: string; readonly of?: string } = {},
): Content {
  const isFirst = request.query.text(field) === undefined
  if (isFirst && next === undefined) return undefined
  const to = (skip: string | undefined) => {
    const kept = Object.fromEntries(request.query.without([field]))
    return withQuery(request.target.split('?', 1)[0] ?? '', { ...kept, [field]: skip })
  }
  return html`<nav class="pager" aria-label="Pages of ${of}">${!isFirst && html`<a href="${to(undefined)}">First page</a>`}${
    next !== undefined && html`<a href="${to(next)}" rel="next">Next page</a>`
  }</nav>`
}

/**
 * A field that filters the list below it, in the element with the id `results`: at once where scripts run, after Enter
 * elsewhere. The page gets it in its query as `name`, with the fields of the query that are to be kept.
 */
export function filterForm(
  request: PageRequest,
  { name, label, placeholder, keep = [] }: Field & { readonly keep?: readonly string[] },
): Html {
  const to = request.target.split('?', 1)[0] ?? ''
  return html`<form method="get" action="${to}" role="search" class="filter"><label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="search" value="${request.query.text(name)}" placeholder="${placeholder}" autocomplete="off"
 hx-get="${to}" hx-trigger="input changed delay:250ms, search" hx-target="#results" hx-select="#results" hx-swap="outerHTML" hx-replace-url="true" hx-sync="this:replace" hx-include="closest form">
${keep.map((each) => {
  const value = request.query.text(each)
  return value !== undefined && html`<input type="hidden" name="${each}" value="${value}">`
})}<button>Search</button></form>`
}

/** A word with a colour that says how things stand; the word alone says it, too. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain'

/** A badge, such as the state of a membership. */
export const badge = (text: string, tone: Tone = 'plain'): Html => html`<span class="badge ${tone}">${text}</span>`

/** A name with its value, as a list. */
export const definitions = (rows: readonly (readonly [name: Content, value: Content])[]): Html =>
  html`<dl>${rows
    .filter(([, value]) => value !== undefined && value !== false && value !== '')
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`

/** A point in time as people read it, with the exact one beside it. */
export function time(value: string | number | Date | undefined): Content {
  if (value === undefined) return undefined
  const date = new Date(value)
  if (Number.isNaN(date.getTime())) return undefined
  const text = date.toISOString()
  return html`<time datetime="${text}">${text.slice(0, 16).replace('T', ' ')} UTC</time>`
}

/** A link. */
export const link = (to: string, label: Content): Html => html`<a href="${to}">${label}</a>`
