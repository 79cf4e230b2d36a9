// Asks the service again and again, and prints each answer that differs from the one before: caller.ts FOLDER PORT ZTS
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { certificateFiles, ZtsClient } from '#client/index.ts'

const [folder = '.', port = '', zts = ''] = process.argv.slice(2)
const at = (file: string) => join(folder, file)

const identity = await certificateFiles({ key: at('caller.key'), certificate: at('caller.pem') })
const client = new ZtsClient({ url: zts, caFile: at('ca.pem'), identity })
const tls = {
  key: readFileSync(at('caller.key')),
  cert: readFileSync(at('caller.pem')),
  ca: readFileSync(at('ca.pem')),
}

/** Status and text of one answer. */
function ask(token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ...tls, port, host: '127.0.0.1', servername: 'api.weather.zts.athenz.cloud', path: '/rain.today' }
    request({ ...options, headers: { 'Athenz-Role-Auth': token } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve(`${response.statusCode} ${text}`))
    })
      .on('error', reject)
      .end()
  })
}

let last = ''
const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())
while (!stopping.signal.aborted) {
  // The client keeps the token until it is to be renewed.
  const { token } = await client.getRoleToken('weather')
  const answer = await ask(token)
  if (answer !== last) console.log(`${new Date().toISOString()} ${answer}`)
  last = answer
  await pause(50)
}
await client.close()
identity.close()
