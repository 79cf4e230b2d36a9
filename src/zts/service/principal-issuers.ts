import type { X509Certificate } from 'node:crypto'
import { type IdentityIssuers, readIdentityIssuers } from '#core/authority/identity-issuers.ts'
import type { Principal } from '#core/authority/principal.ts'
import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'

/** Which identity issuer stands behind a caller, for the claim `principal_issuer`; asked once per certificate. */
export class PrincipalIssuers {
  readonly #issuers: IdentityIssuers | undefined
  readonly #known = new WeakMap<X509Certificate, string | null>()

  /** Without issuers no token has the claim. */
  constructor(issuers?: IdentityIssuers) {
    this.#issuers = issuers
  }

  /** Undefined for a caller without certificate, and for one whose certificate has no identity issuer. */
  issuerOf({ x509Certificate }: Principal): string | undefined {
    if (this.#issuers === undefined || x509Certificate === undefined) return undefined
    let issuer = this.#known.get(x509Certificate)
    if (issuer === undefined) {
      issuer = this.#issuers.identityOf(x509Certificate) ?? null
      this.#known.set(x509Certificate, issuer)
    }
    return issuer ?? undefined
  }
}

/** The issuers of the configured file. Throws a ConfigError when it is not what it should be. */
export async function loadPrincipalIssuers({ zts }: Pick<ConfigOf['zts'], 'zts'>): Promise<PrincipalIssuers> {
  const file = zts.principalIdentityIssuerMapFname
  if (file === undefined) return new PrincipalIssuers()
  try {
    return new PrincipalIssuers(await readIdentityIssuers(file))
  } catch (cause) {
    throw new ConfigError([`athenz.zts.principal_identity_issuer_map_fname: ${(cause as Error).message}`])
  }
}
