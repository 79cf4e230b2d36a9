import { messageOf } from '#core/error/message-of.ts'
import { CommandFailure, runCommand } from '../command-failure.ts'

/** Exit statuses of the commands that ask servers. */
export const EXIT = {
  done: 0,
  failed: 1,
  notFound: 3,
  notAllowed: 4,
  unreachable: 5,
  /** The command ran, and its answer is no. */
  negative: 6,
} as const

/** The same for people, below the help of a command; `negative` says what status 6 stands for. */
export const exitStatusHelp = (negative?: string): string =>
  [
    '',
    'Exit status:',
    '  0  done',
    '  1  failed, or the command line is not understood',
    '  3  there is no such thing',
    '  4  not allowed: the server does not know you, or you may not do that',
    '  5  the server cannot be reached, or cannot be trusted',
    ...(negative === undefined ? [] : [`  6  ${negative}`]),
  ].join('\n')

/** Runs a command that asks servers, with its failures as the statuses above; otherwise as `runCommand`. */
export async function runControl(name: string, command: () => Promise<number>): Promise<void> {
  await runCommand(`athenz ${name}`, async () => {
    try {
      return await command()
    } catch (error) {
      throw isClientError(error) ? new CommandFailure(wordsOf(error), statusOf(error)) : error
    }
  })
}

/** What is read of an AthenzClientError: its class would bring the whole client library with it. */
interface ClientError extends Error {
  readonly kind: string
  readonly status: number | undefined
  readonly requestId: string | undefined
}

const isClientError = (error: unknown): error is ClientError =>
  error instanceof Error && error.name === 'AthenzClientError'

/** Whether a server answered that something is not there. */
export const isAbsence = (error: unknown): boolean => isClientError(error) && error.status === 404

/** For what may not be there: the answer that it is not is undefined, any other failure is thrown. */
export function absentAsUndefined(error: unknown): undefined {
  if (!isAbsence(error)) throw error
}

function statusOf({ kind, status }: ClientError): number {
  if (status === 401 || status === 403) return EXIT.notAllowed
  if (status === 404) return EXIT.notFound
  return kind === 'unreachable' || kind === 'untrusted' || kind === 'timeout' ? EXIT.unreachable : EXIT.failed
}

function wordsOf(error: ClientError): string {
  const { status, requestId } = error
  const said = messageOf(error)
  return status === undefined ? said : `${status} ${said}${requestId === undefined ? '' : ` (request ${requestId})`}`
}
