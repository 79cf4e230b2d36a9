import type { KeyObject } from 'node:crypto'
import { hostname } from 'node:os'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { messageOf } from '#core/error/message-of.ts'
import { type Clock, systemClock } from '#core/seam/clock.ts'
import { ServiceToken } from '#core/token/service-token.ts'
import { invalidRequest } from './client-error.ts'
import { type Identity, PRINCIPAL_TOKEN_HEADER } from './identity.ts'

/** A service whose public key is registered in ZMS. */
export interface KeyPairIdentityOptions {
  readonly domain: string
  readonly service: string
  /** RSA or EC; as PEM, or parsed. */
  readonly privateKey: string | KeyObject
  /** Under which the public key is registered. */
  readonly keyId: string
  /** Life of the tokens that are signed; an hour unless given. */
  readonly tokenLifeSeconds?: number
  /** Name of the machine in tokens; that of this one unless given. */
  readonly host?: string
  /** Address of the machine in tokens; none unless given, since servers check it for users only. */
  readonly ip?: string
  /** {@link PRINCIPAL_TOKEN_HEADER} unless given. */
  readonly header?: string
  /** For tests. */
  readonly clock?: Clock
}

const TOKEN_LIFE_SECONDS = 3600

/**
 * A service that signs its own principal tokens (`v=S1`) with a registered key. Each token is used for half of its life.
 * @throws AthenzClientError `invalid-request` for a key that cannot be used
 */
export function keyPairIdentity(options: KeyPairIdentityOptions): Identity & { token(): Promise<string> } {
  const { domain, service, keyId, host = hostname(), ip, header = PRINCIPAL_TOKEN_HEADER } = options
  const { tokenLifeSeconds = TOKEN_LIFE_SECONDS, clock = systemClock } = options
  const signer = signerOf(options.privateKey, keyId)
  const tokens = new ServiceToken({
    domain,
    name: service,
    host,
    ...(ip !== undefined && { ip }),
    signer: () => signer,
    lifeSeconds: tokenLifeSeconds,
    now: clock,
  })
  const name = header.toLowerCase()
  return {
    name: `${domain}.${service}`,
    token: () => tokens.current(),
    headers: async () => ({ [name]: await tokens.current() }),
    refused: () => tokens.renew(),
  }
}

function signerOf(privateKey: string | KeyObject, keyId: string) {
  try {
    return createSigner(typeof privateKey === 'string' ? loadPrivateKey(privateKey) : privateKey, keyId)
  } catch (cause) {
    throw invalidRequest(messageOf(cause), cause)
  }
}
