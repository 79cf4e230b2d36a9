import type { KeyStore } from '../authority/key-store.ts'
import type { Signer } from '../crypto/signing.ts'
import { splitPrincipalName } from '../names/principal-name.ts'
import { audiencesOf, signJwt, textClaim, timeClaim, verifyJwt } from './json-web-token.ts'

/** What a service says of its web page: where it is. A JSON web token of ours, signed with a key that ZMS knows. */
export interface PageStatement {
  /** Full name, e.g. `sys.auth.ui-server`. */
  readonly service: string
  /** Scheme, host and port as browsers send them, e.g. `https://ui.example.com`. */
  readonly origin: string
}

/** No other kind of token may pass as a statement, and a statement passes as no other. */
const TYPE = 'athenz-page+jwt'
const AUDIENCE = 'sys.auth.zms'
/** A statement that is good for longer is none of ours. */
export const PAGE_STATEMENT_LIFE_SECONDS = 600

/** Makes the statement of a service. */
export const signPageStatement = (
  signer: Signer,
  { service, origin }: PageStatement,
  expiryTimeSeconds: number,
): Promise<string> | string =>
  signJwt(signer, { iss: service, aud: AUDIENCE, origin, exp: expiryTimeSeconds }, { typ: TYPE })

/** The statement, verified with the keys of the service that made it; a text says what is wrong with it. */
export async function verifyPageStatement(
  text: string,
  { keyStore, nowSeconds }: { keyStore: KeyStore; nowSeconds: number },
): Promise<PageStatement | string> {
  const outcome = await verifyJwt(text, {
    types: [TYPE],
    nowSeconds,
    keyOf: ({ kid }, claims) => {
      const maker = splitPrincipalName(textClaim(claims, 'iss') ?? '')
      return maker && kid !== undefined ? keyStore.publicKey(maker.domain, maker.name, kid) : undefined
    },
  })
  if (!outcome.ok) return outcome.failure.reason
  const { claims } = outcome.token
  if (!audiencesOf(claims).includes(AUDIENCE)) return 'the audience is not ZMS'
  if ((timeClaim(claims, 'exp') ?? 0) > nowSeconds + 2 * PAGE_STATEMENT_LIFE_SECONDS) return 'it expires too late'
  const [service, origin] = [textClaim(claims, 'iss'), textClaim(claims, 'origin')]
  return service !== undefined && origin !== undefined ? { service, origin } : 'it names no page'
}
