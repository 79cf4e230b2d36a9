import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Networks } from '#core/authority/networks.ts'
import { type DocumentedApi, registerApiDocumentation } from '#core/http/api-documentation.ts'
import { RateLimits } from '#core/http/rate-limits.ts'
import { HttpServer, type HttpServerOptions } from '#core/http/server.ts'
import { silentLogger } from '#core/log/logger.ts'
import { ownEndpoints, ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'
import { ZTS_API_ROOT, ztsEndpoints } from '#zts/api/index.ts'
import { fakeRegistration } from './support.ts'

const ZMS: DocumentedApi = { server: 'ZMS', basePath: ZMS_API_ROOT, endpoints: zmsEndpoints }
const ZTS: DocumentedApi = { server: 'ZTS', basePath: ZTS_API_ROOT, endpoints: ztsEndpoints }
const packaged = (name: string) =>
  readFileSync(fileURLToPath(new URL(name, import.meta.resolve('swagger-ui-dist/package.json'))))

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Buffer
}

async function start(api: DocumentedApi, options: Partial<HttpServerOptions> = {}) {
  const server = new HttpServer({ ...options, log: silentLogger(), ports: [{ port: 0, host: '127.0.0.1' }] })
  const { basePath: _basePath, endpoints: _endpoints, handlers: _handlers, ...shared } = fakeRegistration({})
  registerApiDocumentation(server, api, shared)
  const [{ port }] = (await server.listen()) as [AddressInfo]
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      // The path goes out as it is written: clients that tidy it up would hide what the server does with it.
      const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        )
      })
      sent.on('error', reject)
      sent.end()
    })
  return { ask, [Symbol.asyncDispose]: () => server.close() }
}

describe('the pages of an API', () => {
  let server: Awaited<ReturnType<typeof start>>
  before(async () => {
    server = await start(ZMS)
  })
  after(() => server[Symbol.asyncDispose]())

  test('need nothing but what this server serves', async () => {
    const { status, headers, body } = await server.ask('/docs', { accept: 'text/html' })
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    const page = body.toString()
    const used = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, path]) => path ?? '')
    assert.deepEqual(used, [
      '/docs/swagger-ui.css',
      '/docs/favicon-32x32.png',
      '/docs/openapi.json',
      '/docs/swagger-ui-bundle.js',
      '/docs/start.js',
    ])
    for (const path of used) assert.equal((await server.ask(path)).status, 200, path)
    assert.doesNotMatch(page, /<script>|<style|\son\w+=|style=|https?:/)
    const script = (await server.ask('/docs/start.js')).body.toString()
    assert.match(script, /validatorUrl: null/)
    assert.match(script, /supportedSubmitMethods: \['get'\]/)
    assert.doesNotMatch(script, /https?:/)
  })

  test('may run and load only what this server serves, and are in no frame', async () => {
    for (const path of ['/docs', '/docs/']) {
      const { headers } = await server.ask(path)
      const rules = new Map(
        String(headers['content-security-policy'])
          .split('; ')
          .map((rule) => [rule.slice(0, rule.indexOf(' ')), rule.slice(rule.indexOf(' ') + 1)]),
      )
      assert.equal(rules.get('default-src'), "'none'")
      for (const kind of ['script-src', 'style-src', 'connect-src']) assert.equal(rules.get(kind), "'self'")
      assert.equal(rules.get('img-src'), "'self' data:")
      for (const kind of ['base-uri', 'form-action', 'frame-ancestors']) assert.equal(rules.get(kind), "'none'")
      assert.equal(headers['x-frame-options'], 'DENY')
    }
    for (const path of ['/docs', '/docs/openapi.json', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js']) {
      const { headers } = await server.ask(path)
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
      assert.equal(headers['cache-control'], 'no-cache')
    }
  })

  test('have the files of the package as they are', async () => {
    for (const [name, type] of [
      ['swagger-ui.css', 'text/css; charset=utf-8'],
      ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
      ['swagger-ui-bundle.js.LICENSE.txt', 'text/plain; charset=utf-8'],
      ['favicon-32x32.png', 'image/png'],
    ] as const) {
      const plain = await server.ask(`/docs/${name}`)
      assert.equal(plain.headers['content-type'], type)
      assert.deepEqual(plain.body, packaged(name))
      const compressed = await server.ask(`/docs/${name}`, { 'accept-encoding': 'gzip' })
      const isCompressed = compressed.headers['content-encoding'] === 'gzip'
      assert.deepEqual(isCompressed ? gunzipSync(compressed.body) : compressed.body, packaged(name))
      assert.equal(isCompressed, !name.endsWith('.png'))
    }
  })

  test('are asked for again with the tag of what one has', async () => {
    const first = await server.ask('/docs/openapi.json')
    const etag = String(first.headers['etag'])
    const again = await server.ask('/docs/openapi.json', { 'if-none-match': etag })
    assert.deepEqual([again.status, again.body.length, again.headers['etag']], [304, 0, etag])
    const head = await server.ask('/docs/openapi.json', {}, 'HEAD')
    assert.deepEqual([head.status, head.body.length, head.headers['etag']], [200, 0, etag])
    assert.equal(head.headers['content-length'], String(first.body.length))
  })

  const missing = [
    '/docs/index.html',
    '/docs/package.json',
    '/docs/swagger-ui-bundle.js.map',
    '/docs/../package.json',
    '/docs/..%2fpackage.json',
    '/docs/%2e%2e%2f%2e%2e%2fpackage.json',
    '/docs/..%5c..%5cpackage.json',
    '/docs/%2fetc%2fpasswd',
    '/docs//etc/passwd',
    '/docs/swagger-ui.css/../../package.json',
    '/docs/swagger-ui.css%00.png',
    '/docs/__proto__',
    '/docs/constructor',
    '/docs/swagger-ui.css/more',
    '/docsx',
  ]
  for (const path of missing) {
    test(`do not have ${path}`, async () => {
      const { status, body, headers } = await server.ask(path)
      assert.equal(status, 404)
      assert.equal(headers['content-type'], 'application/json')
      assert.deepEqual(JSON.parse(body.toString()), { code: 404, message: 'Not Found' })
    })
  }

  test('are for reading, by those who take what they are', async () => {
    for (const path of ['/docs', '/docs/openapi.json']) {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const { status, headers } = await server.ask(path, {}, method)
        assert.deepEqual([status, headers['allow']], [405, 'GET,OPTIONS'], `${method} ${path}`)
      }
    }
    const { status, body } = await server.ask('/docs', { accept: 'image/png' })
    assert.deepEqual([status, JSON.parse(body.toString())], [406, { code: 406, message: 'Not Acceptable' }])
    assert.equal((await server.ask('/docs', { accept: 'text/*;q=0.5' })).status, 200)
  })

  test('are limited in rate as everything else', async () => {
    const limits = new RateLimits({
      connectionsPerSecond: 0,
      addressRequestsPerSecond: 2,
      failuresPerMinute: 0,
      principalRequestsPerSecond: 0,
      burstSeconds: 1,
      exempt: Networks.read([], 'exempt'),
      maxKeys: 10,
      log: silentLogger(),
      now: () => 0,
    })
    await using limited = await start(ZTS, { filters: [limits.filter] })
    const statuses: number[] = []
    for (let count = 0; count < 4; count++) statuses.push((await limited.ask('/docs')).status)
    assert.deepEqual(statuses, [200, 200, 429, 429])
  })
})

describe('the OpenAPI document', () => {
  for (const [api, count] of [
    [ZMS, 132 + Object.keys(ownEndpoints).length],
    [ZTS, 38],
  ] as const) {
    test(`of ${api.server} is one of version 3.1, with all ${count} operations`, async () => {
      await using server = await start(api)
      const { headers, body } = await server.ask('/docs/openapi.json')
      assert.equal(headers['content-type'], 'application/json')
      const document = JSON.parse(body.toString()) as {
        openapi: string
        info: { title: string }
        servers: unknown
        paths: Record<string, Record<string, { operationId: string }>>
      }
      assert.deepEqual(
        [document.openapi, document.info.title, document.servers],
        ['3.1.0', `Athenz ${api.server}`, [{ url: api.basePath }]],
      )
      const operations = Object.entries(document.paths).flatMap(([path, item]) =>
        Object.entries(item).map(([method, { operationId }]) => `${operationId} ${method} ${path}`),
      )
      const declared = Object.values(api.endpoints).map(
        ({ operation, method, path }) => `${operation} ${method.toLowerCase()} ${path}`,
      )
      assert.equal(operations.length, count)
      assert.deepEqual(operations.sort(), declared.sort())
      const { valid, errors } = await new Validator().validate(document)
      assert.ok(valid, JSON.stringify(errors))
    })
  }

  test('is refused by the check when it is not one', async () => {
    const { valid } = await new Validator().validate({ openapi: '3.1.0', info: { title: 'x' }, paths: {} })
    assert.equal(valid, false)
  })
})
