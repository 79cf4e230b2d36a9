import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** What a request to the fake was. */
export interface VaultRequest {
  readonly method: string
  /** Without the leading `/v1/`. */
  readonly path: string
  readonly token: string | undefined
  readonly namespace: string | undefined
  readonly body: string
  /** Common name of the client certificate, if one was shown and is trusted. */
  readonly client: string | undefined
}

/** An answer that comes instead of the usual one. */
export interface VaultAnswer {
  readonly status: number
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** A Vault that checks tokens and paths as the real one does, with secrets that the test puts there. */
export interface FakeVault {
  /** Without a final slash. */
  readonly address: string
  readonly seen: readonly VaultRequest[]
  /** Data by path: with `data` in it for version 2. */
  readonly secrets: Map<string, object>
  /** Tokens that count, with what lookup and renewal say of them. */
  readonly tokens: Map<string, { readonly ttl: number; readonly renewable: boolean }>
  /** Secret ids by role id. */
  readonly roles: Map<string, string>
  /** What a login by AppRole grants. */
  grant: { readonly lease: number; readonly renewable: boolean }
  /** What a renewal grants; undefined refuses it. */
  renewal: number | undefined
  /** Answers that come first, in order. */
  readonly next: (VaultAnswer | 'silence')[]
  /** Resolves with the next request whose path is this. */
  arrival(path: string): Promise<VaultRequest>
  close(): void
}

/** How the fake is started: its certificate, and whom it demands client certificates of. */
export interface FakeVaultOptions {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string
  readonly namespace?: string
}

const FORBIDDEN: VaultAnswer = { status: 403, body: { errors: ['permission denied'] } }

/** Starts a fake on a free port of this machine. */
export async function startFakeVault({ cert, key, clientCa, namespace }: FakeVaultOptions): Promise<FakeVault> {
  const seen: VaultRequest[] = []
  const arrivals = new Map<string, (request: VaultRequest) => void>()
  let logins = 0

  const usual = ({ method, path, token, namespace: given, body }: VaultRequest): VaultAnswer => {
    if (given !== namespace) return { status: 404, body: { errors: ['no handler for route'] } }
    if (path === 'auth/approle/login' && method === 'POST') {
      const { role_id: role, secret_id: secret } = JSON.parse(body) as Record<string, string>
      if (role === undefined || secret === undefined || vault.roles.get(role) !== secret) {
        return { status: 400, body: { errors: ['invalid role or secret ID'] } }
      }
      const granted = `s.${++logins}`
      vault.tokens.set(granted, { ttl: vault.grant.lease, renewable: vault.grant.renewable })
      const auth = { client_token: granted, lease_duration: vault.grant.lease, renewable: vault.grant.renewable }
      return { status: 200, body: { auth } }
    }
    const known = token === undefined ? undefined : vault.tokens.get(token)
    if (known === undefined) return FORBIDDEN
    if (path === 'auth/token/lookup-self' && method === 'GET') return { status: 200, body: { data: known } }
    if (path === 'auth/token/renew-self' && method === 'POST') {
      if (vault.renewal === undefined) return FORBIDDEN
      return { status: 200, body: { auth: { client_token: token, lease_duration: vault.renewal, renewable: true } } }
    }
    const data = method === 'GET' ? vault.secrets.get(path) : undefined
    return data === undefined ? { status: 404, body: { errors: [] } } : { status: 200, body: { data } }
  }
  const handle = (request: IncomingMessage, response: ServerResponse, body: string) => {
    const header = (name: string) => request.headers[name]?.toString()
    const socket = request.socket as TLSSocket
    const each: VaultRequest = {
      method: request.method ?? '',
      path: (request.url ?? '').replace(/^\/v1\//, ''),
      token: header('x-vault-token'),
      namespace: header('x-vault-namespace'),
      body,
      client: socket.authorized ? socket.getPeerCertificate().subject?.CN?.toString() : undefined,
    }
    seen.push(each)
    const answer = vault.next.shift() ?? usual(each)
    arrivals.get(each.path)?.(each)
    if (answer === 'silence') return
    response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body ?? {}))
  }

  const tls = {
    cert,
    key,
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  }
  const server = createServer(tls, (request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => {
      body += piece.toString()
    })
    request.on('end', () => handle(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const vault: FakeVault = {
    address: `https://localhost:${(server.address() as AddressInfo).port}`,
    seen,
    secrets: new Map(),
    tokens: new Map(),
    roles: new Map(),
    grant: { lease: 3600, renewable: true },
    renewal: 3600,
    next: [],
    arrival: (path) => new Promise((resolve) => arrivals.set(path, resolve)),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  return vault
}
