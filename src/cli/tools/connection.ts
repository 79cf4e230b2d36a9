import { type Identity, PRINCIPAL_TOKEN_HEADER, tokenIdentity } from '#client/identity.ts'
import { ZtsClient } from '#client/zts-client.ts'
import { certificateOf } from './certificate-caller.ts'
import { readDefaultConfig } from './default-config.ts'
import { text, toggle } from './flags.ts'
import { proxyFor } from './http-proxy.ts'
import { type Machine, readGivenFile } from './tool.ts'

/** Flags that say where ZTS is and who calls it. */
export const CERTIFICATE_FLAGS = {
  zts: text('URL of ZTS'),
  'svc-key-file': text('private key of the caller'),
  'svc-cert-file': text('certificate of the caller'),
} as const

/** The caller may have a principal token instead. */
export const TOKEN_FLAGS = {
  'ntoken-file': text('file with a principal token of the caller'),
  hdr: text('header in which the token is sent', PRINCIPAL_TOKEN_HEADER),
} as const

export const PROXY_FLAG = { proxy: toggle('use the HTTP proxy that the environment names', true) } as const

/** What is known of a connection; empty texts stand for nothing. */
export interface ConnectionFlags {
  readonly zts: string
  readonly 'svc-key-file': string
  readonly 'svc-cert-file': string
  readonly 'ntoken-file'?: string
  readonly ntoken?: string
  readonly hdr?: string
}

/** Fills what the flags leave open from the user's configuration. */
export async function withDefaults<F extends ConnectionFlags>(given: F, { home }: Machine): Promise<F> {
  const hasToken = Boolean(given.ntoken || given['ntoken-file'])
  const config = await readDefaultConfig(home)
  const certificate = !hasToken && {
    'svc-key-file': given['svc-key-file'] || (config['svc-key-file'] ?? ''),
    'svc-cert-file': given['svc-cert-file'] || (config['svc-cert-file'] ?? ''),
  }
  return { ...given, ...certificate, zts: given.zts || (config.zts ?? '') }
}

/** Whether the flags name somebody who calls: a key with its certificate, or a token. */
export const namesCaller = (given: ConnectionFlags): boolean =>
  Boolean((given['svc-key-file'] && given['svc-cert-file']) || given.ntoken || given['ntoken-file'])

/** Who calls. Throws a ToolFailure when a file cannot be used. */
export async function callerOf(given: ConnectionFlags): Promise<Identity> {
  const header = given.hdr ?? PRINCIPAL_TOKEN_HEADER
  if (given.ntoken) return tokenIdentity(given.ntoken.trim(), { header })
  if (given['ntoken-file']) {
    return tokenIdentity((await readGivenFile(given['ntoken-file'], 'token')).trim(), { header })
  }
  return certificateOf(given['svc-cert-file'], given['svc-key-file'])
}

export { certificateOf }

/** How {@link openZts} reaches ZTS. */
export interface ZtsConnection {
  readonly url: string
  /** Empty: the authorities of the system. */
  readonly caFile: string
  readonly identity?: Identity | undefined
  readonly proxy?: boolean
}

/** A client for one request: it keeps no tokens. */
export function openZts({ url, caFile, identity, proxy = false }: ZtsConnection, { env }: Machine): ZtsClient {
  const proxyUrl = proxy ? proxyFor(url, env) : undefined
  return new ZtsClient({
    url,
    cache: false,
    prefetch: false,
    accessTokenFolder: false,
    ...(caFile && { caFile }),
    ...(identity && { identity }),
    ...(proxyUrl !== undefined && { proxyUrl }),
  })
}
