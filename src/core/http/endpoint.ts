import type { z } from 'zod'
import type { Principal } from '../authority/principal.ts'
import type { WireType } from './wire.ts'

/** Who may call an operation. There is no default: every declaration says it. */
export type Access =
  /** Any authenticated principal; the service may check further. */
  | { readonly kind: 'authenticate' }
  /** `action` on `resource`, a template over the path parameters such as `{domainName}:role.{roleName}`. */
  | { readonly kind: 'authorize'; readonly action: string; readonly resource: string }
  /** Anybody, and why that is right. */
  | { readonly kind: 'anonymous'; readonly reason: string }

/** Any authenticated principal. */
export const authenticate: Access = { kind: 'authenticate' }
/** Principals that hold `action` on `resource` (a template over the path parameters). */
export const authorize = (action: string, resource: string): Access => ({ kind: 'authorize', action, resource })
/** Anybody; `reason` is shown in the list of access rules that reviewers read. */
export const anonymous = (reason: string): Access => ({ kind: 'anonymous', reason })

/** A query parameter: its name on the wire and the type of its text. */
export interface QueryParameter<T = unknown, I = T> {
  readonly name: string
  readonly type: WireType<T, I>
}

/** A request header: its name on the wire and the type of its text. */
export interface HeaderParameter<T = unknown, I = T> {
  readonly name: string
  readonly type: WireType<T, I>
}

/** HTTP methods the API uses. */
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS'

/** The body of a reply; `nothing` has none. */
export type ReplyBody = WireType<unknown> | typeof nothing
/** Marks a status without a body. */
export const nothing = Symbol('nothing')

/**
 * One operation of the API, declared once: from it come the route, the validation, the access check, the OpenAPI entry
 * and the client's types. Names of operations, parameters and types are those of the published API.
 */
export interface Endpoint<
  O extends string = string,
  P extends Record<string, WireType<string | number>> = Record<string, WireType<string | number>>,
  Q extends Record<string, QueryParameter> = Record<string, QueryParameter>,
  H extends Record<string, HeaderParameter> = Record<string, HeaderParameter>,
  B extends WireType<unknown> | undefined = WireType<unknown> | undefined,
  R extends Readonly<Record<number, ReplyBody>> = Readonly<Record<number, ReplyBody>>,
> {
  /** Published operation id, e.g. `putRole`; its lower-case form prefixes messages and labels metrics. */
  readonly operation: O
  readonly method: Method
  /** Path below the API root with `{name}` placeholders, as published. */
  readonly path: string
  /** Types of the path placeholders, in path order. */
  readonly params: P
  /** Query parameters by the name the service uses. */
  readonly query: Q
  /** Request headers by the name the service uses. */
  readonly headers: H
  readonly body: B
  /** Published name of the body's type, used in `Invalid {Type} error: …`; by default the name the type has. */
  readonly bodyType: string | undefined
  /** `application/json` unless the declaration says otherwise. */
  readonly consumes: string
  /** Media type of the replies, `ANY_TYPE` when it depends on the request; `application/json` unless the declaration says otherwise. */
  readonly produces: string
  readonly access: Access
  /** Bodies of the success replies by status; {@link successStatuses} tells which one is the normal one. */
  readonly responses: R
  /** Statuses of the errors the published API names. */
  readonly errors: readonly number[]
  /** Changes something: refused in read-only mode. Default: every method but GET and OPTIONS. */
  readonly writes: boolean
  /** The query may have secrets, and is left out of logs. Default: false. */
  readonly secretQuery: boolean
  /** Who is not known is told which credentials would do; a browser may ask for a password then. Default: true. */
  readonly challenges: boolean
  /** Group in the API document. */
  readonly group: string
  /** One sentence for the API document. */
  readonly summary: string
}

type Declaration<
  O extends string,
  P extends Record<string, WireType<string | number>>,
  Q extends Record<string, QueryParameter>,
  H extends Record<string, HeaderParameter>,
  B extends WireType<unknown> | undefined,
  R extends Readonly<Record<number, ReplyBody>>,
> = {
  operation: O
  method: Method
  path: string
  group: string
  summary: string
  params?: P
  query?: Q
  headers?: H
  body?: B
  bodyType?: string
  consumes?: string
  produces?: string
  access: Access
  responses: R
  errors: readonly number[]
  writes?: boolean
  secretQuery?: boolean
  challenges?: boolean
}

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- no parameters of this kind: any name is an error
type None = Record<never, never>

/** Declares an operation; fills the defaults and keeps the exact types for handlers and clients. */
export function endpoint<
  const O extends string,
  P extends Record<string, WireType<string | number>> = None,
  Q extends Record<string, QueryParameter> = None,
  H extends Record<string, HeaderParameter> = None,
  B extends WireType<unknown> | undefined = undefined,
  const R extends Readonly<Record<number, ReplyBody>> = Readonly<Record<number, ReplyBody>>,
>(declaration: Declaration<O, P, Q, H, B, R>): Endpoint<O, P, Q, H, B, R> {
  const { method } = declaration
  return {
    params: {} as P,
    query: {} as Q,
    headers: {} as H,
    body: undefined as B,
    bodyType: declaration.body?.wire.name,
    consumes: 'application/json',
    produces: 'application/json',
    writes: method !== 'GET' && method !== 'OPTIONS',
    secretQuery: false,
    challenges: true,
    ...declaration,
  }
}

/**
 * Success statuses of an operation, the normal one first: 204 where there is one (200 then answers those who ask for the
 * object), otherwise the lowest.
 */
export const successStatuses = ({ responses }: Endpoint): number[] =>
  Object.keys(responses)
    .map(Number)
    .sort((a, b) => Number(b === 204) - Number(a === 204) || a - b)

/** A query parameter under its wire name. */
export const query = <T, I>(name: string, type: WireType<T, I>): QueryParameter<T, I> => ({ name, type })
/** A request header under its wire name. */
export const header = <T, I>(name: string, type: WireType<T, I>): HeaderParameter<T, I> => ({ name, type })

/** What a handler gets of a request: validated values, names already lower case where the API says so. */
export interface RequestOf<E extends Endpoint> {
  readonly params: { readonly [K in keyof E['params']]: z.output<E['params'][K]> }
  readonly query: { readonly [K in keyof E['query']]: z.output<E['query'][K]['type']> }
  readonly headers: { readonly [K in keyof E['headers']]: z.output<E['headers'][K]['type']> }
  readonly body: E['body'] extends WireType<unknown> ? z.output<E['body']> : undefined
}

/** Circumstances of a request that services may need. */
export interface RequestContext {
  readonly requestId: string
  /** Lower-case operation id: prefix of messages, label of metrics, name in authorized-service files. */
  readonly api: string
  readonly method: string
  /** Absent only for anonymous operations and those with optional authentication. */
  readonly principal: Principal | undefined
  readonly remoteAddress: string
  /** Whether the request came over TLS, and on which port of the server; absent where a request is only imitated. */
  readonly secure?: boolean
  readonly localPort?: number
  /** Text of a request header that is no parameter of the operation (e.g. `origin`), or undefined. */
  header(name: string): string | undefined
  /** Says which domain (lower case) the request is about when its target does not; absent where nobody wants to know. */
  concerns?(domain: string): void
  /** Says that the client would rather wait than hear that there is no news; absent where nobody wants to know. */
  mayWait?(): void
  /** Aborted when the client goes away or the server stops. */
  readonly signal?: AbortSignal
}

/** What a handler answers. `body` is serialised as JSON unless it is a string or Buffer, which goes out byte for byte. */
export interface Reply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** 200 with a body. */
export const ok = (body: unknown, headers?: Readonly<Record<string, string>>): Reply => ({
  status: 200,
  body,
  ...(headers && { headers }),
})
/** 204. */
export const noContent: Reply = { status: 204 }
/** 304 with the given entity tag (quoted text). */
export const notModified = (etag: string): Reply => ({ status: 304, headers: { etag } })

/** The code behind one operation. */
export type Handler<E extends Endpoint> = (request: RequestOf<E>, context: RequestContext) => Reply | Promise<Reply>

/** Every operation of a group of endpoints with its handler: a missing one does not compile. */
export type Handlers<G extends Readonly<Record<string, Endpoint>>> = { readonly [K in keyof G]: Handler<G[K]> }
