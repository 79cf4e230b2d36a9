import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { type FaultServerName, FaultServers, type RunningFaultServer } from './fault-servers.ts'
import { type CertificateFiles, certificateFilesOf, putNewCertificate } from './new-certificate.ts'

const run = promisify(execFile)
/** How often the servers look at the files. */
const RELOAD_SECONDS = 1
/** For one more look, of which nothing may come. */
const WATCH_MILLIS = 1_200
const NOTICE_MILLIS = 30_000
const SERVERS = ['zms', 'zts'] as const
const COMPLAINT = 'cannot be read again; the old ones stay in use'

/** Key and certificate of both servers are replaced, broken, and taken away while they run. */
export const certificateFiles: Fault = {
  name: 'certificates',
  what: 'key and certificate files of both servers are replaced, broken, cut off, mismatched and missing while they run',
  async attempt({ dir, size, report }) {
    const rounds = size === 'long' ? 10 : 1
    await using servers = await FaultServers.make(dir, { zts: true })
    const options = { settings: { 'athenz.ssl_key_store_reload_seconds': RELOAD_SECONDS } }
    const running = { zms: await servers.start('zms', options), zts: await servers.start('zts', options) }
    await running.zts.becomes(200)
    const writes = new AcknowledgedWrites(2)
    await writes.prepare(running.zms)
    writes.start(() => running.zms)
    const harm = async (name: FaultServerName) => {
      const [server, files] = [running[name], certificateFilesOf(servers, name)]
      for (let round = 0; round < rounds; round++) {
        const serial = await takesOver(servers, server, name)
        for (const each of HARMS) await goesOn(servers, server, { files, serial, harm: each })
        await takesOver(servers, server, name)
      }
      const harms = HARMS.map(({ what }) => what).join(', ')
      report(
        `${name}: new certificates are shown within seconds; with ${harms}, each alone, it goes on, logs it once for each use, says so in /readyz and by athenz_check_ok, and takes it back when the file is good again`,
      )
    }
    await Promise.all(SERVERS.map(harm))
    await writes.more(5)
    await writes.stop()
    await writes.assertKept(running.zms)

    const refusals = await Promise.all(
      SERVERS.map(async (name, index) => {
        running[name].kill('SIGTERM')
        await running[name].ended
        const bad = size === 'long' ? HARMS : HARMS.slice(index, index + 1)
        for (const each of bad) await doesNotStart(servers, name, each)
        return `${name} with ${bad.map(({ what }) => what).join(', ')}`
      }),
    )
    const again = await servers.start('zms', options)
    await again.becomes(200)
    await writes.assertKept(again)
    report(`does not start, and says why: ${refusals.join('; ')}; ${writes.story}`)
  },
}

/** What is done to the files, and why the server has nothing then that it could take over. */
interface Harm {
  readonly what: string
  readonly happen: (files: CertificateFiles) => Promise<void>
  readonly reason: RegExp
}

const HARMS: readonly Harm[] = [
  {
    what: 'a certificate that ends in the middle',
    happen: async ({ certificate }) => {
      const text = await readFile(certificate, 'utf8')
      await writeFile(certificate, text.slice(0, text.length / 2))
    },
    reason: /_cert\.pem: it ends in the middle of a section/,
  },
  {
    what: 'a key that does not fit',
    happen: async ({ key }) => {
      const { stdout } = await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'])
      await writeFile(key, stdout)
    },
    reason: /_key\.pem with \S+_cert\.pem: no certificate belongs to the private key/,
  },
  {
    what: 'a chain that ends in the middle',
    happen: async ({ certificate }) => {
      const text = await readFile(certificate, 'utf8')
      await writeFile(certificate, text + text.slice(0, text.length / 2))
    },
    reason: /_cert\.pem: it ends in the middle of a section/,
  },
  {
    what: 'a certificate that is broken',
    happen: ({ certificate }) => writeFile(certificate, 'broken'),
    reason: /_cert\.pem: it is neither PEM nor PKCS#12 nor JKS/,
  },
  {
    what: 'a certificate that is missing',
    happen: ({ certificate }) => rm(certificate),
    reason: /ENOENT.*_cert\.pem/,
  },
  { what: 'a key that is missing', happen: ({ key }) => rm(key), reason: /ENOENT.*_key\.pem/ },
]

/** Puts new files in place; gives the serial number of the certificate as soon as the server shows it. */
async function takesOver(servers: FaultServers, server: RunningFaultServer, name: FaultServerName) {
  const former = await serialOf(servers, server)
  await putNewCertificate(servers, name)
  await until(async () => (await serialOf(servers, server)) !== former, {
    timeoutMillis: NOTICE_MILLIS,
    what: 'that the new certificate is shown',
  })
  return serialOf(servers, server)
}

/** Harms the files, and puts them back when the server has told and gone on. */
async function goesOn(
  servers: FaultServers,
  server: RunningFaultServer,
  { files, serial, harm: { what, happen, reason } }: { files: CertificateFiles; serial: string; harm: Harm },
): Promise<void> {
  const kept = await backup(files)
  const logged = server.log.length
  await happen(files)
  await until(async () => reason.test((await remarkOf(server)) ?? ''), {
    timeoutMillis: NOTICE_MILLIS,
    what: `a remark about ${what}`,
  })
  assert.equal(await server.metric('athenz_check_ok', CHECK), 0.5, what)
  const end = performance.now() + WATCH_MILLIS
  do {
    assert.equal(await serialOf(servers, server), serial, what)
    assert.equal((await server.readiness()).status, 200, what)
  } while (performance.now() < end)
  const complaints = server.log
    .slice(logged)
    .split('\n')
    .filter((line) => line.includes(COMPLAINT) && reason.test(line))
  // Once, and once more by what shows the same files to others (ZTS to providers and signers).
  assert.ok([1, 2].includes(complaints.length), `${what}: ${complaints.length} lines of the log`)
  await kept.restore()
  await until(async () => (await remarkOf(server)) === undefined, {
    timeoutMillis: NOTICE_MILLIS,
    what: `that the remark about ${what} is taken back`,
  })
  assert.equal(await server.metric('athenz_check_ok', CHECK), 1, what)
  assert.equal(await serialOf(servers, server), serial, what)
}

const CHECK = '{check="certificates"}'

async function remarkOf(server: RunningFaultServer): Promise<string | undefined> {
  const { status, body } = await server.readiness()
  assert.equal(status, 200)
  return (body as { remarks?: Record<string, string> }).remarks?.['certificates']
}

async function doesNotStart(servers: FaultServers, name: FaultServerName, { what, happen, reason }: Harm) {
  const files = certificateFilesOf(servers, name)
  const kept = await backup(files)
  await happen(files)
  const refused = await servers.start(name, { immediately: true })
  assert.equal((await refused.ended)[0], 1, what)
  // A file that is not there is told of by the property that names it.
  assert.match(refused.log, what.includes('missing') ? /_(cert|key)\.pem cannot be read: ENOENT/ : reason, what)
  await kept.restore()
}

async function backup({ certificate, key }: CertificateFiles) {
  await cp(certificate, `${certificate}.kept`)
  await cp(key, `${key}.kept`)
  return {
    async restore() {
      await rename(`${key}.kept`, key)
      await rename(`${certificate}.kept`, certificate)
    },
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
