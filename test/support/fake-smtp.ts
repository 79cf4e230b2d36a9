import { EventEmitter, once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'

/** A mail that arrived. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and body as they were sent. */
  readonly data: string
  readonly encrypted: boolean
  readonly user: string | undefined
}

/** How the server behaves. */
export interface FakeSmtpOptions {
  /** Offers STARTTLS with this key and certificate, or begins with TLS at once. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly implicit?: boolean }
  /** Demands a login. */
  readonly login?: { readonly user: string; readonly password: string }
  /** Answer to RCPT TO, e.g. `550 no such user`; accepted when undefined. */
  readonly refuse?: (recipient: string) => string | undefined
}

/** An SMTP server on this machine that keeps what it gets; closed with the test or file that starts it. */
export async function startSmtp(options: FakeSmtpOptions = {}) {
  const arrivals = new EventEmitter()
  const mails: ReceivedMail[] = []
  const arrive = (mail: ReceivedMail) => {
    mails.push(mail)
    arrivals.emit('mail')
  }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (options.tls?.implicit) new Session(secured(socket, options.tls), options, arrive, true).greet()
    else new Session(socket, options, arrive, false).greet()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  after(stop)
  /** Resolves when so many mails have arrived. */
  const received = async (count: number) => {
    while (mails.length < count) await once(arrivals, 'mail')
  }
  return { mails, received, port: (server.address() as AddressInfo).port, stop }
}

const secured = (socket: Socket, { key, cert }: { key: string; cert: string }) =>
  new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }) }).on('error', () => {})

class Session {
  readonly #socket: Socket
  readonly #options: FakeSmtpOptions
  readonly #arrive: (mail: ReceivedMail) => void
  readonly #encrypted: boolean
  #buffer = ''
  #user: string | undefined
  #from = ''
  #to: string[] = []
  #inData = false
  #closed = false

  constructor(socket: Socket, options: FakeSmtpOptions, arrive: (mail: ReceivedMail) => void, encrypted: boolean) {
    this.#socket = socket
    this.#options = options
    this.#arrive = arrive
    this.#encrypted = encrypted
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#read(text))
  }

  greet(): void {
    this.#say('220 fake.example.com ESMTP')
  }

  #say(line: string): void {
    this.#socket.write(`${line}\r\n`)
  }

  #read(text: string): void {
    if (this.#closed) return
    this.#buffer += text
    for (;;) {
      const end = this.#buffer.indexOf(this.#inData ? '\r\n.\r\n' : '\r\n')
      if (end < 0) return
      const piece = this.#buffer.slice(0, end)
      this.#buffer = this.#buffer.slice(end + (this.#inData ? 5 : 2))
      if (this.#inData) this.#take(piece)
      else this.#command(piece)
    }
  }

  #take(data: string): void {
    this.#inData = false
    this.#arrive({
      from: this.#from,
      to: this.#to,
      data,
      encrypted: this.#encrypted,
      user: this.#user,
    })
    this.#to = []
    this.#say('250 taken')
  }

  #command(line: string): void {
    const { tls, login, refuse } = this.#options
    const word = line.slice(0, 8).toUpperCase()
    if (word.startsWith('EHLO')) {
      const offers = ['fake.example.com']
      if (tls && !this.#encrypted) offers.push('STARTTLS')
      if (login) offers.push('AUTH PLAIN')
      for (const [at, offer] of offers.entries()) this.#say(`250${at === offers.length - 1 ? ' ' : '-'}${offer}`)
    } else if (word === 'STARTTLS' && tls) {
      this.#say('220 go on')
      this.#closed = true
      this.#socket.removeAllListeners('data')
      // After the answer is out.
      setImmediate(() => new Session(secured(this.#socket, tls), this.#options, this.#arrive, true))
    } else if (word.startsWith('AUTH')) {
      const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
        .toString()
        .split('\0')
      const isRight = user === login?.user && password === login?.password
      if (isRight) this.#user = user
      this.#say(isRight ? '235 welcome' : '535 wrong user or password')
    } else if (word.startsWith('MAIL')) {
      this.#from = between(line)
      this.#say(login && this.#user === undefined ? '530 log in first' : '250 fine')
    } else if (word.startsWith('RCPT')) {
      const refusal = refuse?.(between(line))
      if (refusal === undefined) this.#to.push(between(line))
      this.#say(refusal ?? '250 fine')
    } else if (word.startsWith('DATA')) {
      this.#inData = true
      this.#say('354 go on')
    } else if (word.startsWith('QUIT')) {
      this.#say('221 bye')
      this.#socket.end()
    } else if (word.startsWith('RSET')) {
      this.#to = []
      this.#say('250 fine')
    } else this.#say('502 unknown')
  }
}

const between = (line: string) => line.slice(line.indexOf('<') + 1, line.indexOf('>'))
