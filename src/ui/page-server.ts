import { AthenzClientError } from '#client/client-error.ts'
import type { ZmsClient } from '#client/zms-client.ts'
import type { HeaderValues } from '#core/http/errors.ts'
import type { Exchange } from '#core/http/exchange.ts'
import { pathOf } from '#core/http/request-target.ts'
import type { HttpServer } from '#core/http/server.ts'
import type { Logger } from '#core/log/logger.ts'
import type { Clock } from '#core/seam/clock.ts'
import type { Assets } from './assets.ts'
import { CERTIFICATE_SCRIPT, CERTIFICATE_SIGN_IN, type CertificateSignIn } from './certificate-sign-in.ts'
import { passwordField } from './components.ts'
import { type Failure, failureOf } from './failure-view.ts'
import { Fields, SECRET_FIELDS } from './fields.ts'
import { html } from './html.ts'
import { document, type Frame } from './layout.ts'
import { localPath } from './local-path.ts'
import { END_NOTICE, noticeCookie, readNotice } from './notice-cookie.ts'
import type { Issuing, Page, PageRequest, View } from './page.ts'
import { PageIndex } from './page-index.ts'
import { contentPolicy, isSameOrigin, SECURITY_HEADERS } from './security-headers.ts'
import type { Session, Sessions } from './sessions.ts'
import { hiddenInputs, type KeptForm, keptForm, type SignIn, type SignInRefusal } from './sign-in.ts'
import { ZmsCalls } from './zms-calls.ts'

/** What serves pages is made of. */
export interface PageServerOptions {
  readonly pages: readonly Page[]
  readonly assets: Assets
  readonly sessions: Sessions
  readonly signIn: SignIn
  /** Signing in with the certificate of the browser, where it is offered. */
  readonly certificates: CertificateSignIn | undefined
  readonly client: ZmsClient
  /** Header in which ZMS takes tokens. */
  readonly tokenHeader: string
  readonly pageSize: number
  readonly issuing: Issuing
  /** Address of the page as browsers see it; by the Host header when absent. */
  readonly origin: string | undefined
  readonly documentationUrl: string | undefined
  readonly log: Logger
  readonly clock: Clock
}

interface Answer {
  readonly status: number
  readonly body?: string | Buffer
  readonly headers?: HeaderValues
  readonly calls?: ZmsCalls
}

/** One request of a browser. */
interface Visit {
  readonly exchange: Exchange
  readonly cookies: string | undefined
  readonly pathname: string
  readonly target: string
  readonly query: Fields
}

/** Answers whether the page is there, to everybody, also when there is too much to do. */
export const STATUS_PATH = '/status'
const SIGN_IN = '/sign-in'
const HTML = { 'content-type': 'text/html; charset=utf-8' }
const FORM = 'application/x-www-form-urlencoded'

/** Serves the pages: who asks, whether a form may be taken, and what is shown when something fails. */
export class PageServer {
  readonly #options: PageServerOptions
  readonly #index: PageIndex

  constructor(options: PageServerOptions) {
    this.#options = options
    this.#index = new PageIndex(options.pages)
  }

  /** Answers all requests of a server. */
  register(server: HttpServer): void {
    server.app.route({
      method: ['GET', 'HEAD', 'POST'],
      url: '/*',
      handler: (request, reply) => {
        reply.hijack()
        const exchange = server.exchange(request.raw, reply.raw)
        exchange.beginWork()
        const respond = async (): Promise<void> => {
          const { status, body, headers, calls } = await this.#answer(exchange, request.body)
          const timing = calls && serverTiming(calls, exchange)
          server.writer.send(exchange, status, body, { ...SECURITY_HEADERS, ...timing, ...headers })
        }
        respond().catch((error: unknown) => server.writer.sendError(exchange, error))
      },
    })
  }

  async #answer(exchange: Exchange, body: unknown): Promise<Answer> {
    const { url = '/' } = exchange.request
    const pathname = pathOf(url)
    const queryStart = url.indexOf('?')
    const query = Fields.parse(queryStart === -1 ? '' : url.slice(queryStart + 1))
    const visit: Visit = { exchange, cookies: exchange.header('cookie'), pathname, target: url, query }
    return exchange.method === 'POST' ? this.#post(visit, body) : this.#get(visit)
  }

  #get(visit: Visit): Answer | Promise<Answer> {
    const { exchange, pathname, query, target, cookies } = visit
    if (pathname === STATUS_PATH) return { status: 200, body: 'ok\n', headers: { 'content-type': 'text/plain' } }
    if (pathname.startsWith('/assets/')) return this.#asset(visit)
    if (pathname === `${SIGN_IN}/link`) return this.#signInByLink(visit)
    if (pathname === CERTIFICATE_SIGN_IN) return this.#tokenUrl(visit)
    const session = this.#options.sessions.read(cookies)
    if (pathname === SIGN_IN) {
      exchange.api = SIGN_IN
      const next = localPath(query.text('next'))
      return session === undefined ? this.#signInPage(exchange, { next, status: 200 }) : seeOther(next ?? '/')
    }
    const found = this.#index.find(pathname)
    // Strict cookies do not come along with a link on another site, such as one in a mail: asked for from here, they do.
    if (session === undefined && isFromElsewhere(exchange)) return this.#askFromHere(target)
    if (session === undefined) return seeOther(signInPath(target))
    if (found === undefined) return this.#notFound(session)
    exchange.api = found.page.path
    return this.#show(visit, session, found.page, this.#request(visit, session, found.params))
  }

  async #post(visit: Visit, body: unknown): Promise<Answer> {
    const { exchange, pathname, cookies } = visit
    const { sessions, signIn } = this.#options
    const source = { origin: exchange.header('origin'), secFetchSite: exchange.header('sec-fetch-site') }
    if (!isSameOrigin(source, this.#originOf(exchange))) {
      return this.#problem(403, 'This form was not sent from this page', 'Nothing has been done.')
    }
    if (exchange.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() !== FORM) {
      return this.#problem(415, 'This is no form', `Forms are sent as ${FORM}.`)
    }
    const form = Fields.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '')
    const { remoteAddress } = exchange
    if (pathname === SIGN_IN) return this.#signIn(visit, form, signIn.withPassword(form, remoteAddress))
    if (pathname === CERTIFICATE_SIGN_IN) return this.#signIn(visit, form, signIn.withCertificate(form, remoteAddress))
    const session = sessions.read(cookies)
    if (pathname === '/sign-out') return this.#signOut(visit, session, form)
    const found = this.#index.find(pathname)
    if (session === undefined) return this.#askAgain(visit, form)
    if (found === undefined) return this.#notFound(session)
    exchange.api = found.page.path
    const name = form.text('action') ?? ''
    const actions = new Map(Object.entries(found.page.actions ?? {}))
    const act = actions.get(name)
    const zms = this.#calls(visit, session)
    const request = { ...this.#request(visit, session, found.params, zms), form, formAction: name }
    if (act === undefined) return this.#problem(400, 'This page has no such action', `It is called ${name}.`, session)
    if (!sessions.isFormOf(session, form.text('csrf'))) {
      const text = 'This form was made before you signed in as you are now. Look at it again, then send it once more.'
      return this.#showAgain(visit, session, found.page, request, { status: 403, title: 'Send it again', text })
    }
    try {
      const outcome = await act(request)
      return { ...seeOther(localPath(outcome.to) ?? '/', [noticeCookie(outcome)]), calls: zms }
    } catch (error) {
      const failure = this.#failure(error, session, zms, exchange)
      if (failure.signedOut) return this.#askAgain(visit, form, [sessions.endCookie])
      return this.#showAgain(visit, session, found.page, request, failure)
    }
  }

  /** A page as it is asked for. */
  async #show(visit: Visit, session: Session, page: Page, request: PageRequest & { zms: ZmsCalls }): Promise<Answer> {
    const { cookies, exchange, target } = visit
    try {
      const view = await page.load(request)
      const notice = readNotice(cookies)
      const answer = this.#document(view, { ...this.#person(session), ...(notice && { notice }) })
      return {
        ...answer,
        headers: { ...answer.headers, ...(notice && { 'set-cookie': [END_NOTICE] }) },
        calls: request.zms,
      }
    } catch (error) {
      const failure = this.#failure(error, session, request.zms, exchange)
      if (failure.signedOut) return seeOther(signInPath(target), [this.#options.sessions.endCookie])
      const { title, status, text } = failure
      const again = status >= 500 && html`<p><a href="${target}">Try again</a></p>`
      const answer = this.#document({ title, status, content: html`<p>${text}</p>${again}` }, this.#person(session))
      return { ...answer, headers: { ...answer.headers, ...retryAfter(failure) } }
    }
  }

  /** The page of a form that could not be carried out, with what was sent; without the page, what was sent alone. */
  async #showAgain(
    visit: Visit,
    session: Session,
    page: Page,
    request: PageRequest & { zms: ZmsCalls },
    failure: Failure,
  ): Promise<Answer> {
    const { form } = request
    const lost =
      form.secrets.length > 0 && ` What is secret is not kept: write the ${form.secrets.join(' and the ')} again.`
    const frame = { ...this.#person(session), problem: html`<p>${failure.text}${lost}</p>` }
    try {
      const answer = this.#document({ ...(await page.load(request)), status: failure.status }, frame)
      return { ...answer, headers: { ...answer.headers, ...retryAfter(failure) }, calls: request.zms }
    } catch {
      const written = form.without(['csrf', 'action', ...SECRET_FIELDS])
      const secrets = form.secrets.map((name) => passwordField(name, `The ${name}, again`))
      const content = html`<h2>What you had written</h2>
<dl>${written.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<form method="post" action="${visit.target}" class="stacked"><input type="hidden" name="csrf" value="${session.csrfToken}">${hiddenInputs(form)}${secrets}
<button class="primary">Send it again</button></form>`
      const answer = this.#document({ title: failure.title, status: failure.status, content }, frame)
      return { ...answer, headers: { ...answer.headers, ...retryAfter(failure) } }
    }
  }

  /** Asks to sign in for a form whose session has ended, and keeps what was written. */
  #askAgain({ target, exchange }: Visit, fields: Fields, cookies: readonly string[] = []): Answer {
    const to = localPath(target) ?? '/'
    const problem = 'Your sign-in has ended.'
    return this.#signInPage(exchange, { next: to, status: 401, problem, kept: { to, fields }, cookies })
  }

  /** Goes on as the person whom a form signs in, or says why it does not. */
  async #signIn(visit: Visit, form: Fields, attempt: Promise<Session | SignInRefusal>): Promise<Answer> {
    const { sessions } = this.#options
    visit.exchange.api = visit.pathname
    const next = localPath(form.text('next'))
    const kept = keptForm(form)
    const signedIn = await attempt.catch((error: unknown) => {
      const { status, text, retryAfterSeconds } = this.#failure(error, undefined, undefined, visit.exchange)
      return { status, problem: text, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
    })
    if (!('principal' in signedIn)) {
      const { status, problem } = signedIn
      const userName = form.text('user')
      const answer = this.#signInPage(visit.exchange, {
        next,
        status,
        problem,
        ...(kept && { kept }),
        ...(userName && { userName }),
      })
      return { ...answer, headers: { ...answer.headers, ...retryAfter(signedIn) } }
    }
    const cookie = sessions.cookie(signedIn)
    return kept ? this.#showKept(visit, signedIn, kept, cookie) : seeOther(next ?? '/', [cookie])
  }

  /** The page of a form that was kept through the sign-in. */
  async #showKept(visit: Visit, session: Session, kept: KeptForm, cookie: string): Promise<Answer> {
    const target = localPath(kept.to) ?? '/'
    const found = this.#index.find(pathOf(target))
    if (found === undefined) return seeOther('/', [cookie])
    const query = Fields.parse(target.slice(pathOf(target).length + 1))
    const there: Visit = { ...visit, target, query, pathname: pathOf(target) }
    const request = {
      ...this.#request(there, session, found.params),
      form: kept.fields,
      formAction: kept.fields.text('action') ?? '',
    }
    const text = 'You are signed in again. Nothing has been changed yet: look at what you had written, and send it.'
    const failure = { status: 200, title: 'Send it again', text }
    const answer = await this.#showAgain(there, session, found.page, request, failure)
    return { ...answer, headers: { ...answer.headers, 'set-cookie': [cookie] } }
  }

  async #signInByLink({ exchange, query }: Visit): Promise<Answer> {
    const { signIn, sessions } = this.#options
    exchange.api = `${SIGN_IN}/link`
    exchange.secretQuery = true
    const signedIn = await signIn.withLink(query.text('code'), exchange.remoteAddress)
    if ('principal' in signedIn) {
      const { status, headers } = seeOther('/', [sessions.cookie(signedIn)])
      return { status, headers: { ...headers, 'referrer-policy': 'no-referrer' } }
    }
    const answer = this.#signInPage(exchange, { next: '/', ...signedIn })
    return { ...answer, headers: { ...answer.headers, ...retryAfter(signedIn) } }
  }

  #signOut(visit: Visit, session: Session | undefined, form: Fields): Answer {
    const { sessions } = this.#options
    visit.exchange.api = '/sign-out'
    if (session !== undefined) {
      if (!sessions.isFormOf(session, form.text('csrf'))) {
        return this.#problem(403, 'This form is out of date', 'You are still signed in.', session)
      }
      sessions.end(session)
    }
    return seeOther(SIGN_IN, [sessions.endCookie])
  }

  #signInPage(exchange: Exchange, { next, status, problem, userName, kept, cookies = [] }: SignInPage): Answer {
    const certificates = this.#certificatesAt(exchange)
    const content = this.#options.signIn.form({ next, userName, kept, certificates })
    const answer = this.#document(
      { title: 'Sign in', status, content },
      { ...(problem && { problem: html`<p>${problem}</p>` }), ...(certificates && { script: CERTIFICATE_SCRIPT }) },
    )
    return {
      ...answer,
      headers: {
        ...answer.headers,
        ...(certificates && { 'content-security-policy': contentPolicy(certificates.zmsOrigin) }),
        ...(cookies.length > 0 && { 'set-cookie': cookies }),
      },
    }
  }

  /** Tells the script of the form where the browser gets the token. */
  async #tokenUrl({ exchange }: Visit): Promise<Answer> {
    exchange.api = CERTIFICATE_SIGN_IN
    const url = await this.#certificatesAt(exchange)?.tokenUrl()
    const [status, body] = url === undefined ? [404, { message: 'not offered here' }] : [200, { url }]
    return { status, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  }

  /** At another address than its own the page could not read the token. */
  #certificatesAt(exchange: Exchange): CertificateSignIn | undefined {
    const { certificates } = this.#options
    return certificates?.origin === this.#originOf(exchange) ? certificates : undefined
  }

  /** Address of the page as the browser sees it. */
  #originOf(exchange: Exchange): string {
    return this.#options.origin ?? `https://${exchange.header('host')}`
  }

  /** Has the browser ask again for the same page. */
  #askFromHere(target: string): Answer {
    const to = localPath(target) ?? '/'
    const content = html`<p><a href="${to}">Go on</a></p>`
    return this.#document({ title: 'One moment', content }, { reloadAs: to })
  }

  #asset({ exchange, pathname }: Visit): Answer {
    const asset = this.#options.assets.at(pathname)
    if (asset === undefined) return { status: 404, body: 'not found\n', headers: { 'content-type': 'text/plain' } }
    const zipped = /(?:^|,)\s*gzip\s*(?:,|$)/i.test(exchange.header('accept-encoding') ?? '')
    return {
      status: 200,
      body: zipped ? asset.gzipped : asset.body,
      headers: {
        'content-type': asset.type,
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'accept-encoding',
        ...(zipped && { 'content-encoding': 'gzip' }),
      },
    }
  }

  #notFound(session: Session): Answer {
    return this.#problem(404, 'There is no such page', html`<a href="/">Go to the first page</a>.`, session)
  }

  #problem(status: number, title: string, text: Failure['text'], session?: Session): Answer {
    return this.#document({ title, status, content: html`<p>${text}</p>` }, session ? this.#person(session) : {})
  }

  #document(view: View, frame: Omit<Frame, 'assets'>): Answer {
    const { assets, documentationUrl } = this.#options
    const whole = { ...frame, assets, ...(documentationUrl !== undefined && { documentationUrl }) }
    return { status: view.status ?? 200, body: document(view, whole), headers: HTML }
  }

  #person({ principal, csrfToken }: Session): Omit<Frame, 'assets'> {
    return { person: { principal, csrfToken } }
  }

  #request(
    visit: Visit,
    session: Session,
    params: Readonly<Record<string, string>>,
    zms = this.#calls(visit, session),
  ) {
    const { query, target } = visit
    const { principal, csrfToken } = session
    const { pageSize, issuing, clock } = this.#options
    return { params, query, target, zms, principal, csrfToken, now: clock(), pageSize, issuing, form: Fields.none }
  }

  #calls({ exchange }: Visit, session: Session): ZmsCalls {
    const { client, sessions, tokenHeader } = this.#options
    const headers = async () => ({ [tokenHeader]: await sessions.credential(session) })
    return new ZmsCalls(client, headers, exchange.signal)
  }

  #failure(error: unknown, session: Session | undefined, zms: ZmsCalls | undefined, exchange: Exchange): Failure {
    const denied = error instanceof AthenzClientError ? zms?.denied(error) : undefined
    const failure = failureOf(error, { principal: session?.principal ?? '', denied, requestId: exchange.requestId })
    if (failure.unexpected) {
      this.#options.log.error({ err: error, requestId: exchange.requestId, page: exchange.api }, 'a page failed')
    }
    return failure
  }
}

interface SignInPage {
  readonly next: string | undefined
  readonly status: number
  readonly problem?: Failure['text']
  readonly userName?: string
  readonly kept?: KeptForm
  readonly cookies?: readonly string[]
}

/** Where somebody has to sign in first, to come back to a page afterwards. */
const signInPath = (target: string): string => {
  const next = localPath(target)
  return next === undefined || next === '/' ? SIGN_IN : `${SIGN_IN}?${new URLSearchParams({ next }).toString()}`
}

const isFromElsewhere = (exchange: Exchange): boolean => {
  const site = exchange.header('sec-fetch-site')
  return site === 'cross-site' || site === 'same-site'
}

const seeOther = (location: string, cookies: readonly string[] = []): Answer => ({
  status: 303,
  headers: { location, ...(cookies.length > 0 && { 'set-cookie': cookies }) },
})

/** How often ZMS was asked, and the time that took and all took; shown by the tools of browsers, and read by tests. */
const serverTiming = ({ count, millis }: ZmsCalls, { startMillis }: Exchange): HeaderValues => {
  const total = performance.now() - startMillis
  return { 'server-timing': `zms;desc="${count} calls";dur=${millis.toFixed(1)}, total;dur=${total.toFixed(1)}` }
}

const retryAfter = ({ retryAfterSeconds }: Pick<SignInRefusal, 'retryAfterSeconds'>): HeaderValues =>
  retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
