import { createHash, generateKeyPairSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { createSigner } from '#core/crypto/signing.ts'
import { signJwt } from '#core/token/json-web-token.ts'
import { type FakeService, type SeenRequest, startFakeService } from './fake-service.ts'

/** What a person agreed to in his browser. */
export interface Grant {
  readonly claims: object
  /** S256 challenge of RFC 7636; the verifier must be shown when there is one. */
  readonly challenge?: string
  /** Members of the answer that have the token; `access_token` by default. */
  readonly members?: readonly string[]
}

/** A verifier with its challenge. */
export function codeChallenge(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

/** An identity provider with codes that can be used once, as RFC 6749, 4.1.3 and RFC 7636 have it. */
export class FakeIdentityProvider {
  readonly service: FakeService
  readonly grants = new Map<string, Grant>()
  clientSecret: string | undefined
  /** How the token is signed; another key than the published one makes it worthless. */
  signer = newSigner('idp')
  readonly #published = this.signer

  private constructor(service: FakeService) {
    this.service = service
  }

  static async start(): Promise<FakeIdentityProvider> {
    const service = await startFakeService(() => {})
    const provider = new FakeIdentityProvider(service)
    service.answer = (response, request) => void provider.#answer(response, request)
    return provider
  }

  get url(): string {
    return this.service.url
  }

  async #answer(response: ServerResponse, request: SeenRequest): Promise<void> {
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.target === '/config') {
      send(200, { token_endpoint: `${this.url}/token`, jwks_uri: `${this.url}/keys` })
    } else if (request.target === '/keys') {
      const key = this.#published.publicKey.export({ format: 'jwk' })
      send(200, { keys: [{ ...key, kid: 'idp', alg: 'ES256', use: 'sig' }] })
    } else {
      const token = await this.#trade(new URLSearchParams(request.body))
      if (token === undefined) send(400, { error: 'invalid_grant' })
      else send(200, token)
    }
  }

  async #trade(form: URLSearchParams): Promise<object | undefined> {
    const code = form.get('code') ?? ''
    const grant = this.grants.get(code)
    this.grants.delete(code)
    const fixed = {
      grant_type: 'authorization_code',
      client_id: 'zts',
      redirect_uri: 'http://127.0.0.1:9213/oauth2/callback',
    }
    if (!grant || Object.entries(fixed).some(([name, value]) => form.get(name) !== value)) return undefined
    if (this.clientSecret !== undefined && form.get('client_secret') !== this.clientSecret) return undefined
    if (grant.challenge !== undefined && codeChallenge(form.get('code_verifier') ?? '') !== grant.challenge)
      return undefined
    const token = await signJwt(this.signer, grant.claims)
    return Object.fromEntries((grant.members ?? ['access_token']).map((member) => [member, token]))
  }
}

/** A key that signs tokens. */
export const newSigner = (keyId: string) =>
  createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, keyId)
