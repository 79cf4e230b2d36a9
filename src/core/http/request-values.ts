import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { badRequest, notFound, ServiceError } from '../error/service-error.ts'
import type { Endpoint } from './endpoint.ts'
import { statusText } from './errors.ts'
import { type JsonLimits, parseJson } from './json-body.ts'
import { parseQuery } from './request-target.ts'
import { isMappingIssue, readInto, type WireIssue, type WireIssues, type WireType } from './wire.ts'

/** How bodies are read. */
export interface BodyRules {
  /** Text of the answer to a body that is no JSON or does not fit its type. */
  readonly invalidObjectMessage: string
  readonly jsonLimits?: JsonLimits
}

/** A request as it came in. */
export interface RawRequest {
  /** Values of the path placeholders, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Request target with path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer | undefined
}

/** A request as its handler sees it. */
export interface RequestValues {
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: unknown
}

/** What reading gives: the values, and the first rule that one of them breaks, to be reported once the caller may know. */
export interface ReadRequest {
  readonly values: RequestValues
  readonly broken: ServiceError | undefined
}

/** Reads requests of one operation; throws ServiceError for what cannot be mapped to its types at all. */
export type RequestReader = (raw: RawRequest) => ReadRequest

type Values = Record<string, unknown>

/** The broken rule found so far. */
interface Findings {
  broken: ServiceError | undefined
}

const PLACE_MAX_LENGTH = 200
const NONE: Readonly<Values> = Object.freeze({})

/**
 * The reader for one operation. As in the original, what cannot be mapped to its type is refused at once (a path or
 * query value with 404, a body with 400), whoever asks; a rule that is broken is only noted, path before query before
 * headers before body.
 */
export function requestReader(endpoint: Endpoint, rules: BodyRules): RequestReader {
  const readParams = paramsReader(endpoint)
  const readQuery = queryReader(endpoint)
  const readHeaders = headersReader(endpoint)
  const readBody = bodyReader(endpoint, rules)
  return ({ params, url, headers, body }) => {
    const findings: Findings = { broken: undefined }
    const values = {
      params: readParams ? readParams(params, findings) : NONE,
      query: readQuery ? readQuery(url, findings) : NONE,
      headers: readHeaders ? readHeaders(headers, findings) : NONE,
      body: readBody ? readBody(body, findings) : undefined,
    }
    return { values, broken: findings.broken }
  }
}

function paramsReader({ params }: Endpoint) {
  const readers = Object.entries(params).map(([name, type]) => ({ name, read: valueReader(type, noSuchResource) }))
  if (readers.length === 0) return undefined
  return (raw: RawRequest['params'], findings: Findings): Values => {
    const values: Values = {}
    for (const { name, read } of readers) values[name] = read(raw[name], findings)
    return values
  }
}

function queryReader({ query }: Endpoint) {
  const readers = Object.entries(query).map(([key, { name, type }]) => {
    return { key, name, read: valueReader(type, noSuchResource) }
  })
  if (readers.length === 0) return undefined
  const names = new Set(readers.map(({ name }) => name))
  const absent = readAbsent(readers)
  return (url: string, findings: Findings): Values => {
    const given = parseQuery(url, names)
    if (given === undefined && absent) return absent
    if (given === 'malformed') throw malformedRequest()
    const values: Values = {}
    for (const { key, name, read } of readers) values[key] = read(given?.get(name), findings)
    return values
  }
}

/** What no query at all means, the same for every request; undefined when a parameter must be there. */
function readAbsent(readers: readonly { readonly key: string; readonly read: ValueReader }[]): Values | undefined {
  const findings: Findings = { broken: undefined }
  try {
    const values = Object.fromEntries(readers.map(({ key, read }) => [key, read(undefined, findings)]))
    return findings.broken ? undefined : Object.freeze(values)
  } catch {
    return undefined
  }
}

function headersReader({ headers }: Endpoint) {
  const readers = Object.entries(headers).map(([key, { name, type }]) => {
    return { key, name: name.toLowerCase(), read: valueReader(type, malformedRequest) }
  })
  if (readers.length === 0) return undefined
  return (given: IncomingHttpHeaders, findings: Findings): Values => {
    const values: Values = {}
    for (const { key, name, read } of readers) {
      const value = given[name]
      const text = Array.isArray(value) ? value[0] : value
      values[key] = read(text && headerText(text), findings)
    }
    return values
  }
}

function bodyReader({ body, bodyType, consumes }: Endpoint, { invalidObjectMessage, jsonLimits }: BodyRules) {
  if (body === undefined) return undefined
  const unmappable = (cause?: unknown) => badRequest(invalidObjectMessage, { cause })
  const read = valueReader(body, unmappable, bodyType)
  const json = consumes === 'application/json'
  const decode = (bytes: Buffer | undefined): unknown => {
    if (!json) return bytes === undefined ? '' : bytes.toString('utf8')
    if (bytes === undefined || bytes.length === 0) return undefined
    try {
      return parseJson(bytes, jsonLimits)
    } catch (error) {
      throw unmappable(error)
    }
  }
  return (bytes: Buffer | undefined, findings: Findings): unknown => read(decode(bytes), findings)
}

type ValueReader = (raw: unknown, findings: Findings) => unknown

function valueReader(
  type: WireType<unknown>,
  unmappable: (cause?: unknown) => ServiceError,
  name: string = typeName(type),
): ValueReader {
  // Most values leave it empty for the next one.
  let unused: WireIssues = { issues: [] }
  return (raw, findings) => {
    const value = readInto(unused, type, raw)
    const { issues } = unused
    if (issues.length === 0) return value
    unused = { issues: [] }
    const unmapped = issues.find(isMappingIssue)
    if (unmapped) throw unmappable(new TypeError(issueText(unmapped)))
    findings.broken ??= brokenRule(name, raw, issues)
    return undefined
  }
}

function brokenRule(name: string, raw: unknown, [issue]: readonly WireIssue[]): ServiceError {
  if (raw === undefined || raw === null) return badRequest(`Missing or malformed ${name}`)
  return badRequest(`Invalid ${name} error: ${issue ? issueText(issue) : 'invalid'}`)
}

function issueText({ path = [], message = 'invalid' }: WireIssue): string {
  // Names of members may come from the request.
  const place = path.join('.').slice(0, PLACE_MAX_LENGTH)
  return place === '' ? message : `${place}: ${message}`
}

const typeName = ({ wire }: WireType<unknown>): string => wire.name ?? wire.base
const noSuchResource = (): ServiceError => notFound(statusText(404))
const malformedRequest = (): ServiceError => badRequest(statusText(400))

/** Node hands headers over as Latin-1; clients that write other letters send UTF-8. */
function headerText(text: string): string {
  if (!/[\u0080-\u00ff]/.test(text)) return text
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : text
}
