import { join } from 'node:path'
import { parseJwt, timeClaim } from '#core/token/json-web-token.ts'
import type { Renewable } from './agent.ts'
import { writeAtomically } from './atomic-file.ts'
import { secretAccess, textOf } from './certificate-pair.ts'
import type { Validity } from './renewal-schedule.ts'
import { type ItemContext, identityOf } from './service-certificate.ts'
import type { SiaConfig } from './sia-config.ts'

const ALL_ROLES_FILE = 'domain'

/** An access token in `tokens/DOMAIN/FILE`: the answer of ZTS as JSON, for programs that do not ask ZTS themselves. */
export class AccessTokenFile implements Renewable {
  readonly kind = 'access token'
  readonly name: string
  readonly #context: ItemContext
  readonly #wanted: SiaConfig['accessTokens'][number]
  readonly #file: string

  constructor(context: ItemContext, wanted: SiaConfig['accessTokens'][number]) {
    const { domain, roles, file = roles.join(',') || ALL_ROLES_FILE } = wanted
    this.#context = context
    this.#wanted = wanted
    this.name = `${domain}/${file}`
    this.#file = join(context.config.folder, 'tokens', domain, file)
  }

  async validity(): Promise<Validity | undefined> {
    const text = await textOf(this.#file)
    return text === undefined ? undefined : tokenValidity(text)
  }

  async renew(): Promise<void> {
    const { config, pair, withZts } = this.#context
    const { domain, roles, expirySeconds } = this.#wanted
    const service = await pair.read()
    if (service === undefined) throw new Error('the service has no certificate to ask with')
    const options = { roles, ignoreCache: true, prefetch: false, ...(expirySeconds !== undefined && { expirySeconds }) }
    const token = await withZts(identityOf(service), (zts) => zts.getAccessToken(domain, options))
    const text = JSON.stringify(token)
    if (tokenValidity(text) === undefined) throw new Error('ZTS gave no access token')
    await writeAtomically(this.#file, text, secretAccess(config))
  }
}

/** How long the token in an answer of ZTS is good; undefined when there is none. */
function tokenValidity(text: string): Validity | undefined {
  try {
    const { access_token: token } = JSON.parse(text) as { access_token?: unknown }
    const parsed = parseJwt(typeof token === 'string' ? token : '')
    if (!parsed.ok) return undefined
    const [from, until] = ['iat', 'exp'].map((claim) => timeClaim(parsed.token.claims, claim))
    return from === undefined || until === undefined
      ? undefined
      : { fromMillis: from * 1000, untilMillis: until * 1000 }
  } catch {
    return undefined
  }
}
