import type { MessagePort } from '#core/workers/message-port.ts'

/** Two ends of a channel within this process; `cut` is the end of either of the processes it stands for. */
export function linkedPorts(): { left: MessagePort; right: MessagePort; cut: () => void } {
  const closed: (() => void)[] = []
  let isOpen = true
  const end = () => {
    const listeners: ((message: object) => void)[] = []
    return {
      listeners,
      port: (other: { listeners: ((message: object) => void)[] }): MessagePort => ({
        send(message) {
          const copy = structuredClone(message)
          queueMicrotask(() => {
            if (isOpen) for (const listener of other.listeners) listener(copy)
          })
        },
        onMessage: (listener) => void listeners.push(listener),
        onClose: (listener) => void closed.push(listener),
      }),
    }
  }
  const [left, right] = [end(), end()]
  return {
    left: left.port(right),
    right: right.port(left),
    cut() {
      isOpen = false
      for (const listener of closed.splice(0)) listener()
    },
  }
}
