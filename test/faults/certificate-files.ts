import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { CA_FILES } from '../../src/cli/dev-certificates.ts'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { type FaultServerName, FaultServers, type RunningFaultServer } from './fault-servers.ts'

const run = promisify(execFile)
/** How often the servers look at the files, and for how long they are watched to go on with what they have. */
const RELOAD_SECONDS = 1
const WATCH_MILLIS = 3_000

/** Key and certificate of both servers are replaced, broken, and taken away while they run. */
export const certificateFiles: Fault = {
  name: 'certificates',
  what: 'key and certificate files of both servers are replaced, broken, mismatched and missing while they run',
  async attempt({ dir, size, report }) {
    const rounds = size === 'long' ? 10 : 1
    await using servers = await FaultServers.make(dir, { zts: true })
    const options = { settings: { 'athenz.ssl_key_store_reload_seconds': RELOAD_SECONDS } }
    const running = { zms: await servers.start('zms', options), zts: await servers.start('zts', options) }
    await running.zts.becomes(200)
    const writes = new AcknowledgedWrites(2)
    await writes.prepare(running.zms)
    writes.start(() => running.zms)
    for (const name of ['zms', 'zts'] as const) {
      const server = running[name]
      const files = filesOf(servers, name)
      for (let round = 0; round < rounds; round++) {
        const first = await serialOf(servers, server)
        await replace(servers, files, name)
        await until(async () => (await serialOf(servers, server)) !== first, {
          timeoutMillis: 30_000,
          what: 'that the new certificate is shown',
        })
        const second = await serialOf(servers, server)
        const kept = await backup(files)
        for (const [what, harm] of Object.entries(HARMS)) {
          await harm(files)
          await goesOn(servers, server, second, what)
          if (what === 'a certificate that is missing') assert.match(server.log, /cannot be read|ENOENT|not be used/)
        }
        await kept.restore()
        await replace(servers, files, name)
        await until(async () => (await serialOf(servers, server)) !== second, {
          timeoutMillis: 30_000,
          what: 'that a good certificate is taken over again',
        })
      }
      assert.ok(((await server.metric('process_start_time_seconds')) ?? 0) > 0)
      report(`${name}: new certificates are shown within seconds; with ${Object.keys(HARMS).join(', ')} it goes on`)
    }
    await writes.more(5)
    await writes.stop()
    await writes.assertKept(running.zms)

    const files = filesOf(servers, 'zms')
    running.zms.kill('SIGTERM')
    await running.zms.ended
    const kept = await backup(files)
    await writeFile(files.certificate, 'broken')
    const refused = await servers.start('zms', { ...options, immediately: true })
    assert.deepEqual((await refused.ended)[0], 1)
    assert.ok(refused.log.includes(files.certificate), refused.log)
    await kept.restore()
    const again = await servers.start('zms', options)
    await again.becomes(200)
    await writes.assertKept(again)
    report(`zms: does not start with a broken certificate and names the file; ${writes.story}`)
  },
}

interface Files {
  readonly certificate: string
  readonly key: string
}

function filesOf(servers: FaultServers, name: FaultServerName): Files {
  const folder = servers.layout(name).certificatesFolder
  return { certificate: join(folder, `${name}_cert.pem`), key: join(folder, `${name}_key.pem`) }
}

/** What is done to the files; after each the server has nothing that it could take over. */
const HARMS: Readonly<Record<string, (files: Files) => Promise<void>>> = {
  'a certificate that is broken': ({ certificate }) => writeFile(certificate, 'broken'),
  'a certificate that ends in the middle': async ({ certificate, key }) => {
    await writeFile(certificate, (await readFile(key, 'utf8')).slice(0, 80))
  },
  'a key that does not fit': async ({ key }) => {
    const { stdout } = await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'])
    await writeFile(key, stdout)
  },
  'a certificate that is missing': ({ certificate }) => rm(certificate),
  'a key that is missing': ({ key }) => rm(key),
}

async function backup({ certificate, key }: Files) {
  await cp(certificate, `${certificate}.kept`)
  await cp(key, `${key}.kept`)
  return {
    async restore() {
      await rename(`${certificate}.kept`, certificate)
      await rename(`${key}.kept`, key)
    },
  }
}

/** Puts a new key and certificate in place, the key first, each at once. */
async function replace({ dir }: FaultServers, { certificate, key }: Files, name: string): Promise<void> {
  const [newKey, newCertificate] = [`${key}.new`, `${certificate}.new`]
  const subject = `/CN=sys.auth.${name} -days 2`
  const options =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj ${subject} -addext extendedKeyUsage=serverAuth,clientAuth` +
    ' -addext subjectAltName=DNS:localhost,IP:127.0.0.1'
  const authority = ['-CA', join(dir, CA_FILES.certificate), '-CAkey', join(dir, CA_FILES.key)]
  await run('openssl', [...options.split(' '), ...authority, '-keyout', newKey, '-out', newCertificate])
  await rename(newKey, key)
  await rename(newCertificate, certificate)
}

async function goesOn(servers: FaultServers, server: RunningFaultServer, serial: string, what: string): Promise<void> {
  const end = performance.now() + WATCH_MILLIS
  while (performance.now() < end) {
    assert.equal(await serialOf(servers, server), serial, what)
    assert.equal((await server.readiness()).status, 200, what)
  }
}

/** Serial number of the certificate that a server shows. */
async function serialOf({ ca }: FaultServers, { port }: RunningFaultServer): Promise<string> {
  const socket = tls.connect({ host: '127.0.0.1', port, ca, servername: 'localhost' })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate().serialNumber
  } finally {
    socket.destroy()
  }
}
