import { join } from 'node:path'
import { startProgram } from '../support/program.ts'
import type { ClientFiles } from './load-tool.ts'

/** The limit to compare with: a node:https server of ten lines that asks for a client certificate and answers a fixed JSON. */
export interface BareServer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

/** Cryptography that an answer costs: rows of `load/bare-cryptography.mjs`. */
export type Cryptography = 'sign-ec' | 'sign-rsa' | 'verify-rsa' | 'verify-request-ec'

/** Starts the limit with the certificate of the server that is compared with it. */
export const startBareServer = (server: ClientFiles, ca: string): Promise<BareServer> =>
  start('bare.mjs', [server.key, server.certificate, ca])

/** Starts what is left to a server that needs cryptography for every answer, of so many bytes; it reads what it is sent. */
export const startBareCryptography = (
  server: ClientFiles,
  ca: string,
  { work, answerBytes }: { work: readonly Cryptography[]; answerBytes: number },
): Promise<BareServer> =>
  start('bare-cryptography.mjs', [server.key, server.certificate, ca, String(answerBytes), ...work])

/**
 * Starts the least that a server of Fastify can do for an access check: a route, a schema, the principal of the connection;
 * with the address of a database, one question to it for all that wait.
 */
export function startPlainServer(server: ClientFiles, ca: string, databaseUrl?: string): Promise<BareServer> {
  return start('plain.mjs', [server.key, server.certificate, ca, ...(databaseUrl === undefined ? [] : [databaseUrl])])
}

/** Starts the limit in several processes that share its port. */
export const startBareWorkers = (server: ClientFiles, ca: string, count: number): Promise<BareServer> =>
  start('bare-workers.mjs', [server.key, server.certificate, ca, String(count)])

async function start(source: string, args: readonly string[]): Promise<BareServer> {
  const program = startProgram(process.execPath, [join(import.meta.dirname, 'load', source), ...args])
  const port = await program.line()
  return { url: `https://localhost:${port}/`, pid: program.pid, [Symbol.asyncDispose]: program[Symbol.asyncDispose] }
}
