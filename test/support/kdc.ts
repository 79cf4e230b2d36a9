import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A Kerberos realm of the test's own; its database is in a temporary folder that disappears with the test process. */
export interface Kdc extends AsyncDisposable {
  readonly realm: string
  /** Settings of the Kerberos library that point at this realm. */
  readonly configFile: string
  /** Makes a principal; without a password it has a random key. */
  addPrincipal(name: string, password?: string): Promise<void>
  /** Writes new keys of these principals into a key table, and gives its path; tickets for earlier keys end to hold there. */
  keyTable(name: string, principals: readonly string[]): Promise<string>
  /** Logs a principal in and gives the environment of programs that act as it. */
  login(name: string, password: string): Promise<Readonly<Record<string, string>>>
  stop(): Promise<void>
}

const REALM = 'EXAMPLE.COM'

// Where packages put servers; often not on the path of an ordinary user.
const PATH = [process.env['PATH'] ?? '', '/usr/sbin', '/usr/local/sbin'].join(delimiter)

// The guard is the parent of the KDC. Its standard input ends when the test process dies in whatever way; then it kills
// the KDC and removes its files.
const GUARD = `
folder=$1; shift
"$@" &
server=$!
exec 2>/dev/null
read -r ending
kill -KILL "$server"
wait "$server"
rm -rf "$folder"
`

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

const clientSettings = (port: number) => `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  ${REALM} = {
    kdc = 127.0.0.1:${port}
  }
[domain_realm]
  .example.com = ${REALM}
`

const serverSettings = (folder: string, port: number) => `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${REALM} = {
    database_name = ${folder}/principal
    key_stash_file = ${folder}/stash
    supported_enctypes = aes256-cts-hmac-sha1-96:normal
  }
[logging]
  kdc = STDERR
`

async function startGuarded(folder: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  // A process group of its own: Ctrl-C in the terminal ends the tests, and the guard cleans up after them.
  const guard = spawn('sh', ['-c', GUARD, 'guard', folder, 'krb5kdc', '-n'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env,
  })
  guard.stdin.on('error', () => {})
  const log: string[] = []
  for await (const line of createInterface(guard.stderr)) {
    log.push(line)
    if (!line.includes('commencing operation')) continue
    guard.stderr.resume()
    for (const handle of [guard, guard.stdin, guard.stderr]) (handle as ChildProcess).unref()
    return guard
  }
  throw new Error(`krb5kdc did not start:\n${log.slice(-20).join('\n')}`)
}

/**
 * Starts a KDC for the calling test file, under whatever user runs the tests; several may run side by side. Needs the
 * Debian packages krb5-kdc, krb5-admin-server and krb5-user. Takes about a second.
 */
export async function startKdc(): Promise<Kdc> {
  const folder = await mkdtemp(join(tmpdir(), 'athenz-kdc-'))
  const configFile = join(folder, 'krb5.conf')
  const env = { PATH, KRB5_CONFIG: configFile, KRB5_KDC_PROFILE: join(folder, 'kdc.conf') }
  let guard: ChildProcess | undefined
  // Between the probe and the start another process may take the port.
  for (let attempt = 1; guard === undefined; attempt++) {
    const port = await freePort()
    await writeFile(configFile, clientSettings(port))
    await writeFile(env.KRB5_KDC_PROFILE, serverSettings(folder, port))
    if (attempt === 1) await run('kdb5_util', ['create', '-s', '-r', REALM, '-P', 'master'], { env })
    guard = await startGuarded(folder, env).catch((error: Error) => {
      if (attempt < 5 && /Address already in use/.test(error.message)) return undefined
      throw error
    })
  }
  const administer = (query: string) => run('kadmin.local', ['-r', REALM, '-q', query], { env })
  let loginCount = 0
  const stop = async () => {
    const ended = guard
    guard = undefined
    if (ended === undefined) return
    ended.ref()
    const exited = once(ended, 'exit')
    ended.stdin?.end('\n')
    await exited
  }
  return {
    realm: REALM,
    configFile,
    async addPrincipal(name, password) {
      await administer(`addprinc ${password === undefined ? '-randkey' : `-pw ${password}`} ${name}`)
    },
    async keyTable(name, principals) {
      const file = join(folder, name)
      await rm(file, { force: true })
      for (const principal of principals) await administer(`ktadd -k ${file} ${principal}`)
      return file
    },
    async login(name, password) {
      const user = { ...env, KRB5CCNAME: `FILE:${join(folder, `tickets-${++loginCount}`)}` }
      const kinit = run('kinit', [name], { env: user })
      kinit.child.stdin?.end(`${password}\n`)
      await kinit
      return user
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
