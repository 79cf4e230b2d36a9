import {
  type JsonAnswer,
  JsonClient,
  type JsonClientOptions,
  type JsonRequest,
  textMember,
} from '#core/http/json-client.ts'
import type { ZtsDependencies } from '../dependencies.ts'
import { CloudRefusal } from './cloud-provider.ts'

const REASON_MAX_LENGTH = 500

/** Asks the services of one cloud; whatever goes wrong is a refusal. */
export class CloudClient {
  readonly #cloud: string
  readonly #log: ZtsDependencies['log']
  readonly #client: JsonClient

  constructor(cloud: string, options: JsonClientOptions, log: ZtsDependencies['log']) {
    this.#cloud = cloud
    this.#log = log
    this.#client = new JsonClient(options)
  }

  /** Rejects with {@link CloudRefusal} when there is no answer; why is for the log only. */
  async ask(address: string, request: JsonRequest): Promise<JsonAnswer> {
    try {
      return await this.#client.ask(new URL(address), request)
    } catch (cause) {
      this.#log('warn', `credentials of ${this.#cloud}: ${(cause as Error).message}`)
      throw new CloudRefusal(`${this.#cloud} gave no answer`, { cause })
    }
  }

  /** What the cloud says is wrong, in the form of OAuth or in that of its own services. */
  refusal(what: string, { status, value }: JsonAnswer): CloudRefusal {
    const reason = textMember(value, 'error_description') ?? textMember(objectMember(value, 'error'), 'message')
    const said = (reason ?? `status ${status}`).slice(0, REASON_MAX_LENGTH)
    return new CloudRefusal(`Unable to get ${what} from ${this.#cloud}: ${said}`)
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

/** A member of an answer, whatever it is; undefined when the answer is no object or does not have it. */
export const objectMember = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
