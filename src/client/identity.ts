import { X509Certificate } from 'node:crypto'
// Node.js cannot make TLS connections any more when a certificate is read with toLegacyObject before this is loaded.
// oxlint-disable-next-line import/no-unassigned-import -- it is wanted for that alone
import 'node:tls'
import { parsePrincipalToken } from '#core/token/principal-token.ts'

/** Certificate and key with which connections are made, and who is trusted, all as PEM. */
export interface TlsIdentity {
  /** The certificate of the client and the issuers above it. */
  readonly cert: string
  readonly key: string
  /** Authorities that vouch for the server; those of the `ca` option, or of the system, unless given. */
  readonly ca?: readonly string[]
}

/**
 * Who calls. Make one with `keyPairIdentity`, `certificateFiles`, `certificateIdentity` or `tokenIdentity`, or write your
 * own. Several clients may share one; who made it closes it.
 */
export interface Identity {
  /** Full name of the caller, e.g. `sports.api`; tokens of somebody whose name is not known are not cached. */
  readonly name: string | undefined
  /** Headers that say who calls; asked for before each request. */
  readonly headers?: () => Promise<Readonly<Record<string, string>>>
  /** Certificate for connections; the same object until it changes. */
  readonly tls?: () => TlsIdentity
  /** Calls `listener` after each change of the certificate; gives what ends that. */
  readonly onChange?: (listener: () => void) => () => void
  /** The server answered that it does not know who calls. */
  readonly refused?: () => void
  readonly close?: () => void
}

/** Header of principal tokens unless `athenz.auth.principal.header` of the servers says otherwise. */
export const PRINCIPAL_TOKEN_HEADER = 'Athenz-Principal-Auth'

/** How a token of somebody is sent. */
export interface TokenIdentityOptions {
  /** {@link PRINCIPAL_TOKEN_HEADER} unless given; `Authorization` for `Bearer …` and `Basic …`. */
  readonly header?: string
  /** Full name of the caller; that in the token when it is a principal token. */
  readonly name?: string
}

/**
 * Somebody who has a token: a principal token, or whatever else a header of the server takes. A function is asked for the
 * token before each request.
 */
export function tokenIdentity(
  token: string | (() => string | Promise<string>),
  { header = PRINCIPAL_TOKEN_HEADER, name }: TokenIdentityOptions = {},
): Identity {
  return {
    name: name ?? (typeof token === 'string' ? nameInToken(token) : undefined),
    headers: async () => ({ [header.toLowerCase()]: typeof token === 'string' ? token : await token() }),
  }
}

function nameInToken(text: string): string | undefined {
  const parsed = parsePrincipalToken(text)
  return parsed.ok ? `${parsed.token.domain}.${parsed.token.name}` : undefined
}

/** A certificate and its key as PEM, used as they are. `name` is the common name of the certificate. */
export function certificateIdentity(tls: TlsIdentity): Identity {
  return { name: commonName(tls.cert), tls: () => tls }
}

/** Common name of the first certificate of a PEM text; undefined when it has none, or several. */
export function commonName(pem: string): string | undefined {
  const { CN } = new X509Certificate(pem).toLegacyObject().subject as Readonly<Record<string, string | string[]>>
  return typeof CN === 'string' ? CN : undefined
}
