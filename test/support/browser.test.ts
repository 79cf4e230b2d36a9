import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { comparePictures, findChromium, startBrowser, type TestBrowser } from './browser.ts'

const found = findChromium()

describe('the browser of tests', { skip: 'missing' in found && found.missing }, () => {
  let browser: TestBrowser
  let origin: string
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    response.setHeader('content-security-policy', "default-src 'none'; img-src *")
    const isBad = request.url === '/bad'
    response.end(
      isBad
        ? '<html><body><img src="http://127.0.0.2:9/x.png"><script>alert(1)</script><p style="color:#ccc;background:#fff">pale</p>'
        : '<!doctype html><html lang="en"><head><title>Good</title></head><body><main><h1>Good</h1></main></body></html>',
    )
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
    const pictures: Buffer[] = []
    for (const path of ['', '', 'bad']) {
      await window.page.goto(`${origin}/${path}`)
      pictures.push(await window.page.screenshot())
    }
    const [first, second, other] = pictures as [Buffer, Buffer, Buffer]
    assert.deepEqual(await comparePictures(dark.page, first, second), { mean: 0, changed: 0 })
    const { mean, changed } = await comparePictures(dark.page, first, other)
    assert.ok(mean > 0 && changed > 0, `${mean} ${changed}`)
  })
})
