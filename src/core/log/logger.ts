import { mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'

/** The server's log: one JSON object a line. Pass values as the first argument, the sentence as the second. */
export type Logger = pino.Logger

/** Levels of the log, most severe first. */
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** Where the log goes and how much of it. */
export interface LoggerOptions {
  readonly level?: LogLevel
  /** File that lines are appended to; standard output when absent. Missing folders are made. */
  readonly file?: string
  /** Values of every line, e.g. `{ server: 'zms' }`. */
  readonly base?: Readonly<Record<string, unknown>>
  /** Takes the lines instead of a file. For tests. */
  readonly sink?: { write(line: string): void }
}

/**
 * Members of logged objects that carry secrets, at the top and one level down. The second line of defence: code does
 * not log credentials in the first place.
 */
const SECRET_MEMBERS = [
  'authorization',
  'cookie',
  'password',
  'passphrase',
  'privateKey',
  'secret',
  'token',
  'credentials',
  '["athenz-principal-auth"]',
  '["athenz-role-auth"]',
]

const STANDARD_OUTPUT = 1

const SECRET_PATHS = SECRET_MEMBERS.flatMap((member) =>
  member.startsWith('[') ? [member, `*${member}`] : [member, `*.${member}`],
)

/**
 * Opens the log. Lines are written asynchronously and in order, what is held back when the process exits too; errors of
 * the file are reported on standard error. Throws Error when the file cannot be opened.
 */
export function openLogger({ level = 'info', file, base = {}, sink }: LoggerOptions = {}): Logger {
  const settings: pino.LoggerOptions = {
    level,
    base,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    serializers: { err: pino.stdSerializers.errWithCause },
  }
  if (sink) return pino(settings, sink)
  const destination = pino.destination({ dest: file === undefined ? STANDARD_OUTPUT : openedFile(file), sync: false })
  destination.on('error', (error: Error) => {
    process.stderr.write(`log ${file ?? 'on standard output'}: ${error.message}\n`)
  })
  return pino(settings, destination)
}

/** Opened before the first line, so that a process that ends at once has somewhere to leave its reason. */
function openedFile(file: string): number {
  mkdirSync(dirname(file), { recursive: true })
  return openSync(file, 'a')
}

/** A log that goes nowhere. */
export const silentLogger = (): Logger => pino({ level: 'silent' })
