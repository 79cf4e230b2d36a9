import type { JwtClaims } from '#core/token/json-web-token.ts'
import { parseJwt } from '#core/token/json-web-token.ts'
import type { CloudProvider } from '#zts/service/external/cloud-provider.ts'
import { externalCredentialsService } from '#zts/service/external-credentials.ts'
import type { DomainJson } from '../../../support/zts-domains.ts'
import { type Answer, type CallOptions, Harness, type HarnessOptions, type HarnessParts } from '../harness.ts'
import { OPENID_ISSUER, tokenParts } from '../token-parts.ts'

/** What a server with one cloud is opened with. */
export interface CloudOptions extends Partial<HarnessOptions> {
  readonly name: string
  readonly provider: (parts: HarnessParts, log: string[]) => CloudProvider
  readonly domains: readonly DomainJson[]
}

/** A server that gives credentials of one cloud. */
export class CloudServer {
  readonly harness: Harness
  readonly log: string[]
  readonly #name: string

  private constructor(harness: Harness, name: string, log: string[]) {
    this.harness = harness
    this.log = log
    this.#name = name
  }

  static async open({ name, provider, properties, ...options }: CloudOptions): Promise<CloudServer> {
    const log: string[] = []
    const harness = await Harness.open({
      ...options,
      properties: { openid_issuer: OPENID_ISSUER, oidc_port_issuer: 'https://port.example', ...properties },
      services: [
        (parts) => {
          const noted = { ...parts, log: (level: string, line: string) => log.push(`${level}: ${line}`) }
          const cloudProviders = new Map([[name, provider(noted, log)]])
          return externalCredentialsService({ ...noted, ...tokenParts(parts), cloudProviders })
        },
      ],
    })
    return new CloudServer(harness, name, log)
  }

  /** Asks for credentials for a client of the domain `sports`. */
  ask(
    attributes: Readonly<Record<string, string>> | undefined,
    options: CallOptions = { as: 'sports.svc' },
    more: { readonly clientId?: string; readonly expiryTime?: number; readonly cloud?: string } = {},
  ): Promise<Answer> {
    const { cloud = this.#name, ...members } = more
    const body = { clientId: 'sports.cloud', ...members, ...(attributes && { attributes }) }
    return this.harness.post(`/external/${cloud}/domain/sports/creds`, body, options)
  }
}

/** What a token says, without its times and nonce. */
export function saidBy(token: string): { readonly claims: JwtClaims; readonly alg: string; readonly life: number } {
  const parsed = parseJwt(token)
  if (!parsed.ok) throw new Error(parsed.failure.reason)
  const { exp, iat, auth_time: _, nonce, ver: __, ...claims } = parsed.token.claims
  if (typeof nonce !== 'string' || nonce === '') throw new Error('no nonce')
  return { claims, alg: parsed.token.header.alg, life: Number(exp) - Number(iat) }
}
