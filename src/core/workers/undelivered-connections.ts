import type { ChildProcess } from 'node:child_process'

/** A connection that the primary process has accepted. */
interface Connection {
  close(): void
}

/** The messages with which node:cluster hands connections to workers, as far as they matter here. */
interface Handover {
  readonly act?: unknown
  readonly seq?: unknown
  readonly ack?: unknown
}

/**
 * Closes the connections that are on their way to a worker when it ends. node:cluster keeps them open for ever: their
 * clients would wait for an answer that nobody gives, instead of connecting again.
 */
export function closeUndelivered(worker: ChildProcess): void {
  const underWay = new Map<unknown, Connection>()
  let hasEnded = false
  const send = worker.send.bind(worker) as (...args: unknown[]) => boolean
  worker.send = (message: unknown, ...rest: unknown[]): boolean => {
    const { act, seq } = (message ?? {}) as Handover
    const [connection] = rest
    if (act === 'newconn' && isConnection(connection)) {
      // The channel may be thought open for a moment longer.
      if (hasEnded) {
        connection.close()
        return false
      }
      underWay.set(seq, connection)
    }
    return send(message, ...rest)
  }
  worker.on('internalMessage', (message: Handover | undefined) => {
    if (message?.ack !== undefined) underWay.delete(message.ack)
  })
  worker.once('exit', () => {
    hasEnded = true
    for (const connection of underWay.values()) connection.close()
    underWay.clear()
  })
}

const isConnection = (value: unknown): value is Connection =>
  typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function'
