import { randomUUID } from 'node:crypto'

/** Who acts, and for whom that one acts in turn (RFC 8693, 4.1). */
export interface Actor {
  readonly sub: string
  readonly act?: unknown
}

/** What an access token says. */
export interface AccessTokenGrant {
  readonly subject: string
  /** Who asked for the token. */
  readonly clientId: string
  /** Left out of the token when undefined. */
  readonly userId: string | undefined
  readonly audience: string
  readonly issuer: string
  /** Epoch seconds. */
  readonly issuedSeconds: number
  readonly lifeSeconds: number
  /** As they are to be shown. */
  readonly roles: readonly string[]
  /** Who asked on behalf of the subject. */
  readonly proxyPrincipal?: string | undefined
  readonly confirmation?: Confirmation | undefined
  readonly authorizationDetails?: string | undefined
  /** Who may exchange the token for one in which it acts for the subject. */
  readonly mayAct?: string | undefined
  readonly actor?: Actor | undefined
  readonly principalIssuer?: string | undefined
  readonly resource?: string | undefined
  readonly spiffe?: string | undefined
}

/** Which certificates a token is bound to (RFC 8705, 3.1): the caller's, and those of proxies by SPIFFE URI. */
export interface Confirmation {
  readonly 'x5t#S256': string
  readonly 'proxy-principals#spiffe'?: readonly string[]
}

/** The claims of an access token; members without a value are left out when they are written. */
export function accessTokenClaims(grant: AccessTokenGrant): object {
  const { roles, issuedSeconds, lifeSeconds, userId, mayAct } = grant
  return {
    sub: grant.subject,
    scp: roles,
    ver: 1,
    iss: grant.issuer,
    client_id: grant.clientId,
    aud: grant.audience,
    uid: userId,
    proxy: grant.proxyPrincipal,
    authorization_details: grant.authorizationDetails,
    auth_time: issuedSeconds,
    scope: roles.join(' '),
    cnf: grant.confirmation,
    may_act: mayAct === undefined ? undefined : { sub: mayAct },
    act: grant.actor,
    resource: grant.resource,
    principal_issuer: grant.principalIssuer,
    spiffe: grant.spiffe,
    exp: issuedSeconds + lifeSeconds,
    iat: issuedSeconds,
    jti: randomUUID(),
  }
}
