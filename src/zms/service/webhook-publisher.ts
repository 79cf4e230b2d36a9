import { Webhook, type WebhookOptions } from '#core/http/webhook.ts'
import type { ChangePublisher, DomainChangeMessage } from './change-messages.ts'

/** What a publisher to a webhook is made with. */
export interface WebhookPublisherOptions extends WebhookOptions {
  readonly topic: string
  /** Messages that wait; further ones are dropped. */
  readonly queueMax: number
}

const BATCH_MAX = 100

/**
 * Posts messages as JSON `{"topic":…,"messages":[…]}`, in their order, those that wait together up to 100 at a time. What
 * cannot be delivered is tried again at growing intervals; then the messages are dropped and that is logged. Nobody ever
 * waits for it. The id of a delivery is that of its first message.
 */
export class WebhookPublisher implements ChangePublisher {
  readonly #options: WebhookPublisherOptions
  readonly #webhook: Webhook
  #queue: DomainChangeMessage[] = []
  #running: Promise<void> | undefined
  #dropped = 0

  constructor(options: WebhookPublisherOptions) {
    this.#options = options
    this.#webhook = new Webhook(options)
  }

  publish(message: DomainChangeMessage): void {
    const { queueMax, log, topic } = this.#options
    if (this.#queue.length >= queueMax || this.#webhook.closing) {
      if (this.#dropped++ === 0) log.error({ topic, queueMax }, 'messages about changes are dropped: too many wait')
      return
    }
    this.#queue.push(message)
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Tries once more to deliver what waits. */
  async close(): Promise<void> {
    this.#webhook.stopWaiting()
    await this.#running
    await this.#webhook.close()
  }

  async #run(): Promise<void> {
    // What a request publishes goes together.
    await new Promise((resolve) => setImmediate(resolve))
    const { log, topic } = this.#options
    while (this.#queue.length > 0) {
      const messages = this.#queue.slice(0, BATCH_MAX)
      const id = messages[0]?.messageId ?? ''
      const delivered = await this.#webhook.deliver(id, JSON.stringify({ topic, messages }), { topic })
      this.#queue.splice(0, messages.length)
      if (!delivered && this.#webhook.closing) {
        this.#dropped += messages.length + this.#queue.length
        this.#queue = []
      } else if (!delivered) this.#dropped += messages.length
      if (this.#dropped > 0) log.error({ topic, messages: this.#dropped }, 'messages about changes were dropped')
      this.#dropped = 0
    }
  }
}
