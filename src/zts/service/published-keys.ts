import type { JsonWebKey, KeyObject } from 'node:crypto'
import { findKeyKind } from '#core/crypto/key-kind.ts'
import type { Signer } from '#core/crypto/signing.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { JWK } from '../api/keys.ts'
import type { Domains } from '../cache/domains.ts'
import type { CachedService } from '../cache/model.ts'
import type { ServerKeys } from './service-key-store.ts'
import type { TokenSigners } from './token-signers.ts'

/** The servers whose keys are published. */
export type PublishingServer = 'zms' | 'zts'

/** Where the published keys come from. */
export interface PublishedKeysOptions {
  /** What athenz.conf says now; the same object for as long as it says the same. */
  readonly athenzConf: () => ServerKeys
  readonly signers: Pick<TokenSigners, 'all'>
  readonly domains: Pick<Domains, 'get' | 'publicKey'>
  /** Whether elliptic curves are named as the JOSE standards do for everybody. */
  readonly standardCurvesOnly: boolean
}

/** One list of keys as it was made, and what it was made of. */
interface Listed {
  readonly conf: ServerKeys
  readonly signers: readonly Signer[]
  readonly registered: CachedService | undefined
  readonly keys: ReadonlyMap<string, KeyObject>
  /** Members as JSON web keys, by whether curves have their standard names; made when they are asked for. */
  readonly jwks: Map<boolean, readonly JWK[]>
}

/**
 * The public keys of the servers, from every source: those of athenz.conf in its order, those that this server signs
 * with now, those that are registered as keys of `sys.auth.zms` and `sys.auth.zts`. A key that this server signs with
 * has its id to itself, so that every token of this server can be verified.
 */
export class PublishedKeys implements ServerKeys {
  readonly #options: PublishedKeysOptions
  readonly #listed = new Map<PublishingServer, Listed>()

  constructor(options: PublishedKeysOptions) {
    this.#options = options
  }

  /** By key id. */
  get zmsPublicKeys(): ReadonlyMap<string, KeyObject> {
    return this.#list('zms').keys
  }

  /** By key id. */
  get ztsPublicKeys(): ReadonlyMap<string, KeyObject> {
    return this.#list('zts').keys
  }

  /** As JSON web keys. `standardCurves`: curves and numbers as the JOSE standards write them. */
  jwks(server: PublishingServer, standardCurves: boolean): readonly JWK[] {
    const { keys, jwks } = this.#list(server)
    const standard = standardCurves || this.#options.standardCurvesOnly
    let list = jwks.get(standard)
    if (list === undefined) {
      list = [...keys].flatMap(([id, key]) => jwkOf(id, key, standard) ?? [])
      jwks.set(standard, list)
    }
    return list
  }

  #list(server: PublishingServer): Listed {
    const { athenzConf, domains, signers } = this.#options
    const conf = athenzConf()
    const registered = domains.get(AUTHORITY_DOMAIN)?.services.get(server)
    const known = this.#listed.get(server)
    if (known?.conf === conf && known.registered === registered && known.signers === signers.all) return known
    const listed = {
      conf,
      registered,
      signers: signers.all,
      keys: this.#collect(server, conf, registered),
      jwks: new Map(),
    }
    this.#listed.set(server, listed)
    return listed
  }

  #collect(server: PublishingServer, conf: ServerKeys, registered: CachedService | undefined): Map<string, KeyObject> {
    const { signers, domains } = this.#options
    const keys = new Map(server === 'zms' ? conf.zmsPublicKeys : conf.ztsPublicKeys)
    // ZMS keeps ids in lower case, whatever the files say.
    const ids = new Map([...keys.keys()].map((id) => [id.toLowerCase(), id]))
    for (const { keyId, publicKey } of server === 'zts' ? signers.all : []) {
      const other = ids.get(keyId.toLowerCase())
      if (other !== undefined && other !== keyId) keys.delete(other)
      keys.set(keyId, publicKey)
      ids.set(keyId.toLowerCase(), keyId)
    }
    for (const id of registered?.publicKeys.keys() ?? []) {
      const key = ids.has(id.toLowerCase()) ? undefined : domains.publicKey(AUTHORITY_DOMAIN, server, id)
      if (key !== undefined) keys.set(id, key)
    }
    return keys
  }
}

const AUTHORITY_DOMAIN = 'sys.auth'

/** Full name of the service under which the keys of a server are registered. */
export const authorityServiceName = (server: PublishingServer): string => serviceFullName(AUTHORITY_DOMAIN, server)

/** Names of curves in OpenSSL, which the original puts into its lists unless it is asked for the standard ones. */
const OPENSSL_CURVES: ReadonlyMap<string, string> = new Map([
  ['P-256', 'prime256v1'],
  ['P-384', 'secp384r1'],
  ['P-521', 'secp521r1'],
])

/** A public key as a JSON web key; undefined for one that no token can be signed with. */
export function jwkOf(keyId: string, key: KeyObject, standardCurves: boolean): JWK | undefined {
  const kind = findKeyKind(key, 'jose')
  if (typeof kind === 'string') return undefined
  const jwk: JsonWebKey = key.export({ format: 'jwk' })
  const common = { kid: keyId, alg: kind.joseAlgorithm, use: 'sig' }
  if (kind.family === 'rsa') return { kty: 'RSA', ...common, n: jwk.n, e: jwk.e }
  if (kind.family !== 'ec') return { kty: 'OKP', ...common, crv: jwk.crv, x: jwk.x }
  const { crv = '', x = '', y = '' } = jwk
  if (standardCurves) return { kty: 'EC', ...common, crv, x, y }
  return { kty: 'EC', ...common, crv: OPENSSL_CURVES.get(crv) ?? crv, x: signedInteger(x), y: signedInteger(y) }
}

/**
 * The number with the fewest bytes whose first bit is a sign: old clients, for whom this form is meant, would read a
 * number without it as negative.
 */
function signedInteger(unsigned: string): string {
  const bytes = Buffer.from(unsigned, 'base64url')
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start === -1 ? Buffer.alloc(1) : bytes.subarray(start)
  const signed = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits
  return signed.toString('base64url')
}
