import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Where a directory is, and how it is reached. */
export interface LdapServer {
  readonly host: string
  readonly port: number
  /** From the first byte, after the operation StartTLS, or not at all. */
  readonly tls: 'ldaps' | 'starttls' | 'off'
  /** Authorities that the directory is trusted by, as PEM; those of the system when absent. */
  readonly ca?: string | undefined
  /** For connecting and for all answers together. */
  readonly timeoutMillis: number
}

/** What a directory answers: 0 is success, 49 wrong credentials (RFC 4511, appendix A). */
export interface LdapResult {
  readonly code: number
  /** The directory's words. */
  readonly message: string
}

// Tags of RFC 4511 in BER: universal, application and context-specific ones.
const INTEGER = 0x02
const OCTET_STRING = 0x04
const ENUMERATED = 0x0a
const SEQUENCE = 0x30
const BIND_REQUEST = 0x60
const BIND_RESPONSE = 0x61
const EXTENDED_REQUEST = 0x77
const EXTENDED_RESPONSE = 0x78
const SIMPLE_PASSWORD = 0x80
const REQUEST_NAME = 0x80
const START_TLS = '1.3.6.1.4.1.1466.20037'

const LDAP_VERSION = 3
/** Answers to a bind are short; a longer one is none. */
const ANSWER_MAX_BYTES = 65_536
const MESSAGE_MAX_LENGTH = 200

/**
 * Binds to a directory as `name` with a password (RFC 4511, 4.2, simple) on a connection of its own, which it closes.
 * Rejects with an Error when no answer comes. The password must not be empty: directories let everybody in with an empty
 * one.
 */
export async function ldapBind(server: LdapServer, name: string, password: string): Promise<LdapResult> {
  const connection = new Connection(server)
  try {
    await connection.open()
    if (server.tls === 'starttls') {
      const answer = await connection.ask(EXTENDED_REQUEST, EXTENDED_RESPONSE, [tlv(REQUEST_NAME, START_TLS)])
      if (answer.code !== 0) throw new Error(`no TLS: ${answer.message || `result ${answer.code}`}`)
      await connection.secure()
    }
    return await connection.ask(BIND_REQUEST, BIND_RESPONSE, [
      tlv(INTEGER, Buffer.of(LDAP_VERSION)),
      tlv(OCTET_STRING, name),
      tlv(SIMPLE_PASSWORD, password),
    ])
  } finally {
    connection.close()
  }
}

/** One connection, one request at a time. */
class Connection {
  readonly #server: LdapServer
  readonly #overdue: NodeJS.Timeout
  readonly #failed = Promise.withResolvers<never>()
  #socket: Socket | undefined
  #lastId = 0

  constructor(server: LdapServer) {
    this.#server = server
    const { host, port, timeoutMillis } = server
    const late = new Error(`no answer from ${host}:${port} within ${timeoutMillis} ms`)
    this.#overdue = setTimeout(() => this.#failed.reject(late), timeoutMillis)
    // It may fail when nobody waits any more.
    this.#failed.promise.catch(() => {})
  }

  async open(): Promise<void> {
    const { host, port, tls } = this.#server
    if (tls === 'ldaps') await this.#connected(connectTls({ host, port, ...this.#tlsOptions() }), 'secureConnect')
    else await this.#connected(connectTcp({ host, port }), 'connect')
  }

  /** Goes on with TLS on the same connection. */
  async secure(): Promise<void> {
    const plain = this.#socket
    if (plain === undefined) throw new Error('not connected')
    plain.removeAllListeners('data')
    await this.#connected(
      connectTls({ socket: plain, host: this.#server.host, ...this.#tlsOptions() }),
      'secureConnect',
    )
  }

  async ask(request: number, response: number, members: readonly Buffer[]): Promise<LdapResult> {
    const socket = this.#socket
    if (socket === undefined) throw new Error('not connected')
    const id = ++this.#lastId
    const answer = this.#message(socket)
    socket.write(tlv(SEQUENCE, tlv(INTEGER, Buffer.of(id)), tlv(request, ...members)))
    const result = readResult(await Promise.race([answer, this.#failed.promise]), id, response)
    if (result === undefined) throw new Error(`${this.#server.host}:${this.#server.port} does not speak LDAP`)
    return result
  }

  close(): void {
    clearTimeout(this.#overdue)
    this.#socket?.destroy()
  }

  #tlsOptions() {
    const { host, ca } = this.#server
    // An address is no server name (RFC 6066, 3); the certificate is checked against it all the same.
    return {
      ...(ca !== undefined && { ca: [ca] }),
      ...(/[a-z]/i.test(host) && !host.includes(':') && { servername: host }),
    }
  }

  async #connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    this.#socket = socket
    socket.on('error', (error) => this.#failed.reject(error))
    socket.on('close', () => this.#failed.reject(new Error('the directory closed the connection')))
    const opened = new Promise<void>((resolve) => {
      socket.once(event, () => resolve())
    })
    await Promise.race([opened, this.#failed.promise])
  }

  /** The first whole message that arrives. */
  #message(socket: Socket): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let received = Buffer.alloc(0)
      socket.on('data', (piece: Buffer) => {
        received = Buffer.concat([received, piece])
        if (received.length > ANSWER_MAX_BYTES) reject(new Error('the answer is too long'))
        else if (readValue(received, 0) !== undefined) resolve(received)
      })
    })
  }
}

/** A value in BER: tag, length, content. */
function tlv(tag: number, ...content: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(content.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)))
  const length = body.length < 0x80 ? Buffer.of(body.length) : Buffer.of(0x82, body.length >> 8, body.length & 0xff)
  return Buffer.concat([Buffer.of(tag), length, body])
}

interface BerValue {
  readonly tag: number
  readonly content: Buffer
  /** Behind the value. */
  readonly end: number
}

/** The value at an offset; undefined when it is not all there. Lengths need not be the shortest: some directories' are not. */
function readValue(bytes: Buffer, offset: number): BerValue | undefined {
  const [tag, first] = [bytes[offset], bytes[offset + 1]]
  if (tag === undefined || first === undefined) return undefined
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  const start = offset + 2 + lengthBytes
  if (lengthBytes > 4 || start > bytes.length) return undefined
  const length = lengthBytes === 0 ? first & 0x7f : bytes.readUIntBE(offset + 2, lengthBytes)
  const end = start + length
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end }
}

/** LDAPMessage with an LDAPResult (RFC 4511, 4.1.1 and 4.1.9): id, and code, matched name, message in the operation. */
function readResult(bytes: Buffer, id: number, response: number): LdapResult | undefined {
  const message = readValue(bytes, 0)
  if (message?.tag !== SEQUENCE) return undefined
  const messageId = readValue(message.content, 0)
  const operation = messageId && readValue(message.content, messageId.end)
  if (messageId?.tag !== INTEGER || smallNumber(messageId.content) !== id) return undefined
  if (operation?.tag !== response) return undefined
  const code = readValue(operation.content, 0)
  const matched = code && readValue(operation.content, code.end)
  const words = matched && readValue(operation.content, matched.end)
  if (code?.tag !== ENUMERATED || words?.tag !== OCTET_STRING) return undefined
  const number = smallNumber(code.content)
  return number === undefined
    ? undefined
    : { code: number, message: words.content.toString('utf8').slice(0, MESSAGE_MAX_LENGTH) }
}

const smallNumber = (bytes: Buffer): number | undefined =>
  bytes.length >= 1 && bytes.length <= 4 ? bytes.readIntBE(0, bytes.length) : undefined
