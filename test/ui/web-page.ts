import assert from 'node:assert/strict'
import { after } from 'node:test'
import { certificateFiles } from '#client/certificate-files.ts'
import { ZmsClient } from '#client/zms-client.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startPages } from './pages-of-dev.ts'
import { formsOf, type SentFields, type Shown, unescaped, Visitor } from './visitor.ts'

type FieldsSent = Readonly<Record<string, string>>

/** The web page over a real ZMS, and its administrator, who has signed in there without scripts. */
export interface WebPage {
  readonly admin: Person
  /** Somebody without any rights. */
  readonly joe: Person
  /** Calls ZMS as the administrator. */
  readonly zms: ZmsClient
  readonly pids: { readonly zms: number | null; readonly ui: number | null }
}

/** Starts ZMS and the web page for a test file; both are stopped at its end. */
export async function startWebPage(settings: FieldsSent = {}): Promise<WebPage> {
  const servers = await startPages(temporaryFolder(), settings)
  const { summary } = servers
  const { zms: url, ca: caFile, adminCert, adminKey } = summary
  assert.ok(url !== null)
  const identity = await certificateFiles({ key: adminKey, certificate: adminCert })
  const zms = new ZmsClient({ url, caFile, identity })
  after(async () => {
    identity.close?.()
    await zms.close()
    await servers[Symbol.asyncDispose]()
  })
  const joe = new Visitor(summary)
  assert.equal((await joe.post('/sign-in', { user: 'joe', password: 'joe' })).status, 303)
  return { admin: new Person(await Visitor.signedIn(summary)), joe: new Person(joe), zms, pids: summary.pids }
}

/** Somebody who has signed in, reads pages and sends their forms. */
export class Person {
  readonly #visitor: Visitor
  #csrf: string | undefined

  constructor(visitor: Visitor) {
    this.#visitor = visitor
  }

  /** Reads a page. */
  get(path: string): Promise<Shown> {
    return this.#visitor.get(path)
  }

  /** Sends a form to the page at `path`, and gives the answer itself. */
  async send(path: string, action: string, fields: FieldsSent = {}): Promise<Shown> {
    this.#csrf ??= formsOf((await this.get('/')).text)[0]?.values.get('csrf')
    return this.#visitor.post(path, { csrf: this.#csrf ?? '', action, ...fields })
  }

  /** Sends the fields of a form as it stands on a page; a name may come several times. */
  sendAll(path: string, fields: SentFields): Promise<Shown> {
    return this.#visitor.post(path, fields)
  }

  /** Sends a form that must be carried out, with at most three calls to ZMS, and reads the page that it leads to. */
  async submit(path: string, action: string, fields: FieldsSent = {}): Promise<Shown> {
    const done = await this.send(path, action, fields)
    assert.equal(done.status, 303, textOf(done.text))
    assert.ok(callsOf(done) <= 3, `${callsOf(done)} calls`)
    return this.#visitor.goOn(done)
  }

  /** Sends the form that takes back what was done just before, which the page offers. */
  async undo({ text }: Shown): Promise<Shown> {
    const start = text.indexOf('<div class="notice"')
    const form = start === -1 ? undefined : formsOf(text.slice(start, text.indexOf('</form>', start) + 7))[0]
    assert.ok(form, 'the page offers no undo')
    const { action = '', csrf: _, ...fields } = Object.fromEntries(form.values)
    return this.submit(form.to, action, fields)
  }
}

/** Calls to ZMS that a page took. */
export const callsOf = ({ headers }: Shown): number =>
  Number(/desc="(\d+) calls"/.exec(String(headers['server-timing'] ?? ''))?.[1] ?? 0)

/** What somebody reads on a page: text alone, with single spaces. */
export const textOf = (page: string): string =>
  unescaped(page.replaceAll(/<[^>]*>/g, ' '))
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

/** Ids that several elements of a page have. */
export function repeatedIds(page: string): string[] {
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id = '']) => id)
  return ids.filter((id, index) => ids.indexOf(id) !== index)
}
