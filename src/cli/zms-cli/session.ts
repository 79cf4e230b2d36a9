import type { ApiClientOptions, CallArguments } from '#client/api-client.ts'
import type { Identity } from '#client/identity.ts'
import type { OperationReply, OperationRequest, OperationResult } from '#client/operation.ts'
import { ZmsClient } from '#client/zms-client.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import type { Flags } from './flags.ts'

type ZmsOperations = typeof zmsEndpoints
type OperationName = keyof ZmsOperations

/** What every request says beside its own values, as far as the operation knows it. */
type Common = 'auditRef' | 'resourceOwner'

/** What a command gives an operation: all but what {@link Session} adds by itself. */
export type Asked<K extends OperationName> = Omit<OperationRequest<ZmsOperations[K]>, Common>

/** How ZMS is reached. */
export type ZmsLocation = Omit<ApiClientOptions, 'identity'>

/** Who calls it. */
export interface Caller {
  /** Full name. */
  readonly name: string
  readonly token?: string
  readonly identity: Identity
}

/** Who runs commands, on which server, with which flags. */
export class Session {
  readonly flags: Flags
  /** Full name of the caller. */
  readonly identity: string
  /** The token that the caller shows; undefined with a certificate. */
  readonly token: string | undefined
  /** The connections without the caller, for calls in another's name. */
  readonly where: ZmsLocation
  /** Prints a line about the progress of long work. */
  readonly report: (line: string) => void
  readonly #zms: ZmsClient

  constructor(flags: Flags, where: ZmsLocation, { name, token, identity }: Caller, report: (line: string) => void) {
    this.flags = flags
    this.identity = name
    this.token = token
    this.where = where
    this.report = report
    this.#zms = new ZmsClient({ ...where, identity })
  }

  /** Calls an operation with the audit reference and the resource owner of the flags. */
  async call<K extends OperationName>(operation: K, asked: Asked<K>): Promise<OperationResult<ZmsOperations[K]>> {
    return (await this.exchange(operation, asked)).body
  }

  /** As {@link call}; gives status and headers, too. */
  async exchange<K extends OperationName>(operation: K, asked: Asked<K>): Promise<OperationReply<ZmsOperations[K]>> {
    const { auditRef, resourceOwner } = this.flags
    const { headers } = zmsEndpoints[operation] as { headers: Readonly<Record<string, unknown>> }
    const request = {
      ...('auditRef' in headers && { auditRef }),
      ...('resourceOwner' in headers && resourceOwner !== '' && { resourceOwner }),
      ...asked,
    } as unknown as OperationRequest<ZmsOperations[K]>
    return this.#zms.exchange(operation, ...([request] as unknown as CallArguments<ZmsOperations[K]>))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#zms.close()
  }
}
