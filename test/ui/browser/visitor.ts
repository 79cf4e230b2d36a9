import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { findChromium, type Look, startBrowser, type TestBrowser, type Window } from '../../support/browser.ts'
import type { DevServers } from '../../support/dev-servers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startPages } from '../pages-of-dev.ts'

const SEE_OTHER = 303

/** Starts ZMS and the web page, where people sign in with their name as the password. */
const startPage = (dir: string, settings: Readonly<Record<string, string>>): Promise<DevServers> =>
  startPages(dir, { 'athenz.ui.zms_timeout': '2000', 'athenz.ui.sign_in_attempts_per_minute': '100', ...settings })

/** A browser and the servers of a test file. */
export interface PageTests {
  readonly servers: DevServers
  /** Opens the page; nobody has signed in. */
  open(look?: Look): Promise<Visitor>
  /** Opens the page and signs in with the password. */
  signedIn(name: string, look?: Look): Promise<Visitor>
  /** Opens a window that may ask nobody but another server. */
  elsewhere(origin: string): Promise<Window>
}

/**
 * Declares tests in a browser, with a ZMS and a web page of their own, which may have further settings. They are skipped
 * where there is no Chromium.
 */
export function describeInBrowser(
  title: string,
  tests: (there: PageTests) => void,
  settings: Readonly<Record<string, string>> = {},
): void {
  const chromium = findChromium()
  describe(title, { skip: 'missing' in chromium && chromium.missing }, () => {
    const dir = temporaryFolder()
    const started = new AsyncDisposableStack()
    let running: { browser: TestBrowser; servers: DevServers } | undefined
    before(async () => {
      const browser = started.use(await startBrowser('path' in chromium ? chromium.path : ''))
      running = { browser, servers: started.use(await startPage(dir, settings)) }
    })
    after(() => started.disposeAsync())
    const there = () => {
      if (running === undefined) throw new Error('the page does not run yet')
      return running
    }
    tests({
      get servers() {
        return there().servers
      },
      open(look) {
        return Visitor.open(there().browser, there().servers, look)
      },
      signedIn(name, look) {
        return Visitor.signedIn(there().browser, there().servers, name, look)
      },
      elsewhere: (origin) => there().browser.open(origin),
    })
  })
}

/** Somebody in front of the web page. */
export class Visitor implements AsyncDisposable {
  readonly #window: Window
  readonly #origin: string

  private constructor(window: Window, origin: string) {
    this.#window = window
    this.#origin = origin
  }

  /** Opens the page; nobody has signed in. */
  static async open(browser: TestBrowser, { summary }: DevServers, look?: Look): Promise<Visitor> {
    const origin = summary.ui ?? ''
    return new Visitor(await browser.open(origin, look), origin)
  }

  /** Opens the page and signs in with the password. */
  static async signedIn(browser: TestBrowser, servers: DevServers, name: string, look?: Look): Promise<Visitor> {
    const visitor = await Visitor.open(browser, servers, look)
    await visitor.go('/')
    await visitor.signIn(name)
    return visitor
  }

  get page() {
    return this.#window.page
  }

  /** Title of the page, which is its first heading. */
  get heading(): Promise<string | null> {
    return this.page.locator('h1').textContent()
  }

  /** The path that the browser shows. */
  get path(): string {
    return this.page.url().slice(this.#origin.length)
  }

  /** What the page says that was done. */
  get notice(): Promise<string | null> {
    return this.page.locator('.notice p').textContent()
  }

  /** Why the page says that something could not be done. */
  get problem(): Promise<string | null> {
    return this.page.locator('.problem').textContent()
  }

  /** Goes to a path, and gives the status of the answer. */
  async go(path: string): Promise<number> {
    const response = await this.page.goto(`${this.#origin}${path}`)
    return response?.status() ?? 0
  }

  /** Fills in the form to sign in, and gives the status of the page that it leads to. */
  async signIn(name: string, password = name): Promise<number> {
    await this.write({ Name: name, Password: password })
    return this.press('Sign in')
  }

  /** Fills in fields by their labels. */
  async write(fields: Readonly<Record<string, string>>): Promise<void> {
    for (const [label, value] of Object.entries(fields)) await this.page.getByLabel(label, { exact: true }).fill(value)
  }

  /** Presses a button, waits for the next page, and gives its status. */
  press(button: string): Promise<number> {
    return this.#leave(() => this.page.getByRole('button', { name: button, exact: true }).click())
  }

  /** Follows a link, waits for the next page, and gives its status. */
  follow(link: string): Promise<number> {
    return this.#leave(() => this.page.getByRole('link', { name: link, exact: true }).first().click())
  }

  async #leave(act: () => Promise<void>): Promise<number> {
    const next = this.page.waitForEvent('load')
    const answer = this.page.waitForEvent('response', (response) => {
      return response.request().isNavigationRequest() && response.status() !== SEE_OTHER
    })
    await act()
    await next
    return (await answer).status()
  }

  /** Nothing may have happened that a page must not do, and nobody may be kept from reading the page as it is. */
  async assertSound(): Promise<void> {
    assert.deepEqual(await this.#window.accessibilityProblems(), [], this.path)
    assert.deepEqual(this.#window.incidents, [], this.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#window[Symbol.asyncDispose]()
  }
}
