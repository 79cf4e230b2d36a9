// A server that is started as the real ones are and does nothing but answer its status; `fake.mode` makes it misbehave.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readProperties } from '#core/config/properties.ts'

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: '' },
    tied: { type: 'boolean' },
    properties: { type: 'string', multiple: true, default: [] },
    define: { type: 'string', short: 'D', multiple: true, default: [] },
  },
})
const { entries } = await readProperties({
  files: values.properties,
  overrides: values.define.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  env: process.env,
  rootDir: values.root,
})
const property = (key: string) => entries.get(key)?.value ?? ''
const mode = property('fake.mode')

if (mode === 'fail') {
  console.error('zms: the fake server was told to fail')
  process.exit(1)
}

const file = (key: string) => readFileSync(resolve(values.root, property(key)))
const server = createServer(
  {
    cert: file('athenz.ts.tls_cert_file'),
    key: file('athenz.ts.tls_key_file'),
    ca: file('athenz.ts.tls_ca_file'),
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => {
    if (request.url === '/zms/v1/exit') {
      console.error('the fake server was asked to exit')
      process.exit(3)
    }
    if (request.url === '/zms/v1/slow') {
      setTimeout(() => response.end('done'), 300)
      return
    }
    if (request.url === '/zms/v1/properties') {
      response.end(JSON.stringify(Object.fromEntries(Array.from(entries, ([key, { value }]) => [key, value]))))
      return
    }
    if (request.url === '/zms/v1/user') {
      response.end(process.env['USER'])
      return
    }
    response.statusCode = mode === 'unhealthy' ? 503 : mode === 'private' ? 401 : 200
    response.end()
  },
)
const stop = () => server.close(() => process.exit(0))
process.on('SIGTERM', mode === 'stubborn' ? () => {} : stop)
server.once('error', (error: NodeJS.ErrnoException) => {
  console.error(`cannot listen on port ${property('athenz.tls_port')}: ${error.code}`)
  process.exit(1)
})
if (mode === 'silent') {
  // Something to stay for.
  setInterval(() => {}, 60_000)
} else {
  server.listen(Number(property('athenz.tls_port')), () => {
    const { port } = server.address() as AddressInfo
    console.log(`listening on ${port}`)
    process.send?.({ type: 'ready', zms: `https://localhost:${port}/zms/v1`, port })
  })
}
