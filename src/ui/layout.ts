import type { Assets } from './assets.ts'
import { type Content, type Html, html, path } from './html.ts'
import type { Step, Undo, View } from './page.ts'

/** What stands around the content of a page. */
export interface Frame {
  readonly assets: Assets
  /** Nobody has signed in when absent. */
  readonly person?: { readonly principal: string; readonly csrfToken: string }
  readonly notice?: Notice
  /** Why what was sent could not be done. */
  readonly problem?: Content
  readonly documentationUrl?: string
  /** The browser asks for this path at once. */
  readonly reloadAs?: string
  /** Asset with a script for this page. */
  readonly script?: string
}

/** What was done just before. */
export interface Notice {
  readonly text: string
  readonly undo?: Undo
}

/** Parts of a domain: the last step of the path, and the name. */
const SECTIONS: readonly (readonly [section: string, label: string])[] = [
  ['', 'Overview'],
  ['roles', 'Roles'],
  ['groups', 'Groups'],
  ['policies', 'Policies'],
  ['services', 'Services'],
  ['templates', 'Templates'],
  ['history', 'History'],
]

/** htmx as this page wants it: no inline styles, no evaluated code, no other sites, nothing kept in the browser. */
const HTMX_CONFIG = JSON.stringify({
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
})

/** The whole document of a page. */
export function document(view: View, frame: Frame): string {
  const { assets, person, notice, problem, documentationUrl, reloadAs, script } = frame
  const whole = html`<html lang="en"><head><meta charset="utf-8"><title>${view.title} – Athenz</title>
${reloadAs !== undefined && html`<meta http-equiv="refresh" content="0;url=${reloadAs}">`}<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta name="htmx-config" content="${HTMX_CONFIG}"><link rel="stylesheet" href="${assets.url('style.css')}">
<link rel="icon" href="${assets.url('icon.svg')}" type="image/svg+xml"><script src="${assets.url('htmx.js')}" defer></script>${
    script !== undefined && html`<script src="${assets.url(script)}" defer></script>`
  }</head>
<body hx-disinherit="*"><a class="skip" href="#content">Skip to content</a>
<header><a class="brand" href="/">Athenz</a>${person && personal(person)}</header>
${domainFrame(view)}<main id="content" tabindex="-1">
${notice && noticeBox(notice, person?.csrfToken)}${problem && html`<div class="problem" role="alert">${problem}</div>`}
<h1>${view.title}</h1>
${view.content}
${commandBox(view)}</main>
<footer>${documentationUrl && html`<a href="${documentationUrl}" rel="noreferrer">Rules of your organization</a>`}</footer></body></html>`
  return `<!doctype html>\n${whole.toString()}\n`
}

const personal = ({
  principal,
  csrfToken,
}: {
  principal: string
  csrfToken: string
}): Html => html`<nav aria-label="Main">
<a href="/">Home</a> <a href="/due">Due</a> <a href="/search">Search</a> <a href="/access">Access</a></nav>
<form method="post" action="/sign-out" class="person"><input type="hidden" name="csrf" value="${csrfToken}"><span>${principal}</span>
<button>Sign out</button></form>`

function domainFrame({ domain, section = '', trail = [], title }: View): Content {
  if (domain === undefined && trail.length === 0) return undefined
  return html`<nav class="trail" aria-label="Breadcrumb"><ol>${stepsOf(domain, section, trail, title).map(
    ({ to, label }) => html`<li><a href="${to}">${label}</a></li>`,
  )}<li aria-current="page">${title}</li></ol></nav>
${
  domain !== undefined &&
  html`<nav class="sections" aria-label="Parts of ${domain}">${SECTIONS.map(
    ([each, label]) =>
      html`<a href="${sectionPath(domain, each)}"${each === section && html` aria-current="true"`}>${label}</a> `,
  )}</nav>`
}`
}

function stepsOf(domain: string | undefined, section: string, trail: readonly Step[], title: string): Step[] {
  const steps: Step[] = [{ label: 'Home', to: '/' }]
  if (domain === undefined) return [...steps, ...trail]
  steps.push({ label: domain, to: sectionPath(domain, '') })
  const label = SECTIONS.find(([each]) => each === section)?.[1]
  // The list of a part ends the way itself.
  if (section !== '' && label !== undefined && label !== title) steps.push({ label, to: sectionPath(domain, section) })
  return [...steps, ...trail]
}

/** Where a part of a domain is. */
export const sectionPath = (domain: string, section: string): string =>
  path`/domain/${domain}` + (section === '' ? '' : `/${section}`)

const noticeBox = ({ text, undo }: Notice, csrfToken: string | undefined): Html =>
  html`<div class="notice" role="status"><p>${text}</p>${
    undo &&
    csrfToken !== undefined &&
    html`<form method="post" action="${undo.to}" class="inline"><input type="hidden" name="csrf" value="${csrfToken}">
<input type="hidden" name="action" value="${undo.action}">${Object.entries(undo.fields).map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
    )}<button>Undo</button></form>`
  }</div>`

const commandBox = ({ commands = [] }: View): Content =>
  commands.length > 0 &&
  html`<section class="commands" aria-labelledby="commands-title"><h2 id="commands-title">The same on the command line</h2>
<pre tabindex="0">${commands.map((words) => commandLine(words)).join('\n')}</pre></section>`

/** A command as it is typed into a shell; what follows the name of the program is quoted where needed. */
export const commandLine = (words: readonly string[], program = 'athenz'): string =>
  [program, ...words]
    .map((word) => (/^[\w./:@=+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
