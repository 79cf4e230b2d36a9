import { relative } from 'node:path'
import { ADMINISTRATOR } from './dev-administrator.ts'

/** What `athenz dev --json` prints, as one line; programs rely on these members. A server that does not run is null. */
export interface DevSummary {
  /** Base URL of the REST interface of each server. */
  readonly zms: string | null
  readonly zts: string | null
  /** Address of the web page, and a link that signs in there as the administrator, once. */
  readonly ui: string | null
  readonly uiSignIn: string | null
  /** Verifies the servers and the certificates they issue. */
  readonly ca: string
  /** The CA whose client certificates both servers accept, and its key. */
  readonly clientCa: string
  readonly clientCaKey: string
  /** Client certificate of the system administrator. */
  readonly adminCert: string
  readonly adminKey: string
  readonly pids: { readonly zms: number | null; readonly zts: number | null; readonly ui: number | null }
  /** From the start of this program to the last status 200. */
  readonly readyMillis: number
}

/** The same for people: where the servers are, who the administrator is, and lines to try. */
export function forPeople(summary: DevSummary, folder: string): string {
  const rows: (readonly [string, string])[] = []
  if (summary.zms !== null) rows.push(['ZMS', summary.zms])
  if (summary.zts !== null) rows.push(['ZTS', summary.zts])
  if (summary.ui !== null) rows.push(['web page', summary.ui])
  if (summary.uiSignIn !== null) rows.push(['  sign in once', summary.uiSignIn])
  rows.push(
    ['administrator', ADMINISTRATOR],
    ['  certificate', summary.adminCert],
    ['  key', summary.adminKey],
    ['CA', summary.ca],
    ['folder', folder],
  )
  const curl = ['curl', '--cacert', summary.ca, '--cert', summary.adminCert, '--key', summary.adminKey]
  const words = curl.map((word) => quoted(shortPath(word))).join(' ')
  const lines = [`${words} ${summary.zms}/domain`]
  if (summary.zts !== null) lines.push(`${words} ${summary.zts}/domain/sys.auth/token`)
  return [
    `Athenz is ready after ${(summary.readyMillis / 1000).toFixed(1)} s.`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(14)} ${value.startsWith('/') ? shortPath(value) : value}`),
    '',
    'Try:',
    ...lines.map((line) => `  ${line}`),
    `  bin/athenz context set dev --dev ${quoted(shortPath(folder))} && bin/athenz domain list --context dev`,
    '',
    'Ctrl-C stops it; the next start goes on with the same data.',
  ].join('\n')
}

/** A path as it is shorter to type here. */
function shortPath(path: string): string {
  if (!path.startsWith('/')) return path
  const fromHere = relative(process.cwd(), path)
  return fromHere === '' ? '.' : fromHere.startsWith('..') ? path : fromHere
}

/** A word for a shell. */
const quoted = (word: string): string => (/^[\w./:@=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
