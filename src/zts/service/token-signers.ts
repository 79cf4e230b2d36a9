import type { ConfigOf } from '#core/config/server-tables.ts'
import type { ServerSigners } from '#core/crypto/server-signers.ts'
import type { Signer } from '#core/crypto/signing.ts'

/** Kinds of keys that a client may ask for. */
export type KeyType = 'RSA' | 'EC'

/** Which key signs what. */
export interface TokenSigners {
  /** JSON web tokens and JSON web signatures. The kind asked for when there is a key of it, otherwise the one there is. */
  jsonWebObjects(keyType?: KeyType): Signer
  /** Role tokens, principal tokens and signed policies. */
  readonly proprietaryObjects: Signer
  /** Requests to ZMS. */
  readonly plugIns: Signer
  readonly instanceProviders: Signer
  /** All of them, each with its own key id. */
  readonly all: readonly Signer[]
}

/** The keys of the server by purpose. */
export function tokenSigners(signers: ServerSigners, { zts }: Pick<ConfigOf['zts'], 'zts'>): TokenSigners {
  return {
    jsonWebObjects: (keyType) => signers.preferred(keyType ?? zts.keyAlgoJsonWebObjects),
    proprietaryObjects: signers.preferred(zts.keyAlgoProprietaryObjects),
    plugIns: signers.preferred(zts.keyAlgoPlugins),
    instanceProviders: signers.preferred(zts.keyAlgoInstanceProviders),
    all: signers.all,
  }
}
