import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { isIP } from 'node:net'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'

/** A page as it came. */
export interface Shown {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
  /** Text of the first heading. */
  readonly heading: string
}

/** What a browser sends besides. `null` leaves out what it sends otherwise. */
export type SentHeaders = Readonly<Record<string, string | null>>

/** Fields of a form; in a list a name may come several times. */
export type SentFields = Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[]

let visitors = 0

/** A browser without scripts: it keeps cookies and sends forms as browsers do. */
export class Visitor {
  readonly origin: string
  /** Cookies by name, as `Set-Cookie` wrote them. */
  readonly cookies = new Map<string, string>()
  readonly #ca: string
  /** Each visitor comes from an address of its own, as behind a proxy on this machine. */
  readonly address: string

  constructor({ ui, ca }: Pick<DevSummary, 'ui' | 'ca'>, address = `192.0.2.${++visitors}`) {
    assert.ok(ui !== null, 'athenz dev runs without the web page')
    this.origin = ui
    this.#ca = readFileSync(ca, 'utf8')
    this.address = address
  }

  /** One that has signed in by the link of the announcement, which is good for one. */
  static async signedIn(summary: DevSummary): Promise<Visitor> {
    const visitor = new Visitor(summary)
    await visitor.follow(summary.uiSignIn ?? '')
    return visitor
  }

  /** Opens a link, and takes the session that it gives. */
  async follow(url: string): Promise<Shown> {
    const { pathname, search } = new URL(url)
    const shown = await this.get(pathname + search)
    assert.equal(shown.status, 303, shown.text)
    return shown
  }

  get(path: string, headers: SentHeaders = {}): Promise<Shown> {
    return this.#ask('GET', path, undefined, { 'sec-fetch-site': 'none', ...headers })
  }

  /** Sends fields as a form of this page. */
  post(path: string, fields: SentFields, headers: SentHeaders = {}): Promise<Shown> {
    const sent = { origin: this.origin, 'sec-fetch-site': 'same-origin', 'content-type': FORM, ...headers }
    return this.#ask('POST', path, new URLSearchParams(pairsOf(fields)).toString(), sent)
  }

  /** Opens a page and sends its form with this action, all hidden fields included. */
  async submit(path: string, action: string, fields: Readonly<Record<string, string>> = {}): Promise<Shown> {
    const page = await this.get(path)
    assert.equal(page.status, 200, `${path}: ${page.heading}`)
    const form = formsOf(page.text).find(({ values }) => values.get('action') === action)
    assert.ok(form, `${path} has no form for ${action}`)
    return this.post(form.to, { ...Object.fromEntries(form.values), ...fields })
  }

  /** Goes where an answer leads to. */
  async goOn({ status, headers, text }: Shown): Promise<Shown> {
    assert.equal(status, 303, text)
    return this.get(String(headers['location']))
  }

  #ask(method: string, path: string, body: string | undefined, headers: SentHeaders): Promise<Shown> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const all = { 'x-forwarded-for': this.address, ...(cookie !== '' && { cookie }), ...headers }
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as Record<string, string>
    const { port, hostname, host } = new URL(this.origin)
    const name = isIP(hostname) === 0 && { servername: hostname }
    return new Promise((resolve, reject) => {
      const options = { method, port, path, host: '127.0.0.1', ...name, ca: this.#ca, agent: false }
      const asked = request({ ...options, headers: { host, ...sent } }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.once('end', () => {
          this.#keep(response.headers['set-cookie'] ?? [])
          const text = Buffer.concat(parts).toString()
          const heading = /<h1>(.*?)<\/h1>/.exec(text)?.[1] ?? ''
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, heading })
        })
      })
      asked.once('error', reject).end(body)
    })
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/; Max-Age=0(;|$)/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }
}

const pairsOf = (fields: SentFields): [string, string][] =>
  (Array.isArray(fields) ? (fields as readonly (readonly [string, string])[]) : Object.entries(fields)).map(
    ([name, value]) => [name, value],
  )

const FORM = 'application/x-www-form-urlencoded'

/** A form of a page with the values it would send as it stands. */
export interface FormOnPage {
  readonly to: string
  readonly values: ReadonlyMap<string, string>
}

/** The forms of a page that change something. */
export const formsOf = (text: string): FormOnPage[] =>
  [...text.matchAll(/<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(([, to = '', inside = '']) => ({
    to: unescaped(to),
    values: new Map(fieldsIn(inside)),
  }))

function fieldsIn(text: string): [string, string][] {
  const inputs = [...text.matchAll(/<input ([^>]*)>/g)].flatMap(([, attributes = '']): [string, string][] => {
    const of = (name: string) => new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1]
    const name = of('name')
    if (name === undefined) return []
    if (of('type') === 'checkbox') return /\schecked/.test(attributes) ? [[name, 'on']] : []
    return [[name, unescaped(of('value') ?? '')]]
  })
  const areas = [...text.matchAll(/<textarea [^>]*name="([^"]*)"[^>]*>\n?(.*?)<\/textarea>/gs)]
  return [...inputs, ...areas.map(([, name = '', value = '']): [string, string] => [name, unescaped(value)])]
}

/** The text that an HTML text stands for. */
export const unescaped = (text: string): string =>
  text.replaceAll(/&(?:amp|lt|gt|quot|#39|#96);/g, (entity) => ENTITIES.get(entity) ?? entity)

const ENTITIES = new Map([
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&#39;', "'"],
  ['&#96;', '`'],
])
