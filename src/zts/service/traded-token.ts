import type { Principal } from '#core/authority/principal.ts'
import { badRequest, type ServiceError } from '#core/error/service-error.ts'
import { credentialPrincipal } from '#core/names/credential-principal.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import {
  audiencesOf,
  type JwtClaims,
  type JwtHeader,
  type JwtRules,
  parseJwt,
  textClaim,
  timeClaim,
  verifyParsedJwt,
} from '#core/token/json-web-token.ts'
import { TOKEN_TYPES, type TokenRequest } from './access-token-request.ts'
import { CLIENT_ASSERTION_AUTHORITY, ID_JAG_TYPE, SERVICE_ALGORITHMS, serviceKey } from './client-assertion.ts'
import { ACCESS_TOKEN_TYPE } from './client-credentials.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { type ForeignIssuers, type OAuthProvider, onlyAudience, PLAIN_PROVIDER } from './foreign-issuers.ts'
import { isSpiffeId, principalOfSpiffeId } from './spiffe-principal.ts'

/** What verifies tokens that are traded for others. */
export type TradedTokenDependencies = Pick<ZtsDependencies, 'config' | 'issuers' | 'keyStore' | 'now'> & {
  readonly foreignIssuers: ForeignIssuers
}

/** A token that holds, in our terms. */
export interface TradedToken {
  readonly claims: JwtClaims
  /** Lower-case full name of the principal that it is about; undefined when it does not say. */
  readonly subject: string | undefined
  /** SPIFFE id of the subject. */
  readonly spiffe: string | undefined
  /** Whom it is for; undefined when it does not say, or is for several. */
  readonly audience: string | undefined
  /** Claims that go on into identity assertion grants. */
  readonly copied: JwtClaims
}

/** Who has signed a token, and how it is read. */
interface TokenIssuer {
  readonly keyOf: JwtRules['keyOf']
  /** Those of public keys when absent. */
  readonly algorithms?: ReadonlySet<string>
  readonly provider: OAuthProvider
}

/** Kinds of tokens as which one may be handed in, by the names of RFC 8693. */
export const ANY_TOKEN: readonly string[] = [TOKEN_TYPES.idToken, TOKEN_TYPES.accessToken, TOKEN_TYPES.jwt]
/** Only who was authenticated, not what somebody may do. */
export const ID_TOKEN_ONLY: readonly string[] = [TOKEN_TYPES.idToken]

/** Values of the header `typ` in tokens of subjects and actors. */
const SUBJECT_TYPES = [ACCESS_TOKEN_TYPE, 'jwt', undefined]

/** Reads the tokens in a request that are traded for others: of this server, and of the foreign issuers. */
export class TradedTokens {
  readonly #deps: TradedTokenDependencies

  constructor(deps: TradedTokenDependencies) {
    this.#deps = deps
  }

  /** The token of the subject. Throws `bad-request` when it is missing, not of a kind in `kinds`, or does not hold. */
  async subject(request: TokenRequest, kinds: readonly string[]): Promise<TradedToken> {
    const { subjectToken, subjectTokenType: kind } = request
    if (kind === undefined || !kinds.includes(kind)) throw badRequest(`Invalid subject token type: ${kind ?? 'null'}`)
    if (!subjectToken) throw badRequest('Invalid request: no subject token provided')
    return this.#verified(subjectToken, SUBJECT_TYPES, 'subject')
  }

  /**
   * The token of who wants to act for the subject; undefined without one. A service may have signed it itself, for this
   * server. Throws as {@link TradedTokens.subject}.
   */
  async actor({ actorToken, actorTokenType: kind }: TokenRequest): Promise<TradedToken | undefined> {
    if (!actorToken) return undefined
    if (kind === undefined || !ANY_TOKEN.includes(kind)) throw badRequest(`Invalid actor token type: ${kind ?? 'null'}`)
    return this.#verified(actorToken, SUBJECT_TYPES, 'actor', (claims) => this.#serviceItself(claims))
  }

  /** An identity assertion grant. Throws as {@link TradedTokens.subject}. */
  async assertion({ assertion }: TokenRequest): Promise<TradedToken> {
    if (!assertion) throw badRequest('Invalid request: no assertion provided')
    return this.#verified(assertion, [ID_JAG_TYPE], 'assertion')
  }

  /** `otherwise` knows tokens that neither this server nor a foreign issuer has signed. */
  async #verified(
    text: string,
    types: readonly (string | undefined)[],
    whose: string,
    otherwise?: (claims: JwtClaims) => TokenIssuer | undefined,
  ): Promise<TradedToken> {
    const { now } = this.#deps
    const refused = (reason: string) => badRequest(`Invalid ${whose} token: ${reason}`)
    const parsed = parseJwt(text)
    if (!parsed.ok) throw refused(parsed.failure.reason)
    const issuer = this.#issuerOf(parsed.token.claims) ?? otherwise?.(parsed.token.claims)
    if (issuer === undefined) throw refused('the issuer is not known')
    const outcome = await verifyParsedJwt(parsed.token, {
      keyOf: issuer.keyOf,
      ...(issuer.algorithms && { algorithms: issuer.algorithms }),
      types,
      nowSeconds: Math.floor(now() / 1000),
    })
    if (!outcome.ok) throw refused(outcome.failure.reason)
    return this.#inOurTerms(outcome.token.claims, issuer.provider, refused)
  }

  /** Where the key comes from is decided by who is said to have issued the token, and by nothing else in it. */
  #issuerOf(claims: JwtClaims): TokenIssuer | undefined {
    const { issuers, foreignIssuers, keyStore } = this.#deps
    const name = textClaim(claims, 'iss')
    if (name === undefined) return undefined
    if (issuers.all.has(name)) {
      const keyOf = ({ kid }: JwtHeader) => (kid === undefined ? undefined : keyStore.publicKey('sys.auth', 'zts', kid))
      return { keyOf, provider: PLAIN_PROVIDER }
    }
    const foreign = foreignIssuers.get(name)
    return foreign && { keyOf: (header: JwtHeader) => foreign.keys.keyOf(header), provider: foreign.provider }
  }

  /** A service that names itself as issuer and this server as audience. */
  #serviceItself(claims: JwtClaims): TokenIssuer | undefined {
    const { config, issuers, keyStore } = this.#deps
    const name = textClaim(claims, 'sub')
    const service = name === undefined || name !== textClaim(claims, 'iss') ? undefined : splitPrincipalName(name)
    if (service === undefined || service.domain === config.userDomain) return undefined
    if (!audiencesOf(claims).some((audience) => issuers.all.has(audience))) return undefined
    const keyOf = (header: JwtHeader) => serviceKey(keyStore, header, service)
    return { keyOf, algorithms: SERVICE_ALGORITHMS, provider: PLAIN_PROVIDER }
  }

  #inOurTerms(claims: JwtClaims, provider: OAuthProvider, refused: (reason: string) => ServiceError): TradedToken {
    const said = provider.principalName(claims)
    const id = said !== undefined && isSpiffeId(said) ? said : undefined
    const subject = id === undefined ? said : this.#principalOf(id)
    if (subject !== undefined && !isPrincipalName(subject)) throw refused('the subject is not the name of a principal')
    const spiffe = textClaim(claims, 'spiffe') ?? id
    if (spiffe !== undefined && this.#principalOf(spiffe) !== subject) throw wrongSpiffeId()
    const copied = (provider.copiedClaims ?? []).filter((name) => Object.hasOwn(claims, name))
    return {
      claims,
      subject,
      spiffe,
      audience: provider.audience ? provider.audience(claims) : onlyAudience(claims),
      copied: Object.fromEntries(copied.map((name) => [name, claims[name]])),
    }
  }

  #principalOf(id: string): string {
    const name = principalOfSpiffeId(id, this.#deps.config.zts.spiffeTrustDomain)
    if (name === undefined) throw wrongSpiffeId()
    return name
  }
}

const wrongSpiffeId = () => badRequest('SPIFFE ID does not match authenticated principal')

/** In lower case as it stands: an issuer to which letter case matters might mean somebody else. */
const isPrincipalName = (name: string): boolean =>
  name === name.toLowerCase() && credentialPrincipal(name) !== undefined

/** The caller that a token names, where no authority knows one. */
export function principalOfToken({ subject, claims }: TradedToken): Principal | undefined {
  const parts = subject === undefined ? undefined : splitPrincipalName(subject)
  if (subject === undefined || parts === undefined) return undefined
  return {
    ...parts,
    fullName: subject,
    authority: CLIENT_ASSERTION_AUTHORITY,
    issueTimeSeconds: timeClaim(claims, 'iat') ?? 0,
  }
}
