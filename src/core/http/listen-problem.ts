/** What the system says of a port that it does not give. */
interface PortFailure {
  readonly code?: unknown
  readonly port?: unknown
  readonly address?: unknown
}

/** What is wrong and what helps, by the code of the system. */
const PROBLEMS: ReadonlyMap<unknown, (port: number, address: string) => string> = new Map([
  ['EADDRINUSE', (port) => `port ${port} is taken (stop the process that uses it, or set another port)`],
  [
    'EACCES',
    (port) => `port ${port}: this process may not listen there (set one from 1024 on, or allow CAP_NET_BIND_SERVICE)`,
  ],
  ['EADDRNOTAVAIL', (port, address) => `port ${port}: ${address} is no address of this machine (set another one)`],
])

/** Why a port could not be opened, in words; undefined for any other error. */
export function listenProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, port, address } = error as PortFailure
  return typeof port === 'number' ? PROBLEMS.get(code)?.(port, String(address)) : undefined
}
