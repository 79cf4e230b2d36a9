import { writeFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import type { AuthenticationOutcome } from '#core/authority/chain.ts'
import type { Principal } from '#core/authority/principal.ts'
import { forbidden, notFound, unauthorized } from '#core/error/service-error.ts'
import type { Handlers } from '#core/http/endpoint.ts'
import {
  anonymous,
  authenticate,
  authorize,
  endpoint,
  header,
  noContent,
  nothing,
  ok,
  query,
} from '#core/http/endpoint.ts'
import type { Authenticator, Authorizer } from '#core/http/pipeline.ts'
import { type Registration, registerEndpoints } from '#core/http/register.ts'
import type { PortTls } from '#core/http/secure-server.ts'
import { HttpServer, type HttpServerOptions } from '#core/http/server.ts'
import type { TlsFiles } from '#core/http/tls-material.ts'
import { TlsSource } from '#core/http/tls-source.ts'
import { bool, flag, initially, int32, list, lower, optional, struct, text } from '#core/http/wire.ts'
import { type Logger, openLogger } from '#core/log/logger.ts'
import { type IssuedCertificate, TestCa } from '../authority/support.ts'

const NAME = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$/
const SimpleName = text(NAME, undefined, 'SimpleName')

/** An object as the API's own are: a required name and optional members of every kind. */
export const Thing = struct('Thing', {
  name: SimpleName,
  description: optional(text()),
  selfServe: optional(bool()),
  days: optional(int32()),
  members: optional(list(struct('Member', { memberName: SimpleName }))),
})

const inDomain = { domainName: lower(text(NAME, undefined, 'DomainName')) }
const inThing = { ...inDomain, thingName: lower(text(NAME, undefined, 'EntityName')) }
const group = 'Things'
const summary = 'For tests.'

/** Operations that take every turn a request can take. */
export const fakeEndpoints = {
  getDomain: endpoint({
    operation: 'getDomain',
    method: 'GET',
    path: '/domain/{domainName}',
    group,
    summary,
    params: inDomain,
    access: authenticate,
    responses: { 200: Thing },
    errors: [401],
  }),
  deleteDomain: endpoint({
    operation: 'deleteDomain',
    method: 'DELETE',
    path: '/domain/{name}',
    group,
    summary,
    params: { name: lower(text(NAME, undefined, 'DomainName')) },
    access: authenticate,
    responses: { 204: nothing },
    errors: [401],
  }),
  getThings: endpoint({
    operation: 'getThings',
    method: 'GET',
    path: '/domain/{domainName}/thing',
    group,
    summary,
    params: inDomain,
    query: {
      limit: query('limit', optional(int32())),
      members: query('members', initially(false, flag())),
      skip: query('skip', optional(text())),
    },
    access: authenticate,
    responses: { 200: struct('Seen', { limit: optional(int32()), members: bool(), skip: optional(text()) }) },
    errors: [401],
  }),
  getThing: endpoint({
    operation: 'getThing',
    method: 'GET',
    path: '/domain/{domainName}/thing/{thingName}',
    group,
    summary,
    params: inThing,
    access: authenticate,
    responses: { 200: Thing },
    errors: [401],
  }),
  putThing: endpoint({
    operation: 'putThing',
    method: 'PUT',
    path: '/domain/{domainName}/thing/{thingName}',
    group,
    summary,
    params: inThing,
    headers: { auditRef: header('Y-Audit-Ref', optional(text())) },
    body: Thing,
    access: authorize('update', '{domainName}:thing.{thingName}'),
    responses: { 200: Thing, 204: nothing },
    errors: [400, 401, 403, 404],
  }),
  deleteThing: endpoint({
    operation: 'deleteThing',
    method: 'DELETE',
    path: '/domain/{domainName}/thing/{thingName}',
    group,
    summary,
    params: inThing,
    access: authorize('delete', '{domainName}:thing.{thingName}'),
    responses: { 204: nothing },
    errors: [403],
  }),
  getNumber: endpoint({
    operation: 'getNumber',
    method: 'GET',
    path: '/number/{id}',
    group,
    summary,
    params: { id: int32() },
    access: authenticate,
    responses: { 200: struct({ id: int32() }) },
    errors: [],
  }),
  getStatus: endpoint({
    operation: 'getStatus',
    method: 'GET',
    path: '/status',
    group,
    summary,
    access: authenticate,
    responses: { 200: struct({ code: int32(), message: text() }) },
    errors: [401],
  }),
  getOpen: endpoint({
    operation: 'getOpen',
    method: 'GET',
    path: '/open',
    group,
    summary,
    access: anonymous('public by nature'),
    responses: { 200: struct({ code: int32() }) },
    errors: [],
  }),
  postToken: endpoint({
    operation: 'postToken',
    method: 'POST',
    path: '/token',
    group,
    summary,
    consumes: 'application/x-www-form-urlencoded',
    body: text(),
    access: anonymous('the form has the credential'),
    responses: { 200: struct({ form: text() }) },
    errors: [],
  }),
}

/** Answers of the fakes; tests replace single ones. */
export const fakeHandlers: Handlers<typeof fakeEndpoints> = {
  getDomain: ({ params }) => ok({ name: params.domainName }),
  deleteDomain: () => noContent,
  getThings: ({ query: { limit, members, skip } }) => ok({ limit, members, skip }),
  getThing: ({ params }) => ok({ name: params.thingName }),
  putThing: ({ params, body, headers }) =>
    headers.auditRef === 'return' ? ok({ ...body, name: params.thingName }) : noContent,
  deleteThing: () => noContent,
  getNumber: ({ params }) => ok({ id: params.id }),
  getStatus: () => ok({ code: 200, message: 'OK' }),
  getOpen: () => ok({ code: 200 }),
  postToken: ({ body }) => ok({ form: body }),
}

export const INVALID_OBJECT = 'Invalid Object: see the documentation'

const principalOf = (fullName: string): Principal => ({
  domain: fullName.slice(0, fullName.lastIndexOf('.')),
  name: fullName.slice(fullName.lastIndexOf('.') + 1),
  fullName,
  authority: { id: 'Auth-FAKE', credentialSource: 'request', allowAuthorization: true },
  issueTimeSeconds: 0,
})

/** Believes the common name of a verified certificate, or else the header `x-user`. */
export const fakeAuthenticator: Authenticator = {
  authenticate(request, mayBeAbsent): AuthenticationOutcome {
    const socket = request.socket as tls.TLSSocket
    const subject = socket.encrypted && socket.authorized ? socket.getPeerX509Certificate()?.subject : undefined
    const name = subject?.replace('CN=', '') ?? request.headers['x-user']
    if (typeof name === 'string' && name !== '') return { principal: principalOf(name), reasons: '' }
    if (mayBeAbsent) return { reasons: '' }
    const challenges = ['AthenzPrincipalToken realm="athenz"', 'AthenzX509Certificate realm="athenz"']
    return {
      failure: unauthorized('Invalid credentials', { headers: { 'www-authenticate': challenges } }),
      reasons: 'none',
    }
  },
}

/** `user.admin` may do everything in domains that exist: all but those called `nosuch`, or with letters no domain has. */
export const fakeAuthorizer: Authorizer = (principal, _action, resource) => {
  const domain = resource.slice(0, resource.indexOf(':'))
  if (domain === 'nosuch' || !NAME.test(domain)) return notFound('Domain not found')
  return principal.fullName === 'user.admin' ? true : forbidden('Forbidden')
}

/** What a test changes about the fakes. */
export interface FakeOptions extends Partial<Omit<HttpServerOptions, 'ports' | 'log'>> {
  readonly log?: Logger
  readonly handlers?: Partial<Handlers<typeof fakeEndpoints>>
  readonly registration?: Partial<Registration<typeof fakeEndpoints>>
}

/** Options of a registration of the fakes. */
export const fakeRegistration = ({ handlers, registration }: FakeOptions): Registration<typeof fakeEndpoints> => ({
  basePath: '/api/v1',
  endpoints: fakeEndpoints,
  handlers: { ...fakeHandlers, ...handlers },
  authenticator: fakeAuthenticator,
  authorize: fakeAuthorizer,
  authenticationOptional: (path) => path === '/api/v1/status',
  invalidObjectMessage: INVALID_OBJECT,
  ...registration,
})

/** A server of the fakes without ports, for `inject`. */
export function fakeServer(options: FakeOptions = {}): HttpServer {
  const server = new HttpServer({ ports: [], log: openLogger({ level: 'silent' }), ...options })
  registerEndpoints(server, fakeRegistration(options))
  return server
}

/** Server and client certificates of one CA, as files. */
export interface TestPki {
  readonly ca: TestCa
  readonly server: IssuedCertificate
  readonly files: TlsFiles
}

/** Makes a CA and a server certificate, and writes them into a folder. */
export async function testPki(folder: string): Promise<TestPki> {
  const ca = await TestCa.create()
  const server = await serverCertificate(ca)
  const file = (name: string, content: string) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }
  const files = {
    key: { file: file('server.key', server.key) },
    certificate: { file: file('server.pem', server.cert) },
    trust: { file: file('ca.pem', ca.cert) },
  }
  return { ca, server, files }
}

/** A certificate for `localhost` and 127.0.0.1. */
export const serverCertificate = (ca: TestCa): Promise<IssuedCertificate> =>
  ca.issue({
    subject: [{ type: 'CN', value: 'localhost' }],
    names: [
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
    ],
  })

/** A client certificate. */
export const clientCertificate = (ca: TestCa, commonName: string, notAfter?: Date): Promise<IssuedCertificate> =>
  ca.issue({ subject: [{ type: 'CN', value: commonName }], ...(notAfter && { notAfter }) })

/** A server of the fakes on a TLS port of its own. */
export interface RunningServer extends AsyncDisposable {
  readonly server: HttpServer
  readonly port: number
  readonly source: TlsSource
}

/** Starts one; ends it with `await using`. */
export async function startTls(
  { files }: TestPki,
  options: FakeOptions & { readonly tls?: Partial<PortTls>; readonly reloadMillis?: number } = {},
): Promise<RunningServer> {
  const log = options.log ?? openLogger({ level: 'silent' })
  const source = await TlsSource.open(files, { log, intervalMillis: options.reloadMillis ?? 3_600_000 })
  const server = new HttpServer({
    ...options,
    log,
    ports: [{ port: 0, host: '127.0.0.1', tls: { source, ...options.tls } }],
  })
  registerEndpoints(server, fakeRegistration(options))
  const [address] = (await server.listen()) as [AddressInfo]
  return {
    server,
    port: address.port,
    source,
    async [Symbol.asyncDispose]() {
      source.close()
      await server.close()
    },
  }
}

/** Starts one on a plain port. */
export async function startPlain(options: FakeOptions = {}): Promise<Omit<RunningServer, 'source'>> {
  const server = new HttpServer({
    log: openLogger({ level: 'silent' }),
    ...options,
    ports: [{ port: 0, host: '127.0.0.1' }],
  })
  registerEndpoints(server, fakeRegistration(options))
  const [address] = (await server.listen()) as [AddressInfo]
  return { server, port: address.port, [Symbol.asyncDispose]: () => server.close() }
}

/** An answer as a client sees it. */
export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

/** Sends one request. */
export function send(
  port: number,
  path: string,
  options: https.RequestOptions & { readonly body?: string } = {},
): Promise<Answer> {
  const { body, ...request } = options
  return new Promise((resolve, reject) => {
    const sent = https.request({ host: '127.0.0.1', port, path, agent: false, ...request }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
