import type { SMTPPoolOptions, Transporter } from 'nodemailer'
import type { Logger } from '../log/logger.ts'
import { isMailbox } from './mailbox.ts'
import { type MessageFrame, messageText } from './message-text.ts'
import type { Notification, NotificationSender } from './notice.ts'

/** How the mail server is reached. */
export interface SmtpSettings {
  readonly host: string
  readonly port: number
  /** `starttls` refuses a server that cannot; `none` is for this machine. */
  readonly tls: 'starttls' | 'tls' | 'none'
  /** PEM certificates of the authorities of the server; those of Node.js when absent. */
  readonly ca?: string
  readonly login?: { readonly user: string; readonly password: string }
  /** Longest silence of the server. */
  readonly timeoutMillis: number
}

/** What an e-mail sender is made with. */
export interface EmailSenderOptions {
  readonly smtp: SmtpSettings
  /** Address that messages come from. */
  readonly from: string
  /** Address of a user, by full name; undefined when there is none. */
  readonly addressOf: (user: string) => Promise<string | undefined>
  readonly frame: MessageFrame
  /** Send HTML beside the plain text. */
  readonly html: boolean
  readonly log: Logger
}

const RECIPIENTS_MAX = 50
const CONNECTIONS = 2

/** Sends mails by SMTP. Several recipients of one message are blind copies. The library is loaded with the first one. */
export class EmailSender implements NotificationSender {
  readonly name = 'email'
  readonly recipientsMax = RECIPIENTS_MAX
  readonly #options: EmailSenderOptions
  #transport: Promise<Transporter> | undefined

  constructor(options: EmailSenderOptions) {
    this.#options = options
  }

  async send(notification: Notification): Promise<void> {
    const { from, frame, html, log } = this.#options
    const addresses = await this.#addresses(notification.recipients)
    const [first, ...others] = addresses
    if (first === undefined) return
    const message = messageText(notification, frame)
    const transport = await (this.#transport ??= openTransport(this.#options.smtp))
    const host = from.slice(from.lastIndexOf('@') + 1)
    const { rejected } = await transport.sendMail({
      from: { name: '', address: from },
      // Blind copies: the header names the sender, the envelope those who get it.
      to: { name: '', address: others.length === 0 ? first : from },
      envelope: { from, to: addresses },
      subject: message.subject,
      text: message.text,
      ...(html && { html: message.html }),
      date: new Date(notification.created),
      // The same whenever it is sent, so that whoever gets it twice may see that.
      messageId: `<${notification.id}@${host}>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
    if (rejected && rejected.length > 0)
      log.warn({ rejected, id: notification.id }, 'the mail server refused recipients')
  }

  async close(): Promise<void> {
    ;(await this.#transport)?.close()
  }

  async #addresses(users: readonly string[]): Promise<string[]> {
    const found = new Set<string>()
    for (const user of users) {
      const address = await this.#options.addressOf(user)
      if (address !== undefined && isMailbox(address)) found.add(address)
      else this.#options.log.warn({ user }, 'a user has no usable address for notifications')
    }
    return [...found]
  }
}

async function openTransport({ host, port, tls, ca, login, timeoutMillis }: SmtpSettings): Promise<Transporter> {
  const { createTransport } = await import('nodemailer')
  const options: SMTPPoolOptions & { pool: true } = {
    pool: true,
    maxConnections: CONNECTIONS,
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(ca !== undefined && { tls: { ca } }),
    ...(login && { auth: { user: login.user, pass: login.password } }),
    connectionTimeout: timeoutMillis,
    greetingTimeout: timeoutMillis,
    socketTimeout: timeoutMillis,
    dnsTimeout: timeoutMillis,
  }
  // What is sent is all in the message: nothing of it names a file or a place to fetch from.
  return createTransport(options, { disableFileAccess: true, disableUrlAccess: true })
}
