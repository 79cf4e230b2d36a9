import type { z } from 'zod'
import type { Endpoint, HeaderParameter, nothing, QueryParameter } from '#core/http/endpoint.ts'
import { formatTimestamp, type WireShape, type WireType } from '#core/http/wire.ts'
import { invalidRequest } from './client-error.ts'

/** The operations of a server, as it declares them. */
export type Operations = Readonly<Record<string, Endpoint>>

type Omissible<M> = { [K in keyof M]: undefined extends M[K] ? K : never }[keyof M]
type OmissibleLeft<M> = { readonly [K in Exclude<keyof M, Omissible<M>>]: M[K] } & {
  readonly [K in Omissible<M>]?: M[K]
} extends infer S
  ? { [K in keyof S]: S[K] }
  : never

type Given<T> = T extends WireType<infer _, unknown> ? z.input<T> : never
type Named<P extends Readonly<Record<string, QueryParameter | HeaderParameter>>> = {
  [K in keyof P]: Given<P[K]['type']>
}

/**
 * What an operation is called with: the parameters of path, query and headers under the names of the declaration, side by
 * side, and `body`. Dates are epoch milliseconds, Dates or texts; what has an initial value may be left out.
 */
export type OperationRequest<E extends Endpoint> = OmissibleLeft<
  { [K in keyof E['params']]: Given<E['params'][K]> } & Named<E['query']> & Named<E['headers']>
> &
  (E['body'] extends WireType<unknown, unknown> ? { readonly body: z.input<E['body']> } : unknown)

type BodyOf<R> = R extends typeof nothing ? undefined : R extends z.ZodType ? z.output<R> : never

/** A successful answer: `status` tells which of the declared ones, header names are lower case. */
export type OperationReply<E extends Endpoint> = {
  [S in keyof E['responses']]: {
    readonly status: S
    readonly headers: Readonly<Record<string, string>>
    readonly body: BodyOf<E['responses'][S]>
  }
}[keyof E['responses']]

/** The body of a successful answer; undefined for those without. */
export type OperationResult<E extends Endpoint> = OperationReply<E>['body']

/** A request as it goes over the wire. */
export interface WireRequest {
  /** Below the API root, with query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

type Values = Readonly<Record<string, unknown>>

/**
 * Writes a request by its declaration.
 * @throws AthenzClientError `invalid-request` for a missing value, and for one that no path may have
 */
export function wireRequest(endpoint: Endpoint, values: Values): WireRequest {
  const { path, query, headers, body, consumes, operation } = endpoint
  const value = (name: string): unknown => (Object.hasOwn(values, name) ? values[name] : undefined)
  const sent: Record<string, string> = {}
  for (const [key, parameter] of Object.entries(headers)) {
    const text = textOf(parameter.type.wire, value(key))
    if (text !== undefined) sent[parameter.name.toLowerCase()] = headerText(text)
  }
  const given = body && value('body')
  if (body && given === undefined) throw invalidRequest(`${operation} needs a body`)
  if (body) sent['content-type'] = consumes
  return {
    path: pathText(endpoint, path, value) + queryText(query, value),
    headers: sent,
    body: body && (typeof given === 'string' ? given : JSON.stringify(jsonOf(body.wire, given))),
  }
}

const PLACEHOLDER = /\{(\w+)\}/g

function pathText({ operation, params }: Endpoint, template: string, value: (name: string) => unknown): string {
  return template.replaceAll(PLACEHOLDER, (_, name: string) => {
    const text = textOf((params[name] as WireType<unknown>).wire, value(name))
    if (text === undefined || text === '') throw invalidRequest(`${operation} needs ${name}`)
    // Servers and proxies on the way would take it for a step in the path.
    if (text === '.' || text === '..') throw invalidRequest(`${operation}: ${name} cannot be ${text}`)
    return encodeURIComponent(text)
  })
}

function queryText(query: Endpoint['query'], value: (name: string) => unknown): string {
  const fields = Object.entries(query).flatMap(([key, { name, type }]): [string, string][] => {
    const text = textOf(type.wire, value(key))
    return text === undefined || text === String(type.wire.initial) ? [] : [[name, text]]
  })
  return fields.length === 0 ? '' : `?${new URLSearchParams(fields).toString()}`
}

/** Headers are Latin-1 for Node; servers read UTF-8 from them. */
const headerText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

function textOf(wire: WireShape, value: unknown): string | undefined {
  const scalar = jsonOf(wire, value) as string | number | boolean | undefined
  return scalar === undefined ? undefined : String(scalar)
}

/** The value as JSON has it; undefined for an absent one. */
function jsonOf(wire: WireShape | undefined, value: unknown): unknown {
  if (value === undefined || value === null || wire === undefined) return value ?? undefined
  if (wire.base === 'Timestamp') return timeText(value)
  if (Array.isArray(value)) return value.map((item) => jsonOf(wire.items, item))
  if (typeof value !== 'object') return value
  const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value)
  const isMap = wire.base === 'Map'
  return Object.fromEntries(
    entries.map(([name, member]) => [name, jsonOf(isMap ? wire.items : wire.members?.get(name), member)]),
  )
}

function timeText(value: unknown): string {
  const time = typeof value === 'number' || value instanceof Date ? Number(value) : undefined
  if (time === undefined) return String(value)
  if (Number.isNaN(new Date(time).getTime())) throw invalidRequest('a date is not valid')
  return formatTimestamp(time)
}
