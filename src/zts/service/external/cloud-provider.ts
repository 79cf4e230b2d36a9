import type { Principal } from '#core/authority/principal.ts'
import type { CachedDomain } from '../../cache/model.ts'
import type { KeyType } from '../token-signers.ts'

/** An id token by which a cloud knows for whom it gives credentials. */
export interface CloudIdToken {
  readonly subject: string
  readonly audience: string
  readonly groups?: readonly string[]
  /** Kind of the key that signs it; the server's choice when absent. */
  readonly keyType?: KeyType
}

/** Credentials of a cloud that somebody asks for. Who asks has been checked, and the roles are held. */
export interface CloudQuestion {
  readonly principal: Principal
  /** Whose account at the cloud is meant. */
  readonly domain: CachedDomain
  /** Service that the credentials are for. */
  readonly clientId: string
  /** Full names of the roles asked for. */
  readonly roles: readonly string[]
  /** The same as the cloud shall see them. */
  readonly groups: readonly string[]
  /** What else the request says, by the names of the provider. */
  readonly attributes: ReadonlyMap<string, string>
  /** 0 when none is asked for. */
  readonly expirySeconds: number
  readonly signIdToken: (token: CloudIdToken) => Promise<string> | string
}

/** Credentials of a cloud, by the names that clients know. */
export interface CloudCredentials {
  readonly attributes: Readonly<Record<string, string>>
  /** Epoch milliseconds; undefined when the cloud does not say. */
  readonly expiration?: number
}

/** No credentials, and why; the message is for the client. */
export class CloudRefusal extends Error {}

/** Gets credentials of a cloud. */
export interface CloudProvider {
  /** Rejects with {@link CloudRefusal}. */
  credentials(question: CloudQuestion): Promise<CloudCredentials>
  close(): Promise<void>
}

const TEXT_MAX_LENGTH = 256

/** A text that must be there and fit the pattern, for it becomes part of an address. */
export function checkedText(what: string, text: string | undefined, pattern: RegExp): string {
  if (!text) throw new CloudRefusal(`${what} is not specified`)
  if (text.length > TEXT_MAX_LENGTH || !pattern.test(text)) throw new CloudRefusal(`${what} is not valid`)
  return text
}

/** The scopes in a text between blanks; the default where there are none, so that no question of rights is about nothing. */
export function scopesOf(text: string | undefined, defaultScope: string): readonly string[] {
  const scopes = text?.split(' ').filter((scope) => scope !== '') ?? []
  return scopes.length > 0 ? scopes : [defaultScope]
}
