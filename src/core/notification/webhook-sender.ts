import { Webhook, type WebhookOptions } from '../http/webhook.ts'
import type { Notification, NotificationSender } from './notice.ts'
import { notificationJson } from './notification-json.ts'

/** Posts each notification as JSON, signed as webhooks are. */
export class WebhookSender implements NotificationSender {
  readonly name = 'webhook'
  readonly #webhook: Webhook

  constructor(options: WebhookOptions) {
    this.#webhook = new Webhook(options)
  }

  async send(notification: Notification): Promise<void> {
    const { id } = notification
    if (await this.#webhook.deliver(id, JSON.stringify(notificationJson(notification)), { notification: id })) return
    throw new Error('the receiver of the webhook did not take it')
  }

  close(): Promise<void> {
    return this.#webhook.close()
  }
}
