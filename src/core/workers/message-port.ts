/** One end of a channel between two processes: messages arrive whole, once and in the order in which they were sent. */
export interface MessagePort {
  /** Sends what structured clone takes; it is lost when the other end is gone. */
  send(message: object): void
  onMessage(listener: (message: object) => void): void
  /** Calls `listener` when nothing arrives any more. */
  onClose(listener: () => void): void
}

/** What Node.js has at either end of the channel between parent and child. */
interface ChannelEnd {
  send?(message: object, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'disconnect' | 'exit', listener: () => void): unknown
  isConnected?(): boolean
  readonly connected?: boolean
}

/** The port at this end of a channel: `process` in a child, the worker of `node:cluster` in its parent. */
export function portOf(end: ChannelEnd): MessagePort {
  const isOpen = () => end.isConnected?.() ?? end.connected ?? false
  return {
    send(message) {
      // That the other end is gone is told by the end of the channel.
      if (isOpen()) end.send?.(message, () => {})
    },
    onMessage(listener) {
      end.on('message', (message) => {
        if (typeof message === 'object' && message !== null) listener(message)
      })
    },
    onClose(listener) {
      let isClosed = false
      const close = () => {
        if (!isClosed) listener()
        isClosed = true
      }
      end.once('disconnect', close)
      // A channel on which a connection was being handed over is never said to be closed.
      end.once('exit', close)
    },
  }
}
