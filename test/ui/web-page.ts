import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { Agent, request } from 'undici'
import { certificateFiles } from '#client/certificate-files.ts'
import { ZmsClient } from '#client/zms-client.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** An answer of the web page. */
export interface Shown {
  readonly status: number
  readonly location: string | undefined
  readonly text: string
  /** Calls to ZMS that it took. */
  readonly calls: number
}

/** The web page over a real ZMS, and its administrator, who has signed in there without scripts. */
export interface WebPage {
  readonly admin: Visitor
  /** Calls ZMS as the same administrator. */
  readonly zms: ZmsClient
  readonly pids: { readonly zms: number | null; readonly ui: number | null }
}

/** Starts ZMS and the web page for a test file; both are stopped at its end. */
export async function startWebPage(settings: Readonly<Record<string, string>> = {}): Promise<WebPage> {
  const servers = await startDevServers({ dir: temporaryFolder(), zts: false, ui: true, settings })
  const { summary } = servers
  const { ui, uiSignIn, zms: url, ca: caFile, adminCert, adminKey } = summary
  assert.ok(ui !== null && uiSignIn !== null && url !== null)
  const identity = await certificateFiles({ key: adminKey, certificate: adminCert })
  const zms = new ZmsClient({ url, caFile, identity })
  const agent = new Agent({ connect: { ca: readFileSync(caFile, 'utf8') } })
  after(async () => {
    identity.close?.()
    await agent.close()
    await zms.close()
    await servers[Symbol.asyncDispose]()
  })
  const admin = new Visitor(ui, agent)
  assert.equal((await admin.get(uiSignIn.slice(new URL(uiSignIn).origin.length))).status, 303)
  return { admin, zms, pids: summary.pids }
}

/** A browser without scripts. */
export class Visitor {
  readonly #url: string
  readonly #agent: Agent
  readonly #cookies = new Map<string, string>()
  #csrf = ''

  constructor(url: string, agent: Agent) {
    this.#url = url.replace(/\/$/, '')
    this.#agent = agent
  }

  /** Reads a page. */
  get(path: string): Promise<Shown> {
    return this.#send('GET', path)
  }

  /** Sends a form of the page at `path`, and gives the answer itself. */
  async send(path: string, action: string, fields: Readonly<Record<string, string>> = {}): Promise<Shown> {
    if (this.#csrf === '') await this.get('/')
    const body = new URLSearchParams({ csrf: this.#csrf, action, ...fields }).toString()
    return this.#send('POST', path, body)
  }

  /** Sends a form that must be carried out, and reads the page that it leads to. */
  async submit(path: string, action: string, fields: Readonly<Record<string, string>> = {}): Promise<Shown> {
    const done = await this.send(path, action, fields)
    assert.equal(done.status, 303, textOf(done.text))
    assert.ok(done.calls <= 3, `${done.calls} calls`)
    return this.get(done.location ?? '/')
  }

  /** Sends the form that takes back what was done just before, which the page offers. */
  async undo({ text }: Shown): Promise<Shown> {
    const form = /<div class="notice".*?<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/s.exec(text)
    assert.ok(form, 'the page offers no undo')
    const inputs = [...(form[2] ?? '').matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
    const fields = inputs.map(([, name = '', value = '']): [string, string] => [plain(name), plain(value)])
    const { action = '', ...others } = Object.fromEntries(fields)
    return this.submit(plain(form[1] ?? ''), action, others)
  }

  async #send(method: 'GET' | 'POST', path: string, body?: string): Promise<Shown> {
    const answer = await request(this.#url + path, {
      method,
      dispatcher: this.#agent,
      headers: {
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded', origin: this.#url }),
      },
      ...(body !== undefined && { body }),
    })
    for (const cookie of [answer.headers['set-cookie'] ?? []].flat()) {
      const [pair = ''] = cookie.split(';', 1)
      const name = pair.slice(0, pair.indexOf('='))
      const value = pair.slice(name.length + 1)
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    const text = await answer.body.text()
    this.#csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? this.#csrf
    const { location } = answer.headers
    const calls = Number(/desc="(\d+) calls"/.exec(String(answer.headers['server-timing'] ?? ''))?.[1] ?? 0)
    return { status: answer.statusCode, location: location === undefined ? undefined : String(location), text, calls }
  }
}

/** What somebody reads on a page: text alone, with single spaces. */
export const textOf = (page: string): string =>
  plain(page.replaceAll(/<(script|style)\b.*?<\/\1>/gs, '').replaceAll(/<[^>]*>/g, ' '))
    .replaceAll(/\s+/g, ' ')
    .trim()

/** Elements of a page that it must not have: scripts of others, handlers of events, frames and images. */
export const foreignCode = (page: string): string[] =>
  [...page.matchAll(/<\w(?:"[^"]*"|[^>"])*>/g)]
    .map(([element]) => element)
    .filter((element) => {
      const names = element.replaceAll(/"[^"]*"/g, '""')
      return /^<(?:img|iframe|object|embed)\b|\son\w+=/i.test(names) || /^<script(?!\ssrc="\/assets\/)/i.test(element)
    })

/** Text of which HTML was made. */
const plain = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&#96;', '`')
    .replaceAll('&amp;', '&')
