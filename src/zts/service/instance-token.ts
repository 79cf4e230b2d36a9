import type { RequestContext } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { idTokenFor } from './id-token.ts'
import { IdTokenLife } from './id-token-life.ts'
import type { KeyType } from './token-signers.ts'

/** What tokens of instances are made with. */
export type InstanceTokenDependencies = Pick<
  ZtsDependencies,
  'config' | 'domains' | 'roleAccess' | 'signers' | 'issuers' | 'principalIssuers' | 'now'
>

/** What a JSON web token of an instance says. */
export interface InstanceJwt {
  readonly domain: string
  readonly service: string
  /** The issuer when it is not given. */
  readonly audience: string | undefined
  readonly nonce: string | undefined
  readonly spiffe: string | undefined
  /** The SPIFFE id is the subject in place of the service. */
  readonly spiffeSubject: boolean
  readonly keyType: string | undefined
  readonly lifeSeconds: number | undefined
}

/** Tokens with which instances identify themselves beside, or in place of, their certificates. */
export class InstanceTokens {
  readonly #deps: InstanceTokenDependencies
  readonly #life: IdTokenLife

  constructor(deps: InstanceTokenDependencies) {
    this.#deps = deps
    this.#life = new IdTokenLife(deps)
  }

  /** A principal token of a service, for use from the address of the caller. */
  principalToken(
    domain: string,
    service: string,
    { remoteAddress }: Pick<RequestContext, 'remoteAddress'>,
  ): Promise<string> {
    const { config, signers, now } = this.#deps
    const issueTimeSeconds = Math.floor(now() / 1000)
    return signPrincipalToken(
      {
        version: 'S1',
        domain,
        name: service,
        host: config.zts.hostname,
        issueTimeSeconds,
        expiryTimeSeconds: issueTimeSeconds + config.zts.instanceTokenTimeoutSeconds,
        keyService: 'zts',
        ip: remoteAddress,
      },
      signers.proprietaryObjects,
    )
  }

  /** A JSON web token of a service, with the life that id tokens have. */
  async jwt(token: InstanceJwt, context: RequestContext): Promise<string> {
    const { signers, issuers, principalIssuers, now } = this.#deps
    const name = serviceFullName(token.domain, token.service)
    const issuer = issuers.openId(context)
    const { principal } = context
    return await idTokenFor(signers.jsonWebObjects(keyTypeOf(token.keyType)), {
      subject: token.spiffeSubject && token.spiffe ? token.spiffe : name,
      audience: token.audience || issuer,
      issuer,
      issuedSeconds: Math.floor(now() / 1000),
      lifeSeconds: this.#life.secondsFor(name, token.lifeSeconds),
      nonce: token.nonce || undefined,
      spiffe: token.spiffeSubject ? undefined : token.spiffe || undefined,
      principalIssuer: principal && principalIssuers.issuerOf(principal),
    })
  }
}

const keyTypeOf = (text: string | undefined): KeyType | undefined => {
  const type = text?.toUpperCase()
  return type === 'RSA' || type === 'EC' ? type : undefined
}
