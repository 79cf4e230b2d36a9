import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { json } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { type ClientCertificate, clientCertificate } from '../support/client-certificate.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { formsOf, Visitor } from './visitor.ts'

const dir = temporaryFolder()
let servers: DevServers
let jane: ClientCertificate

before(async () => {
  servers = await startDevServers({
    dir,
    zts: false,
    ui: true,
    settings: { 'athenz.ui.sign_in_attempts_per_minute': '4' },
  })
  jane = await clientCertificate(servers.summary, 'user.jane')
})
after(() => servers[Symbol.asyncDispose]())

const stranger = () => new Visitor(servers.summary)

/** What ZMS answers a browser with a certificate that runs a script of a page. */
async function askZms(url: string, { certificate, key }: ClientCertificate, origin: string) {
  const ca = readFileSync(servers.summary.ca)
  const sent = request(url, { ca, cert: certificate, key, headers: { origin }, agent: false }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const body = (await json(response)) as { token?: string; message?: string }
  return { status: response.statusCode, headers: response.headers, ...body }
}

const tokenUrl = async (visitor: Visitor): Promise<string> =>
  (JSON.parse((await visitor.get('/sign-in/certificate')).text) as { url: string }).url

describe('signing in with the certificate of the browser', () => {
  test('is offered by a form whose script may ask ZMS, and nobody else', async () => {
    const { text, headers } = await stranger().get('/sign-in?next=%2Fdue')
    const form = formsOf(text).find(({ to }) => to === '/sign-in/certificate')
    assert.equal(form?.values.get('next'), '/due')
    const { origin } = new URL(servers.summary.zms ?? '')
    assert.match(String(headers['content-security-policy']), new RegExp(`; connect-src 'self' ${origin};`))
    const script = /<script src="([^"]+certificate-sign-in\.js)" defer>/.exec(text)?.[1]
    assert.equal((await stranger().get(script ?? '')).status, 200)
  })

  test('gives the session of the person whom ZMS knows by the certificate', async () => {
    const visitor = stranger()
    const { status, headers, token } = await askZms(await tokenUrl(visitor), jane, visitor.origin)
    assert.deepEqual([status, headers['access-control-allow-origin']], [200, visitor.origin])
    const sent = await visitor.post('/sign-in/certificate', { token: token ?? '', next: '/due' })
    assert.deepEqual([sent.status, sent.headers['location']], [303, '/due'])
    const home = await visitor.get('/')
    assert.match(home.text, /<span>user\.jane<\/span>/)
    const csrf = formsOf(home.text)[0]?.values.get('csrf') ?? ''
    const made = await visitor.post('/new-domain', { action: 'create', name: 'user.jane', csrf })
    assert.deepEqual([made.status, made.headers['location']], [303, '/domain/user.jane'])
  })

  test('keeps the form whose session had ended', async () => {
    const visitor = stranger()
    const lost = await visitor.post('/new-domain', { action: 'create', name: 'user.jane.kept', csrf: '' })
    assert.equal(lost.status, 401)
    const form = formsOf(lost.text).find(({ to }) => to === '/sign-in/certificate')
    assert.ok(form)
    const { token = '' } = await askZms(await tokenUrl(visitor), jane, visitor.origin)
    const shown = await visitor.post(form.to, { ...Object.fromEntries(form.values), token })
    assert.equal(shown.status, 200)
    assert.match(shown.text, /value="user\.jane\.kept"/)
  })

  test('is possible for people alone, and from no other page', async () => {
    const visitor = stranger()
    const url = await tokenUrl(visitor)
    const service = await clientCertificate(servers.summary, 'sports.api')
    const refused = await askZms(url, service, visitor.origin)
    assert.deepEqual(
      [refused.status, refused.message, refused.headers['access-control-allow-origin']],
      [401, 'getPageUserToken: Invalid request - missing certificate of a user', visitor.origin],
    )
    const elsewhere = await askZms(url, jane, 'https://evil.example')
    assert.deepEqual(
      [elsewhere.status, elsewhere.message, elsewhere.headers['access-control-allow-origin']],
      [403, 'getPageUserToken: the request does not come from the page of sys.auth.ui-server', undefined],
    )
  })

  test('takes no token that ZMS has not issued for this page', async () => {
    const { token = '' } = await askZms(await tokenUrl(stranger()), jane, stranger().origin)
    const post = (sent: string) => stranger().post('/sign-in/certificate', { token: sent })
    for (const [sent, status, reason] of [
      ['', 400, /This is no token of ZMS for this page/],
      [token.replace(';b=sys.auth.ui-server', ';b=sys.auth.other'), 400, /This is no token of ZMS for this page/],
      [token.replace(';n=jane', ';n=admin'), 401, /ZMS does not accept this token/],
      [token, 303, /^$/],
    ] as const) {
      const shown = await post(sent)
      assert.equal(shown.status, status)
      assert.match(shown.text, reason)
      assert.equal(shown.headers['set-cookie'] !== undefined, status === 303)
    }
  })

  test('is not taken from other sites, and slowed down for an address that guesses', async () => {
    const { token = '' } = await askZms(await tokenUrl(stranger()), jane, stranger().origin)
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    const foreign = await stranger().post('/sign-in/certificate', { token }, headers)
    assert.deepEqual([foreign.status, foreign.heading], [403, 'This form was not sent from this page'])
    const guesser = stranger()
    for (let count = 0; count < 4; count++) {
      assert.equal((await guesser.post('/sign-in/certificate', { token: '' })).status, 400)
    }
    const late = await guesser.post('/sign-in/certificate', { token })
    assert.equal(late.status, 429)
    assert.ok(Number(late.headers['retry-after']) > 0)
  })

  test('is not offered at another address than that of the page, where a statement would be for others', async () => {
    const { ui, ca } = servers.summary
    const visitor = new Visitor({ ui: ui?.replace('localhost', '127.0.0.1') ?? null, ca })
    const shown = await visitor.get('/sign-in')
    assert.equal(shown.status, 200)
    assert.doesNotMatch(shown.text, /certificate/)
    assert.match(String(shown.headers['content-security-policy']), /; connect-src 'self';/)
    assert.equal((await visitor.get('/sign-in/certificate')).status, 404)
  })
})
