import { readAthenzConf } from '#core/config/athenz-conf.ts'
import { type JwtClaims, verifyJwt } from '#core/token/json-web-token.ts'
import { type Machine, ToolFailure } from './tool.ts'

/**
 * Checks signature and times of a token with the keys of ZTS in athenz.conf, and prints that it holds, after its claims
 * if they are wanted. Throws a ToolFailure with the reason why it does not.
 */
export async function checkJsonWebToken(
  token: string,
  { conf, claims, kind }: { readonly conf: string; readonly claims: boolean; readonly kind: 'Access' | 'Id' },
  machine: Machine,
): Promise<void> {
  const { ztsPublicKeys } = await readAthenzConf(conf, { keys: 'optional' })
  const outcome = await verifyJwt(token.trim(), {
    keyOf: ({ kid }) => (kid === undefined ? undefined : ztsPublicKeys.get(kid)),
    nowSeconds: Date.now() / 1000,
  })
  if (!outcome.ok) throw new ToolFailure(`Unable to validate ${kind.toLowerCase()} token: ${outcome.failure.reason}`)
  if (claims) machine.print(claimLines(outcome.token.claims))
  machine.print(`${kind} Token successfully validated\n`)
}

const claimLines = (claims: JwtClaims): string =>
  Object.entries(claims)
    .map(([name, value]) => `claim[${name}] value[${typeof value === 'string' ? value : JSON.stringify(value)}]\n`)
    .join('')
