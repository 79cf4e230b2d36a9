/** Address of a MySQL or MariaDB database. */
export interface JdbcUrl {
  readonly host: string
  readonly port: number
  /** Further servers that hold the same database, in the order in which they are tried; absent when there are none. */
  readonly furtherHosts?: readonly { readonly host: string; readonly port: number }[]
  readonly database: string
  /** From `mysql://user:password@…` or the options; the properties for user and password win over them. */
  readonly user?: string
  readonly password?: string
  /** What the option `sslMode` demands: an encrypted connection, or also that the server is verified; else absent. */
  readonly encryption?: 'required' | 'verified'
  /** The other connection options as written, in order; names keep their letters. */
  readonly options: ReadonlyMap<string, string>
}

/** What comes of reading a database URL; the reason never repeats a password. */
export type ParsedJdbcUrl =
  | { readonly ok: true; readonly url: JdbcUrl }
  | { readonly ok: false; readonly reason: string }

const DEFAULT_PORT = 3306
const FORM = 'write jdbc:mysql://host:3306/database'
const SCHEME = /^(?:jdbc:)?(?:mysql|mariadb):/i
const DATABASE_NAME = /^[^\s/\\?#]+$/

/** What the values of `sslMode` demand, by MySQL's and MariaDB's drivers. */
const SSL_MODES: ReadonlyMap<string, JdbcUrl['encryption']> = new Map([
  ['DISABLED', undefined],
  ['DISABLE', undefined],
  ['REQUIRED', 'required'],
  ['TRUST', 'required'],
  ['VERIFY_CA', 'verified'],
  ['VERIFY_IDENTITY', 'verified'],
  ['VERIFY_FULL', 'verified'],
])
/** Leaves it to the server, so it demands nothing. */
const PREFERRED = 'PREFERRED'

const refused = (reason: string): ParsedJdbcUrl => ({ ok: false, reason })

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const readOptions = (query: string): Map<string, string> | undefined => {
  const options = new Map<string, string>()
  for (const item of query.split('&')) {
    if (item === '') continue
    const at = item.indexOf('=')
    const name = decode(at < 0 ? item : item.slice(0, at))
    const value = at < 0 ? 'true' : decode(item.slice(at + 1))
    if (!name || value === undefined) return undefined
    options.set(name, value)
  }
  return options
}

/** Takes `sslMode` out of the options and gives what it demands; text is why it cannot be used. */
const takeEncryption = (options: Map<string, string>): { encryption: JdbcUrl['encryption'] } | string => {
  const name = [...options.keys()].find((key) => key.toLowerCase() === 'sslmode')
  const mode = name === undefined ? PREFERRED : (options.get(name) ?? '').toUpperCase().replaceAll('-', '_')
  if (name === undefined || mode === PREFERRED) return { encryption: undefined }
  if (!SSL_MODES.has(mode)) return 'sslMode is none of DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY'
  options.delete(name)
  return { encryption: SSL_MODES.get(mode) }
}

/** Splits `host`, `host:port` or `[ipv6]:port`. No message repeats the text: a misplaced password may be in it. */
const readHost = (text: string): { host: string; port: number } | string => {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]*))(?::(.*))?$/i.exec(text)
  if (match === null) return 'the host is not valid (write an IPv6 address in brackets)'
  const host = match[1] ?? match[2] ?? ''
  if (host === '') return `no host is named (${FORM})`
  const portText = match[3]
  if (portText === undefined) return { host, port: DEFAULT_PORT }
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port < 1 || port > 65535) return 'the port is not a number from 1 to 65535'
  return { host, port }
}

/**
 * Reads `jdbc:mysql://host:port/db?options`, `jdbc:mariadb://…` or `mysql://user:password@host:port/db`. The port is
 * 3306 when absent; user, password and options are percent-decoded. Several hosts are separated by commas. The JDBC
 * driver's other address forms are refused by name.
 */
export const parseJdbcUrl = (text: string): ParsedJdbcUrl => {
  const scheme = SCHEME.exec(text)?.[0]
  if (scheme === undefined) return refused(`is not the URL of a MySQL database (${FORM})`)
  const rest = text.slice(scheme.length)
  if (/^[a-z+]+:/i.test(rest)) return refused(`failover and load balancing addresses are not supported (${FORM})`)
  if (!rest.startsWith('//')) return refused(`"//" is missing after ${scheme} (${FORM})`)
  const [address = '', ...queries] = rest.slice(2).split('?')
  const slash = address.indexOf('/')
  if (slash < 0) return refused(`no database is named (${FORM})`)
  const authority = address.slice(0, slash)
  const database = decode(address.slice(slash + 1))
  if (database === undefined) return refused('the database name is not correctly percent-encoded')
  if (database === '') return refused(`no database is named (${FORM})`)
  if (!DATABASE_NAME.test(database)) return refused(`the database name has characters it cannot have (${FORM})`)

  // A password may hold an `@` that was not encoded: the host starts behind the last one.
  const at = authority.lastIndexOf('@')
  const hostText = authority.slice(at + 1)
  if (/[()]/.test(hostText)) return refused(`hosts are written as host:port, separated by commas (${FORM})`)
  const hosts: { host: string; port: number }[] = []
  for (const part of hostText.split(',')) {
    const read = readHost(part)
    if (typeof read === 'string') return refused(read)
    hosts.push(read)
  }
  const [host, ...furtherHosts] = hosts as [(typeof hosts)[number]]
  const options = readOptions(queries.join('?'))
  if (options === undefined) return refused('an option is not of the form name=value, percent-encoded')

  const taken = takeEncryption(options)
  if (typeof taken === 'string') return refused(taken)
  const { encryption } = taken
  let user = options.get('user')
  let password = options.get('password')
  options.delete('user')
  options.delete('password')
  if (at >= 0) {
    const credentials = authority.slice(0, at)
    const colon = credentials.indexOf(':')
    user = decode(colon < 0 ? credentials : credentials.slice(0, colon))
    password = colon < 0 ? password : decode(credentials.slice(colon + 1))
    if (user === undefined || (colon >= 0 && password === undefined)) {
      return refused('user or password is not correctly percent-encoded')
    }
  }
  return {
    ok: true,
    url: {
      ...host,
      ...(furtherHosts.length > 0 && { furtherHosts }),
      database,
      ...(user === undefined || user === '' ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...(encryption && { encryption }),
      options,
    },
  }
}
