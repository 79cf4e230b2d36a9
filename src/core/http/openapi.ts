import { type Endpoint, nothing, successStatuses } from './endpoint.ts'
import { type JsonSchema, SchemaCollection } from './json-schema.ts'
import { STATUS_CODES } from './node-http.ts'
import type { WireShape, WireType } from './wire.ts'

/** An OpenAPI document. */
export type OpenApiDocument = Readonly<Record<string, unknown>>

/** What an API document says beside its operations. */
export interface OpenApiInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
  /** Root of all paths, e.g. `/zms/v1`. */
  readonly basePath: string
}

const ERROR = { base: 'Struct', name: 'ResourceError', members: errorMembers() } as const satisfies WireShape

function errorMembers(): ReadonlyMap<string, WireShape> {
  return new Map([
    ['code', { base: 'Int32' }],
    ['message', { base: 'String' }],
  ])
}

/** How callers may show who they are; which ones a server accepts is its configuration. */
const SECURITY_SCHEMES = {
  certificate: { type: 'mutualTLS', description: 'Client certificate of a service, user or role.' },
  principalToken: {
    type: 'apiKey',
    in: 'header',
    name: 'Athenz-Principal-Auth',
    description: 'Signed principal token.',
  },
}

/**
 * The OpenAPI 3.1 document of a group of operations, made of nothing but their declarations. Operations come in the
 * order of their paths, so that two documents can be compared line by line.
 */
export function openApiDocument(
  { title, version, description, basePath }: OpenApiInfo,
  endpoints: Readonly<Record<string, Endpoint>>,
): OpenApiDocument {
  const schemas = new SchemaCollection()
  const sorted = Object.values(endpoints).sort((a, b) => (a.path + a.method < b.path + b.method ? -1 : 1))
  // Replies first: where requests differ from them, it is the requests that get a name of their own.
  for (const endpoint of sorted) for (const shape of replyShapes(endpoint)) schemas.schemaOf(shape, 'reply')
  const paths = new Map<string, Record<string, unknown>>()
  for (const endpoint of sorted) {
    const item = paths.get(endpoint.path) ?? {}
    item[endpoint.method.toLowerCase()] = operationOf(endpoint, schemas)
    paths.set(endpoint.path, item)
  }
  const error = schemas.schemaOf(ERROR, 'reply')
  return {
    openapi: '3.1.0',
    info: { title, version, ...(description !== undefined && { description }) },
    servers: [{ url: basePath }],
    tags: [...new Set(sorted.map(({ group }) => group))].sort().map((name) => ({ name })),
    paths: Object.fromEntries(paths),
    components: {
      schemas: schemas.components,
      responses: {
        Error: { description: 'The request is refused.', content: { 'application/json': { schema: error } } },
      },
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}

const replyShapes = ({ responses }: Endpoint): WireShape[] =>
  Object.values(responses).flatMap((body) => (body === nothing ? [] : [body.wire]))

function operationOf(endpoint: Endpoint, schemas: SchemaCollection): JsonSchema {
  const { operation, group, summary, access, body, consumes } = endpoint
  const parameters = parametersOf(endpoint, schemas)
  return {
    operationId: operation,
    tags: [group],
    summary,
    description: accessText(endpoint),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: !body.wire.optional,
        content: { [consumes]: { schema: schemas.schemaOf(body.wire, 'request') } },
      },
    }),
    responses: responsesOf(endpoint, schemas),
    security: access.kind === 'anonymous' ? [] : Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
  }
}

function parametersOf({ params, query, headers }: Endpoint, schemas: SchemaCollection): JsonSchema[] {
  const describe = (place: string, name: string, { wire }: WireType<unknown>) => ({
    name,
    in: place,
    required: place === 'path' || (!wire.optional && wire.initial === undefined),
    schema: schemas.schemaOf(wire, 'request'),
  })
  return [
    ...Object.entries(params).map(([name, type]) => describe('path', name, type)),
    ...Object.values(query).map(({ name, type }) => describe('query', name, type)),
    ...Object.values(headers).map(({ name, type }) => describe('header', name, type)),
  ]
}

function responsesOf(endpoint: Endpoint, schemas: SchemaCollection): JsonSchema {
  const successes = successStatuses(endpoint).map((status): [string, JsonSchema] => {
    const body = endpoint.responses[status]
    const content = body !== undefined &&
      body !== nothing && { content: { [endpoint.produces]: { schema: schemas.schemaOf(body.wire, 'reply') } } }
    return [String(status), { description: STATUS_CODES[status] ?? '', ...content }]
  })
  const errors = endpoint.errors.map((status): [string, JsonSchema] => [
    String(status),
    { $ref: '#/components/responses/Error' },
  ])
  return Object.fromEntries([...errors, ...successes])
}

function accessText({ access }: Endpoint): string {
  if (access.kind === 'anonymous') return `Open to anybody: ${access.reason}.`
  if (access.kind === 'authenticate') return 'For authenticated callers.'
  return `For callers who may \`${access.action}\` \`${access.resource}\`.`
}
