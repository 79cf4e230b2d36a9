import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { StaticContent } from '#core/http/static-content.ts'

const asking = (headers: Readonly<Record<string, string>> = {}) => ({ header: (name: string) => headers[name] })
const LONG = Buffer.from('athenz '.repeat(1000))
const contentOf = (body: Buffer) => new StaticContent({ type: 'text/css', read: async () => body })

describe('bytes that stay the same', () => {
  test('are read once, and not before somebody asks', async () => {
    let count = 0
    const content = new StaticContent({ type: 'text/css', read: async () => Buffer.from(`${++count}`) })
    assert.equal(count, 0)
    const replies = await Promise.all([content.reply(asking()), content.reply(asking())])
    assert.deepEqual(
      replies.map(({ body }) => String(body)),
      ['1', '1'],
    )
    assert.equal(count, 1)
  })

  test('are read again after a failure', async () => {
    let count = 0
    const read = async () => {
      if (++count === 1) throw new Error('no such file')
      return Buffer.from('there')
    }
    const content = new StaticContent({ type: 'text/css', read })
    await assert.rejects(content.reply(asking()), /no such file/)
    assert.equal(String((await content.reply(asking())).body), 'there')
  })

  test('are compressed for those who take it, under a tag of its own', async () => {
    const content = contentOf(LONG)
    const plain = await content.reply(asking())
    const compressed = await content.reply(asking({ 'accept-encoding': 'br, gzip' }))
    assert.deepEqual(plain.body, LONG)
    assert.deepEqual(gunzipSync(compressed.body as Buffer), LONG)
    assert.equal(compressed.headers?.['content-encoding'], 'gzip')
    assert.equal(plain.headers?.['content-encoding'], undefined)
    assert.notEqual(plain.headers?.['etag'], compressed.headers?.['etag'])
    for (const { headers } of [plain, compressed]) assert.equal(headers?.['vary'], 'accept-encoding')
    assert.deepEqual((await content.reply(asking({ 'accept-encoding': 'gzip;q=0' }))).body, LONG)
  })

  test('that are short or random go out as they are', async () => {
    for (const body of [Buffer.from('short'), crypto.getRandomValues(Buffer.alloc(4096))]) {
      const { headers, body: sent } = await contentOf(body).reply(asking({ 'accept-encoding': 'gzip' }))
      assert.deepEqual(sent, body)
      assert.equal(headers?.['content-encoding'], undefined)
      assert.equal(headers?.['vary'], undefined)
    }
  })

  test('are not sent to those who have them', async () => {
    const content = contentOf(LONG)
    const { headers } = await content.reply(asking())
    const etag = headers?.['etag'] ?? ''
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, body, headers: sent } = await content.reply(asking({ 'if-none-match': tag }))
      assert.deepEqual([status, body, sent?.['etag'], sent?.['cache-control']], [304, undefined, etag, 'no-cache'], tag)
    }
    for (const tag of ['"other"', etag.slice(1), '', `${etag}x`]) {
      assert.equal((await content.reply(asking({ 'if-none-match': tag }))).status, 200, tag)
    }
    const compressed = await content.reply(asking({ 'accept-encoding': 'gzip', 'if-none-match': etag }))
    assert.equal(compressed.status, 200, 'the tag of the plain form')
  })
})
