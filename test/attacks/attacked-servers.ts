import { ok } from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { type ServerKind, serverLayout, ZMS, ZTS } from '../../src/cli/server-kind.ts'
import { type ClientCertificate, clientCertificate } from '../support/client-certificate.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { until } from '../support/until.ts'

/** One of both. */
export type ServerName = 'zms' | 'zts'

const KINDS: Readonly<Record<ServerName, ServerKind>> = { zms: ZMS, zts: ZTS }

/** A question to one of the servers. */
export interface Question {
  readonly server: ServerName
  readonly method?: string
  /** From the API root, e.g. `/zms/v1/domain`. */
  readonly path: string
  readonly body?: string | Buffer | object
  readonly headers?: Readonly<Record<string, string>>
  readonly certificate?: ClientCertificate
}

/** What it answers: the client is told the message; the reason is in the log, under the id of the request. */
export interface Answer {
  readonly requestId: string
  readonly status: number
  readonly message: string
  readonly body: unknown
}

/** A service with a key that ZMS knows. */
export interface AttackingService {
  readonly name: string
  readonly signer: Signer
}

/** Both servers as they are shipped, with their logs open, two domains, and people with and without rights. */
export class AttackedServers implements AsyncDisposable {
  readonly summary: DevSummary
  /** Administrator of the system and of the domain `victim`. */
  readonly administrator: ClientCertificate
  /** A user who has no right anywhere. */
  readonly nobody: ClientCertificate
  /** A service that administers the domain `other`, and has no right in `victim`. */
  readonly stranger: AttackingService
  /** A service of the domain `victim` that has no right there. */
  readonly insider: AttackingService
  readonly #servers: DevServers
  readonly #folder: string
  readonly #ca: Buffer

  private constructor(
    servers: DevServers,
    folder: string,
    ca: Buffer,
    people: Pick<AttackedServers, 'administrator' | 'nobody'>,
  ) {
    this.#servers = servers
    this.#folder = folder
    this.#ca = ca
    this.summary = servers.summary
    this.administrator = people.administrator
    this.nobody = people.nobody
    this.stranger = newService('other.api')
    this.insider = newService('victim.victim')
  }

  /** Starts them in an empty folder, with these properties beside those of the development servers; `ui`: and the web page. */
  static async start(
    folder: string,
    settings: Readonly<Record<string, string>> = {},
    { ui = false } = {},
  ): Promise<AttackedServers> {
    const servers = await startDevServers({
      dir: folder,
      zts: true,
      ui,
      settings: {
        // Only the paths that the start waits for are open to everybody.
        'athenz.zms.no_auth_uri_list': '/zms/v1/status',
        'athenz.zts.no_auth_uri_list': '/zts/v1/status',
        'athenz.ts.log_level': 'debug',
        ...settings,
      },
    })
    const { summary } = servers
    const [ca, certificate, key] = await Promise.all(
      [summary.ca, summary.adminCert, summary.adminKey].map((file) => readFile(file)),
    )
    const attacked = new AttackedServers(servers, folder, ca as Buffer, {
      administrator: { certificate: String(certificate), key: String(key) },
      nobody: await clientCertificate(summary, 'user.nobody'),
    })
    try {
      await attacked.#populate()
    } catch (error) {
      await attacked[Symbol.asyncDispose]()
      throw error
    }
    return attacked
  }

  /** Sends a question, on a connection of its own. Rejects when the server ends the connection without an answer. */
  async ask({ server, method = 'GET', path, body, headers = {}, certificate }: Question): Promise<Answer> {
    const requestId = randomUUID()
    const content =
      body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
    const sent = request(new URL(path, this.urlOf(server)), {
      method,
      agent: false,
      ca: this.#ca,
      ...(certificate && { cert: certificate.certificate, key: certificate.key }),
      headers: {
        'x-request-id': requestId,
        ...(content !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(content),
        }),
        ...headers,
      },
    })
    sent.on('response', (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
    })
    sent.on('error', reject)
    sent.end(content)
    const { status, text } = await promise
    const answered = jsonOrText(text)
    const message = Reflect.get(Object(answered), 'message') as unknown
    return { requestId, status, message: typeof message === 'string' ? message : '', body: answered }
  }

  /** What the program that runs them has printed so far: to its standard output, and to its standard error. */
  printed(): readonly [output: string, errors: string] {
    return [this.#servers.program.stdout(), this.#servers.program.stderr()]
  }

  urlOf(server: ServerName): string {
    return this.summary[server] ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]()
  }

  /** What the log says of a refused request beside its message. */
  async reasonOf(server: ServerName, answer: Answer): Promise<string> {
    return (await this.reasonsOf(server, [answer])).get(answer.requestId) ?? ''
  }

  /** What the log says of refused requests beside their messages, by their ids; it may come a little after the answers. */
  async reasonsOf(server: ServerName, answers: readonly Answer[]): Promise<ReadonlyMap<string, string>> {
    let reasons: ReadonlyMap<string, string> = new Map()
    const areLogged = async () => {
      reasons = await this.#reasons(server)
      return answers.every(({ requestId }) => reasons.has(requestId))
    }
    await until(areLogged, { what: `lines of the log about ${answers.map(({ requestId }) => requestId).join(', ')}` })
    return reasons
  }

  async #reasons(server: ServerName): Promise<ReadonlyMap<string, string>> {
    const lines = await this.linesAbout(server, '"request refused"')
    return new Map(
      lines.map((line) => {
        const { requestId, detail, message } = JSON.parse(line) as Record<'requestId' | 'detail' | 'message', string>
        return [requestId, detail ?? message]
      }),
    )
  }

  /** The lines of the log so far that have this text. */
  async linesAbout(server: ServerName, text: string): Promise<readonly string[]> {
    const { logFile } = serverLayout(KINDS[server], this.#folder)
    return (await readFile(logFile, 'utf8')).split('\n').filter((line) => line.includes(text))
  }

  async #populate(): Promise<void> {
    await this.tell('POST', '/zms/v1/domain', { name: 'victim', adminUsers: ['user.admin'] })
    await this.tell('POST', '/zms/v1/domain', { name: 'other', adminUsers: ['user.admin', this.stranger.name] })
    for (const { name, signer } of [this.stranger, this.insider]) {
      const [domain, service] = name.split('.')
      await this.tell('PUT', `/zms/v1/domain/${domain}/service/${service}`, {
        name,
        publicKeys: [{ id: '0', key: encodeYBase64(publicKeyPem(signer.publicKey)) }],
      })
    }
    await this.tell('PUT', '/zms/v1/domain/victim/role/victim', {
      name: 'victim',
      roleMembers: [{ memberName: 'user.x' }],
    })
    await this.tell('PUT', '/zms/v1/domain/victim/group/victim', {
      name: 'victim',
      groupMembers: [{ memberName: 'user.x' }],
    })
    await this.tell('PUT', '/zms/v1/domain/victim/policy/victim', {
      name: 'victim',
      assertions: [{ role: 'victim:role.victim', action: 'read', resource: 'victim:thing' }],
    })
    await this.tell('PUT', '/zms/v1/domain/victim/entity/victim', {
      name: 'victim:entity.victim',
      value: { a: 1 },
    })
    const path = '/zts/v1/domain/victim/service/victim'
    const known = async () => (await this.ask({ server: 'zts', path, certificate: this.administrator })).status === 200
    await until(known, { timeoutMillis: 30_000, what: 'that ZTS knows the services' })
  }

  /** Has the administrator do something at ZMS, which must succeed. */
  async tell(method: string, path: string, body: object): Promise<void> {
    const headers = { 'y-audit-ref': 'attacks' }
    const answer = await this.ask({ server: 'zms', method, path, body, headers, certificate: this.administrator })
    ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.message}`)
  }
}

/** A new P-256 key. */
export const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

function newService(name: string): AttackingService {
  return { name, signer: createSigner(newKey(), '0') }
}

/** A principal token of a service, in the header for it; `age` is how long ago it was issued, in seconds. */
export async function principalHeader(
  { name, signer }: AttackingService,
  ageSeconds = 0,
): Promise<Readonly<Record<string, string>>> {
  const [domain = '', service = ''] = name.split('.')
  const issueTimeSeconds = Math.floor(Date.now() / 1000) - ageSeconds
  const token = await signPrincipalToken({ version: 'S1', domain, name: service, issueTimeSeconds }, signer)
  return { 'athenz-principal-auth': token }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
