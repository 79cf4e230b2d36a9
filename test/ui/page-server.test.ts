import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createSigner } from '#core/crypto/signing.ts'
import { Sessions } from '#ui/sessions.ts'
import type { DevServers } from '../support/dev-servers.ts'
import { suspend } from '../support/suspend.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startPages } from './pages-of-dev.ts'
import { formsOf, type Shown, unescaped, Visitor } from './visitor.ts'

const MOST_IN_FLIGHT = 20
const dir = temporaryFolder()
let servers: DevServers
let admin: Visitor

before(async () => {
  servers = await startPages(dir, {
    'athenz.ui.zms_timeout': '1500',
    'athenz.ui.sign_in_attempts_per_minute': '5',
    'athenz.ts.shed_requests_in_flight': String(MOST_IN_FLIGHT),
  })
  admin = await Visitor.signedIn(servers.summary)
})
after(() => servers[Symbol.asyncDispose]())

let guests = 0
const SECRET = 'hush'.repeat(9)
/** Makes a domain with a service. */
async function zmsHasService(domain: string, service: string): Promise<void> {
  await admin.submit('/new-domain', 'create', { name: domain })
  const made = await admin.submit(`/domain/${domain}/services`, 'create', { service })
  assert.equal((await admin.goOn(made)).status, 200)
}
const stranger = () => new Visitor(servers.summary)
const csrfOf = async (visitor: Visitor): Promise<string> =>
  formsOf((await visitor.get('/')).text)[0]?.values.get('csrf') ?? ''

async function signedIn(name: string): Promise<Visitor> {
  const visitor = stranger()
  const shown = await visitor.post('/sign-in', { user: name, password: name })
  assert.equal(shown.status, 303, shown.text)
  return visitor
}

const sessionOf = ({ cookies }: Visitor): string => {
  const value = cookies.get('__Host-athenz-session')
  assert.ok(value)
  return value
}

describe('every answer', () => {
  test('keeps other sites, frames, inline scripts and caches out', async () => {
    for (const shown of [await stranger().get('/sign-in'), await admin.get('/'), await admin.get('/absent')]) {
      const { headers, text } = shown
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /default-src 'none'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.doesNotMatch(policy, /unsafe|\*/)
      // The page to sign in asks ZMS for people with certificates, and no page asks anybody else.
      const others = shown.heading === 'Sign in' ? [new URL(servers.summary.zms ?? '').origin] : []
      assert.deepEqual(policy.match(/https:[^; ]+/g) ?? [], others)
      assert.equal(headers['x-frame-options'], 'DENY')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['referrer-policy'], 'same-origin')
      assert.doesNotMatch(text, /<script>|<style|\sstyle=|\son\w+=|(?:src|href)="(?:https?:)?\/\//)
    }
  })

  test('refers to files of this server alone, which may be kept for ever', async () => {
    const { text } = await stranger().get('/sign-in')
    const files = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, url = '']) => url)
    assert.equal(files.length, 4)
    for (const url of files) {
      const { status, headers } = await stranger().get(url)
      assert.deepEqual([status, headers['cache-control']], [200, 'public, max-age=31536000, immutable'], url)
    }
    assert.equal((await stranger().get('/assets/000000000000/style.css')).status, 404)
    assert.equal((await stranger().get('/assets/../ui-server.ts')).status, 404)
  })
})

describe('signing in', () => {
  test('asks ZMS with the password, and keeps the token in a cookie for this host alone', async () => {
    const visitor = stranger()
    const shown = await visitor.post('/sign-in', { user: 'user.joe', password: 'joe', next: '/due?x=1' })
    assert.deepEqual([shown.status, shown.headers['location']], [303, '/due?x=1'])
    assert.match(
      String(shown.headers['set-cookie']),
      /^__Host-athenz-session=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=\d+$/,
    )
    const home = await visitor.get('/')
    assert.equal(home.status, 200)
    assert.match(home.text, /<span>user\.joe<\/span>/)
    assert.match(String(home.headers['server-timing']), /^zms;desc="[123] calls"/)
  })

  test('is refused with a wrong password, without saying whether there is such a person', async () => {
    for (const [user, password] of [
      ['joe', 'wrong'],
      ['nobody', 'x'],
    ] as const) {
      const { status, text, headers } = await stranger().post('/sign-in', { user, password })
      assert.equal(status, 401)
      assert.match(text, /ZMS does not accept this name with this password/)
      assert.equal(headers['set-cookie'], undefined)
      assert.doesNotMatch(text, new RegExp(`value="${password}"`))
    }
    for (const user of ['', 'a:b', 'x'.repeat(300), '<b>']) {
      assert.equal((await stranger().post('/sign-in', { user, password: 'x' })).status, 400)
    }
  })

  test('leads back to paths of this page alone', async () => {
    for (const next of [
      '//evil.example/',
      'https://evil.example/',
      '/\\evil.example',
      'javascript:alert(1)',
      '/\t/evil.example',
    ]) {
      const user = `guest${guests++}`
      const sent = await stranger().post('/sign-in', { user, password: user, next })
      assert.deepEqual([sent.status, sent.headers['location']], [303, '/'], next)
      const shown = await stranger().get(`/sign-in?next=${encodeURIComponent(next)}`)
      assert.equal(formsOf(shown.text)[0]?.values.get('next'), '', next)
      const known = await admin.get(`/sign-in?next=${encodeURIComponent(next)}`)
      assert.deepEqual([known.status, known.headers['location']], [303, '/'], next)
    }
  })

  test('is asked for by every page, which comes after it', async () => {
    const shown = await stranger().get('/domain/sports?skip=x')
    assert.deepEqual([shown.status, shown.headers['location']], [303, '/sign-in?next=%2Fdomain%2Fsports%3Fskip%3Dx'])
    assert.equal((await stranger().get('//evil.example/x')).headers['location'], '/sign-in')
  })

  test('with a certificate never has the browser ask for a password', async () => {
    const { zms, ca } = servers.summary
    const asked = request(`${zms}/sys/user/token?page=x`, { ca: await readFile(ca), agent: false }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    response.resume()
    assert.deepEqual([response.statusCode, response.headers['www-authenticate']], [401, undefined])
  })

  test('is not asked for again when a link on another site leads to a page', async () => {
    const elsewhere = { 'sec-fetch-site': 'cross-site' }
    const { status, text } = await stranger().get('/domain/sports?skip=%22%3E', elsewhere)
    assert.equal(status, 200)
    assert.match(text, /<meta http-equiv="refresh" content="0;url=\/domain\/sports\?skip=%22%3E">/)
    assert.match((await stranger().get('//evil.example/x', elsewhere)).text, /content="0;url=\/">/)
    assert.equal((await admin.get('/due', elsewhere)).heading, 'What is due')
  })

  test('is not taken from other sites', async () => {
    for (const headers of [
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example', 'sec-fetch-site': null },
      { origin: null, 'sec-fetch-site': null },
    ]) {
      const {
        status,
        heading,
        headers: got,
      } = await stranger().post('/sign-in', { user: 'joe', password: 'joe' }, headers)
      assert.deepEqual([status, heading], [403, 'This form was not sent from this page'])
      assert.equal(got['set-cookie'], undefined)
    }
  })

  test('is slowed down for an address that guesses, and for a name that is guessed at', async () => {
    const guesser = stranger()
    const guess = (user: string, visitor = guesser): Promise<Shown> =>
      visitor.post('/sign-in', { user, password: 'wrong' })
    for (let count = 0; count < 5; count++) assert.equal((await guess(`guessed${count}`)).status, 401)
    const late = await guesser.post('/sign-in', { user: 'jane', password: 'jane' })
    assert.equal(late.status, 429)
    assert.match(late.text, /Too many attempts/)
    assert.ok(Number(late.headers['retry-after']) > 0)
    for (let count = 0; count < 5; count++) assert.equal((await guess('Victim', stranger())).status, 401)
    assert.equal((await guess('victim', stranger())).status, 429)
    assert.equal((await guess('another', stranger())).status, 401)
    // An address that is slowed down takes nothing from those whose names it tries.
    for (let count = 0; count < 6; count++) assert.equal((await guess('bystander')).status, 429)
    assert.equal((await guess('bystander', stranger())).status, 401)
  })

  test('is not slowed down for the address of a proxy, behind which everybody is, but for the name', async () => {
    const guess = (user: string) =>
      stranger().post('/sign-in', { user, password: 'wrong' }, { 'x-forwarded-for': null })
    for (let count = 0; count < 6; count++) assert.equal((await guess(`behind${count}`)).status, 401)
    for (let count = 0; count < 4; count++) assert.equal((await guess('behind0')).status, 401)
    assert.equal((await guess('behind0')).status, 429)
  })

  test('counts the addresses that a single IPv6 host has for itself as one', async () => {
    const guess = (host: string) =>
      stranger().post(
        '/sign-in',
        { user: `six-${host}`, password: 'wrong' },
        { 'x-forwarded-for': `2001:db8:0:1::${host}` },
      )
    for (const host of ['1', '2', '3', '4', '5']) assert.equal((await guess(host)).status, 401)
    assert.equal((await guess('6')).status, 429)
  })

  test('by the link of the announcement works once', async () => {
    const url = new URL(servers.summary.uiSignIn ?? '')
    const { status, text, headers } = await stranger().get(url.pathname + url.search)
    assert.deepEqual([status, headers['set-cookie']], [403, undefined])
    assert.match(text, /This link is not good any more/)
  })
})

describe('signing out', () => {
  test('ends the session in the browser and here', async () => {
    const visitor = await signedIn('jane')
    const copy = stranger()
    copy.cookies.set('__Host-athenz-session', sessionOf(visitor))
    assert.equal((await copy.get('/')).status, 200)
    assert.equal((await visitor.post('/sign-out', { csrf: 'wrong' })).status, 403)
    const shown = await visitor.post('/sign-out', { csrf: await csrfOf(visitor) })
    assert.deepEqual([shown.status, shown.headers['location']], [303, '/sign-in'])
    assert.equal(visitor.cookies.has('__Host-athenz-session'), false)
    assert.equal((await copy.get('/')).headers['location'], '/sign-in')
  })
})

describe('a form', () => {
  test('is not taken without its token, with that of another session, or from elsewhere; nothing is done then', async () => {
    const other = await signedIn('jane')
    const fields = { action: 'create', name: 'forged', administrators: 'user.admin' }
    const attempts: readonly [Record<string, string>, Record<string, string | null>][] = [
      [{}, {}],
      [{ csrf: await csrfOf(other) }, {}],
      [{ csrf: await csrfOf(admin) }, { origin: 'https://evil.example' }],
      [{ csrf: await csrfOf(admin) }, { 'sec-fetch-site': 'cross-site' }],
      [{ csrf: await csrfOf(admin) }, { origin: null, 'sec-fetch-site': null }],
    ]
    for (const [csrf, headers] of attempts) {
      const { status } = await admin.post('/new-domain', { ...fields, ...csrf }, headers)
      assert.equal(status, 403)
    }
    const json = await admin.post('/new-domain', fields, { 'content-type': 'text/plain' })
    assert.equal(json.status, 415)
    assert.equal((await admin.get('/domain/forged')).status, 404)
  })

  test('that is out of date is shown again with what was written', async () => {
    const shown = await admin.post('/new-domain', {
      action: 'create',
      name: 'kept.name',
      csrf: 'old',
      description: '"<b>',
    })
    assert.equal(shown.status, 403)
    assert.match(shown.text, /Look at it again, then send it once more/)
    const [, form] = formsOf(shown.text)
    assert.equal(form?.values.get('name'), 'kept.name')
    assert.equal(form.values.get('description'), '"<b>')
    assert.equal(form.values.get('csrf'), await csrfOf(admin))
  })

  test('with an action that the page does not have does nothing', async () => {
    for (const action of ['', 'nothing', '__proto__', 'constructor', 'toString']) {
      const { status } = await admin.post('/new-domain', { action, csrf: await csrfOf(admin) })
      assert.equal(status, 400, action)
    }
  })

  test('that ZMS refuses is shown again with its reason, which may be explained', async () => {
    const jim = await signedIn('jim')
    const shown = await jim.submit('/new-domain', 'create', { name: 'toplevel', description: 'mine' })
    assert.equal(shown.status, 403)
    assert.match(shown.text, /role="alert"><p>ZMS refuses: /)
    const why = /href="(\/access\?[^"]*)"/.exec(shown.text)?.[1] ?? ''
    assert.equal(unescaped(why), '/access?principal=user.jim&action=create&resource=sys.auth%3Adomain')
    assert.equal(formsOf(shown.text)[1]?.values.get('description'), 'mine')
  })
})

describe('what people write', () => {
  const EVIL = `"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;\``

  test('is shown as they wrote it, wherever it stands', async () => {
    const made = await admin.submit('/new-domain', 'create', { name: 'evil', description: EVIL, auditRef: EVIL })
    const pages = [await admin.goOn(made)]
    const saved = await admin.submit('/domain/evil/settings', 'save', {
      description: `${EVIL}2`,
      slackChannel: '#evil',
      tags: 'key=value,other',
      auditRef: EVIL,
    })
    pages.push(
      await admin.goOn(saved),
      await admin.get('/domain/evil/settings'),
      await admin.get('/domain/evil/delete'),
    )
    for (const { status, text } of pages) {
      assert.equal(status, 200, text)
      assert.doesNotMatch(text, /<script>|<img/)
    }
    assert.ok(unescaped(pages[1]?.text ?? '').includes(`${EVIL}2`))
    assert.match(pages[1]?.text ?? '', /3 settings were changed/)
    for (const path of [`/domain/${encodeURIComponent(EVIL)}`, `/domain/evil?skip=${encodeURIComponent(EVIL)}`]) {
      assert.doesNotMatch((await admin.get(path)).text, /<script>|<img/)
    }
    const refused = await admin.submit('/new-domain', 'create', { name: EVIL, administrators: EVIL })
    assert.equal(refused.status, 400)
    assert.doesNotMatch(refused.text, /<script>|<img/)
    const forged = stranger()
    forged.cookies.set('__Host-athenz-session', sessionOf(admin))
    const notice = { text: EVIL, undo: { to: 'https://evil.example/', action: 'x', fields: {} } }
    forged.cookies.set('__Host-athenz-notice', Buffer.from(JSON.stringify(notice)).toString('base64url'))
    const { text } = await forged.get('/')
    assert.doesNotMatch(text, /<script>|<img|action="https/)
  })

  test('can be taken back where the server can', async () => {
    await admin.submit('/new-domain', 'create', { name: 'undone', description: 'before' })
    const changed = await admin.goOn(
      await admin.submit('/domain/undone/settings', 'save', { description: 'after', memberExpiryDays: '30' }),
    )
    const undo = formsOf(changed.text).find(({ values }) => values.get('action') === 'save')
    assert.ok(undo, changed.text)
    const back = await admin.goOn(await admin.post(undo.to, Object.fromEntries(undo.values)))
    assert.match(back.text, /<p>before<\/p>/)
    assert.doesNotMatch(back.text, /<dd>30<\/dd>/)
  })

  test('is asked once before it is lost, with the names of what is lost', async () => {
    await admin.submit('/new-domain', 'create', { name: 'doomed' })
    const asked = await admin.get('/domain/doomed/delete')
    assert.match(asked.text, /<dt>Roles<\/dt><dd>1, with 1 memberships<\/dd>/)
    const home = await admin.goOn(await admin.submit('/domain/doomed/delete', 'delete'))
    assert.match(home.text, /The domain doomed was deleted/)
    assert.equal((await admin.get('/domain/doomed')).status, 404)
    assert.doesNotMatch((await admin.get('/')).text, /was deleted/)
  })
})

describe('a session that has ended', () => {
  const fields = { action: 'create', name: 'late', description: 'written "at length"', administrators: 'user.admin' }

  test('in the middle of a form loses nothing of it, and does nothing', async () => {
    await admin.submit('/new-domain', 'create', { name: 'late' })
    const visitor = stranger()
    const sent = {
      action: 'save',
      description: 'written "at length"',
      'was.description': '',
      csrf: 'of before',
      password: 'x',
    }
    const asked = await visitor.post('/domain/late/settings?a=b', sent)
    assert.deepEqual([asked.status, asked.heading], [401, 'Sign in'])
    const [form] = formsOf(asked.text)
    assert.ok(form)
    const wrong = await visitor.post(form.to, { ...Object.fromEntries(form.values), user: 'admin', password: 'wrong' })
    assert.equal(wrong.status, 401)
    const again = await visitor.post(form.to, {
      ...Object.fromEntries(formsOf(wrong.text)[0]?.values ?? []),
      user: 'admin',
      password: 'admin',
    })
    assert.equal(again.status, 200)
    assert.match(again.text, /Nothing has been changed yet/)
    assert.match((await visitor.get('/domain/late')).text, /<h1>late<\/h1>\s*<p><span/)
    const shown = formsOf(again.text).find(({ values }) => values.get('action') === 'save')
    assert.equal(shown?.values.get('description'), 'written "at length"')
    assert.equal((await visitor.post(shown.to, Object.fromEntries(shown.values))).status, 303)
    assert.match((await visitor.get('/domain/late')).text, /written &quot;at length&quot;/)
  })

  test('keeps nothing that is secret: it is to be written again', async () => {
    await zmsHasService('late', 'api')
    const visitor = stranger()
    const path = '/domain/late/service/api'
    const sent = { action: 'credential', csrf: 'of before', credential: SECRET, auditRef: 'kept reason' }
    const asked = await visitor.post(path, sent)
    assert.equal(asked.status, 401)
    assert.doesNotMatch(asked.text, new RegExp(SECRET))
    assert.match(asked.text, /What you had written is kept, but for the credential\./)
    const fieldsOf = ({ text }: Shown) => Object.fromEntries(formsOf(text)[0]?.values ?? [])
    const wrong = await visitor.post('/sign-in', { ...fieldsOf(asked), user: 'admin', password: 'wrong' })
    assert.equal(wrong.status, 401)
    const again = await visitor.post('/sign-in', { ...fieldsOf(wrong), user: 'admin', password: 'admin' })
    assert.equal(again.status, 200)
    assert.match(again.text, /What is secret is not kept: write the credential again\./)
    const form = formsOf(again.text).find(({ values }) => values.get('action') === 'credential')
    assert.deepEqual([form?.values.get('credential'), form?.values.get('auditRef')], ['', 'kept reason'])
  })

  test('and was never one of this page is not shown to ZMS', async () => {
    const visitor = stranger()
    const value = decodeURIComponent(sessionOf(admin)).replace(/;s=.{8}/, ';s=AAAAAAAA')
    visitor.cookies.set('__Host-athenz-session', encodeURIComponent(value))
    const shown = await visitor.get('/new-domain')
    assert.deepEqual([shown.status, shown.headers['location']], [303, '/sign-in?next=%2Fnew-domain'])
    assert.equal(shown.headers['server-timing'], undefined)
  })

  test('for ZMS ends here, too', async () => {
    const visitor = stranger()
    // A session that the page itself has no objections to.
    const key = createPrivateKey(await readFile(join(dir, 'var/ui_server/keys/ui_private.pem')))
    const service = 'sys.auth.ui-server'
    const signer = createSigner(key, '0')
    const sessions = new Sessions({ service, signer, key, longestMillis: 3_600_000, clock: Date.now })
    const token = decodeURIComponent(sessionOf(admin))
      .replace(/^[^=]{43}(?=v=)/, '')
      .replace(/;s=.{8}/, ';s=AAAAAAAA')
    const session = sessions.of(token)
    assert.ok(session)
    const value = sessions.cookie(session).split(/[=;]/)[1] ?? ''
    visitor.cookies.set('__Host-athenz-session', value)
    const shown = await visitor.get('/due')
    assert.deepEqual([shown.status, shown.headers['location']], [303, '/sign-in?next=%2Fdue'])
    assert.equal(visitor.cookies.size, 0)
    visitor.cookies.set('__Host-athenz-session', value)
    const csrf = (await visitor.get('/new-domain')).text.match(/name="csrf" value="([^"]*)"/)?.[1] ?? ''
    const asked = await visitor.post('/new-domain', { ...fields, csrf })
    assert.equal(asked.status, 401)
    assert.equal(formsOf(asked.text)[0]?.values.get('kept.description'), fields.description)
  })
})

describe('while ZMS is away', () => {
  test('pages say so, and a form can be sent again with all that was written', async () => {
    const csrf = await csrfOf(admin)
    const fields = { action: 'create', name: 'patient', description: 'a <b> & "c"', administrators: 'user.admin', csrf }
    await admin.submit('/new-domain', 'create', { name: 'slow' })
    let sent: Shown
    let saved: Shown
    {
      using _ = await suspend(servers.summary.pids.zms)
      const shown = await admin.get('/due')
      assert.deepEqual([shown.status, shown.heading], [503, 'ZMS is away'])
      assert.ok(Number(shown.headers['retry-after']) > 0)
      sent = await admin.post('/new-domain', fields)
      saved = await admin.post('/domain/slow/settings', {
        action: 'save',
        csrf,
        description: 'x "y"',
        'was.description': '',
      })
      assert.equal((await stranger().post('/sign-in', { user: 'jack', password: 'jack' })).status, 503)
    }
    // The first page needs nothing of ZMS to be shown again, the second one does.
    assert.equal(sent.status, 503)
    const form = formsOf(sent.text).find(({ values }) => values.get('action') === 'create')
    assert.equal(form?.values.get('description'), fields.description)
    assert.deepEqual([saved.status, saved.heading], [503, 'ZMS is away'])
    const again = formsOf(saved.text).find(({ values }) => values.get('action') === 'save')
    assert.equal(again?.values.get('description'), 'x "y"')
    assert.equal((await admin.post(again.to, Object.fromEntries(again.values))).status, 303)
    assert.match((await admin.get('/domain/slow')).text, /<p>x &quot;y&quot;<\/p>/)
  })

  test('no secret is shown again, or sent again without being written again', async () => {
    await zmsHasService('secretive', 'api')
    const csrf = await csrfOf(admin)
    const path = '/domain/secretive/service/api'
    let sent: Shown
    {
      using _ = await suspend(servers.summary.pids.zms)
      sent = await admin.post(path, { action: 'credential', csrf, credential: SECRET, auditRef: 'kept reason' })
    }
    assert.equal(sent.status, 503)
    assert.doesNotMatch(sent.text, new RegExp(SECRET))
    assert.match(sent.text, /What is secret is not kept: write the credential again\./)
    assert.match(sent.text, /<input id="credential" name="credential" type="password" required/)
    const form = formsOf(sent.text).find(({ values }) => values.get('action') === 'credential')
    assert.deepEqual([form?.values.get('credential'), form?.values.get('auditRef')], ['', 'kept reason'])
    // As it stands, it would be an empty one.
    const empty = await admin.post(path, Object.fromEntries(form?.values ?? []))
    assert.equal(empty.status, 400)
    assert.match(empty.text, /Write the credential\./)
  })

  test('and requests pile up, the page still says that it is there', async () => {
    using _ = await suspend(servers.summary.pids.zms)
    const pages = await Promise.all(Array.from({ length: 3 * MOST_IN_FLIGHT }, () => admin.get('/due')))
    assert.ok(pages.every(({ status }) => status === 503))
    assert.ok(pages.some(({ text }) => text.includes('too much to do')))
    // While as many wait as may, it still tells that it is there.
    const waiting = Array.from({ length: MOST_IN_FLIGHT }, () => admin.get('/due'))
    const asked = await Promise.all(Array.from({ length: MOST_IN_FLIGHT }, () => stranger().get('/status')))
    assert.ok(asked.every(({ status }) => status === 200))
    await Promise.all(waiting)
  })
})
