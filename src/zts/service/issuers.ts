import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { isSpecialPort } from '#core/http/container.ts'
import type { RequestContext } from '#core/http/endpoint.ts'

/** What of a request decides which issuer its tokens name. */
export type IssuerContext = Pick<RequestContext, 'header' | 'localPort'>

/** Settings behind {@link Issuers}. */
export interface IssuerSettings {
  readonly oauthIssuer: string
  readonly openIdIssuer: string
  readonly oidcPortIssuer: string
  /** Port that only serves the OpenID operations; 0 when there is none. */
  readonly oidcPort: number
  /** Name of this server, for requests without a host. */
  readonly hostname: string
  /** Issuers by lower-case host name of the request. */
  readonly byHost: ReadonlyMap<string, string>
}

/**
 * The names under which this server issues tokens. An issuer that belongs to the host name of a request wins over all
 * others, for access and id tokens alike.
 */
export class Issuers {
  /** Every issuer that is this server: what assertions may be meant for, and what its own tokens may name. */
  readonly all: ReadonlySet<string>
  readonly #settings: IssuerSettings

  constructor(settings: IssuerSettings) {
    this.#settings = settings
    const { oauthIssuer, openIdIssuer, oidcPortIssuer, byHost } = settings
    this.all = new Set([oauthIssuer, openIdIssuer, oidcPortIssuer, ...byHost.values()])
  }

  /** Of access tokens. */
  oauth(context: IssuerContext): string {
    return this.#ofHost(context) ?? this.#settings.oauthIssuer
  }

  /** Of id tokens, and of access tokens whose request asks for it; another one on the OpenID port. */
  openId(context: IssuerContext): string {
    return this.#ofHost(context) ?? this.openIdOfPort(context)
  }

  /** Of id tokens that are asked for as if on the OpenID port. */
  oidcPort(context: IssuerContext): string {
    return this.#ofHost(context) ?? this.#settings.oidcPortIssuer
  }

  /** That of {@link openId}, whatever the host name of the request is: the subject of the metadata documents. */
  openIdOfPort({ localPort }: Pick<IssuerContext, 'localPort'>): string {
    const { oidcPort, oidcPortIssuer, openIdIssuer } = this.#settings
    return oidcPort > 0 && localPort === oidcPort ? oidcPortIssuer : openIdIssuer
  }

  #ofHost({ header }: IssuerContext): string | undefined {
    const { byHost, hostname } = this.#settings
    if (byHost.size === 0) return undefined
    return byHost.get(hostName(header('host')) ?? hostname.toLowerCase())
  }
}

/** Name in a Host header without its port, in lower case; undefined when there is none. */
function hostName(host: string | undefined): string | undefined {
  if (!host) return undefined
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':')
  return (end > 0 ? host.slice(0, end) : host).toLowerCase()
}

const HostFile = z.array(z.object({ host: z.string().min(1), issuer: z.string().min(1) }))

/** The issuers as configured. Throws a ConfigError when the file with the host names is not what it should be. */
export async function loadIssuers({ zts, container }: Pick<ConfigOf['zts'], 'zts' | 'container'>): Promise<Issuers> {
  const file = zts.hostIssuerMappingFile
  return new Issuers({
    oauthIssuer: zts.oauthIssuer,
    openIdIssuer: zts.openidIssuer,
    oidcPortIssuer: zts.oidcPortIssuer,
    oidcPort: isSpecialPort(container.oidcPort, container) ? container.oidcPort : 0,
    hostname: zts.hostname,
    byHost: file === undefined ? new Map() : await readHosts(file),
  })
}

async function readHosts(file: string): Promise<Map<string, string>> {
  try {
    const entries = HostFile.parse(JSON.parse(await readFile(file, 'utf8')))
    return new Map(entries.map(({ host, issuer }) => [host.toLowerCase(), issuer]))
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
    throw new ConfigError([`athenz.zts.host_issuer_mapping_file: ${file}: ${reason}`])
  }
}
