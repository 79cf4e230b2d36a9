// A service behind mutual TLS that lets callers in by their role tokens: service.ts FOLDER PORT
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { athenz, type GuardedRequest } from '#zpe/express.ts'
import { Zpe } from '#zpe/zpe.ts'

const [folder = '.', port = '0'] = process.argv.slice(2)
const at = (file: string) => join(folder, file)

// Policies are files that zpu brings; keys are those in athenz.conf.
const zpe = await Zpe.open({
  policyFolder: at('policies'),
  athenzConf: at('athenz.conf'),
  log: (level, message) => console.error(`${level} ${message}`),
})

// Who may read what: the path of the request is the resource.
const guard = athenz({
  zpe,
  action: ({ method }) => (method === 'GET' ? 'read' : 'write'),
  resource: ({ url = '/' }) => `weather:${url.slice(1)}`,
})

const server = createServer(
  {
    key: readFileSync(at('api.key')),
    cert: readFileSync(at('api.pem')),
    ca: readFileSync(at('ca.pem')),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request: GuardedRequest, response) =>
    guard(request, response, (error) => {
      if (error !== undefined) response.writeHead(500).end()
      else response.end(JSON.stringify({ rain: false, role: request.athenz?.matchedRole }))
    }),
)
server.listen(Number(port), '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`))
process.once('SIGTERM', () => {
  server.closeAllConnections()
  server.close(() => void zpe.close())
})
