import { formatTimestamp } from '#core/http/wire.ts'
import type { AthenzJWKConfig } from '../api/instance-identity.ts'
import type { JWK } from '../api/keys.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** The public keys of both servers for instances, which ask for them if they have changed. */
export class KeyAnnouncement {
  readonly #deps: Pick<ZtsDependencies, 'publishedKeys' | 'now'>
  #lists: { readonly zms: readonly JWK[]; readonly zts: readonly JWK[] } | undefined
  /** When the lists were first seen as they are, in epoch milliseconds. */
  #modified = 0

  constructor(deps: Pick<ZtsDependencies, 'publishedKeys' | 'now'>) {
    this.#deps = deps
  }

  /** Undefined when nothing has changed after `knownMillis` (epoch milliseconds). */
  since(knownMillis: number | undefined): AthenzJWKConfig | undefined {
    const { publishedKeys, now } = this.#deps
    const [zms, zts] = [publishedKeys.jwks('zms', true), publishedKeys.jwks('zts', true)]
    // The same lists are given for as long as the keys are the same.
    if (this.#lists?.zms !== zms || this.#lists.zts !== zts) {
      this.#lists = { zms, zts }
      this.#modified = now()
    }
    if (knownMillis !== undefined && knownMillis >= this.#modified) return undefined
    return { zms: { keys: zms }, zts: { keys: zts }, modified: formatTimestamp(this.#modified) } as AthenzJWKConfig
  }
}
