import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { comparePictures, findChromium, fontWidths, smallPicture, startBrowser, type TestBrowser } from './browser.ts'

const found = findChromium()
const CELL_PIXELS = 16
const LINE = '<p>A line with <b>words</b> and a <button>Button</button></p>'
const DOCUMENTS = new Map([
  [
    '/',
    '<!doctype html><html lang="en"><head><title>Good</title></head><body><main><h1>Good</h1></main></body></html>',
  ],
  [
    '/bad',
    '<html><body><img src="http://127.0.0.2:9/x.png"><script>alert(1)</script><p style="color:#ccc;background:#fff">pale</p>',
  ],
  ['/long', `<!doctype html><html lang="en"><body>${LINE.repeat(40)}</body></html>`],
])

describe('the browser of tests', { skip: 'missing' in found && found.missing }, () => {
  let browser: TestBrowser
  let origin: string
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    response.setHeader('content-security-policy', "default-src 'none'; img-src *")
    response.end(DOCUMENTS.get(request.url ?? '') ?? DOCUMENTS.get('/'))
  })
  before(async () => {
    browser = await startBrowser('path' in found ? found.path : '')
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(async () => {
    await browser[Symbol.asyncDispose]()
    server.close()
  })

  test('finds nothing wrong with a good page', async () => {
    await using window = await browser.open(origin)
    await window.page.goto(origin)
    assert.deepEqual(await window.accessibilityProblems(), [])
    assert.deepEqual(window.incidents, [])
  })

  test('notes what a page must not do, and what is wrong for some readers', async () => {
    await using window = await browser.open(origin)
    await window.page.goto(`${origin}/bad`)
    const problems = (await window.accessibilityProblems()).map((problem) => problem.split(':', 1)[0])
    for (const rule of ['document-title', 'html-has-lang', 'image-alt']) assert.ok(problems.includes(rule), rule)
    const incidents = window.incidents.join('\n')
    assert.match(incidents, /asked another server: http:\/\/127\.0\.0\.2:9\/x\.png/)
    assert.match(incidents, /Content Security Policy/)
  })

  test('tells pictures that differ from those that do not', async () => {
    await using window = await browser.open(origin)
    await using dark = await browser.open(origin, { theme: 'dark' })
    const picture = async (path: string) => {
      await window.page.goto(`${origin}/${path}`)
      return window.page.screenshot({ fullPage: true })
    }
    const [first, second, other] = [await picture(''), await picture(''), await picture('bad')]
    const same = { mean: 0, changed: 0, rows: [], higher: 0 }
    assert.deepEqual(await comparePictures(dark.page, [first, second]), same)
    const { mean, changed, rows } = await comparePictures(dark.page, [first, other])
    assert.ok(mean > 0 && changed > 0 && rows.length > 0, `${mean} ${changed} ${rows.join(' ')}`)
  })

  test('sees a word, a button and a row that are gone, wherever they are, also in a small picture', async () => {
    const scale = 0.5
    await using window = await browser.open(origin)
    const { page } = window
    await page.goto(`${origin}/long`)
    const whole = await smallPicture(page, scale)
    assert.ok(whole.length < 20_000, `${whole.length} bytes`)
    assert.ok(whole.equals(await smallPicture(page, scale)))
    const compared = async () => comparePictures(page, [whole, await smallPicture(page, scale)], scale)
    for (const gone of ['b', 'button', 'p']) {
      const last = page.locator(gone).last()
      await last.evaluate((element) => element.setAttribute('hidden', ''))
      const { rows, higher } = await compared()
      assert.ok(gone === 'p' ? higher < -CELL_PIXELS : rows.length > 0, `${gone}: ${rows.join(' ')}, ${higher}`)
      await last.evaluate((element) => element.removeAttribute('hidden'))
    }
  })

  test('measures fonts', async () => {
    await using window = await browser.open(origin)
    await window.page.goto(origin)
    const widths = await fontWidths(window.page)
    assert.ok(widths.length === 3 && widths.every((width) => width > 50), widths.join(' '))
  })
})
