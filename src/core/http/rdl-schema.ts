import { type Endpoint, nothing, successStatuses } from './endpoint.ts'
import type { WireShape } from './wire.ts'

/**
 * The description of an interface that the schema operation answers, in the data model of the schema language (RDL):
 * a type is an object with one member, named after the kind of definition.
 */
export interface RdlSchema {
  readonly name: string
  readonly version: number
  readonly base: string
  readonly types: readonly RdlType[]
  readonly resources: readonly RdlResource[]
}

interface RdlStringType {
  readonly StringTypeDef: { type: 'String'; name: string; pattern?: string; maxSize?: number }
}
interface RdlEnumType {
  readonly EnumTypeDef: { type: 'Enum'; name: string; elements: readonly { symbol: string }[] }
}
interface RdlStructType {
  readonly StructTypeDef: { type: 'Struct'; name: string; fields: readonly RdlField[] }
}
/** A named type. */
export type RdlType = RdlStringType | RdlEnumType | RdlStructType

/** A member of a structure. */
export interface RdlField {
  readonly name: string
  readonly type: string
  readonly optional?: true
  readonly default?: number | boolean | string
  readonly items?: string
  readonly keys?: string
  readonly annotations?: { readonly x_allowempty: 'true' }
}

/** A parameter or the body of an operation. */
export interface RdlInput {
  readonly name: string
  readonly type: string
  readonly pathParam?: true
  readonly queryParam?: string
  readonly header?: string
  readonly optional?: true
  readonly default?: number | boolean | string
}

/** An operation. */
export interface RdlResource {
  readonly type: string
  readonly method: string
  readonly path: string
  readonly name: string
  readonly comment: string
  readonly inputs?: readonly RdlInput[]
  readonly outputs?: readonly { name: string; type: 'String'; header: string }[]
  readonly auth?: { readonly authenticate: true } | { readonly action: string; readonly resource: string }
  readonly expected: string
  readonly alternatives?: readonly string[]
  readonly exceptions?: Readonly<Record<string, { readonly type: string }>>
}

/** Names of the statuses in the schema language. */
const STATUS_NAMES = new Map([
  [200, 'OK'],
  [201, 'CREATED'],
  [202, 'ACCEPTED'],
  [204, 'NO_CONTENT'],
  [302, 'FOUND'],
  [304, 'NOT_MODIFIED'],
  [400, 'BAD_REQUEST'],
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [409, 'CONFLICT'],
  [429, 'TOO_MANY_REQUESTS'],
  [500, 'INTERNAL_SERVER_ERROR'],
])

const statusName = (status: number): string => STATUS_NAMES.get(status) ?? String(status)

/** Name by which a type is referred to: the published one, or that of its base. */
const reference = (shape: WireShape): string => shape.name ?? shape.base

/** Whether a member or parameter may be left out; one with a value for its absence may. */
const leavable = ({ optional, initial }: WireShape) => ({
  ...(optional && { optional }),
  ...(initial !== undefined && { optional: true as const, default: initial }),
})

const pattern = ({ source }: RegExp): string => source.replace(/^\^\(\?:(.*)\)\$$/s, '$1')

function field(name: string, shape: WireShape): RdlField {
  return {
    name,
    type: reference(shape),
    ...leavable(shape),
    ...(shape.items && { items: reference(shape.items) }),
    ...(shape.keys && { keys: reference(shape.keys) }),
    ...(shape.emptyKept && { annotations: { x_allowempty: 'true' as const } }),
  }
}

function definition(name: string, shape: WireShape): RdlType | undefined {
  if (shape.members) {
    return {
      StructTypeDef: { type: 'Struct', name, fields: [...shape.members].map(([member, type]) => field(member, type)) },
    }
  }
  if (shape.words) {
    return { EnumTypeDef: { type: 'Enum', name, elements: shape.words.map((symbol) => ({ symbol })) } }
  }
  if (shape.base !== 'String') return undefined
  return {
    StringTypeDef: {
      type: 'String',
      name,
      ...(shape.pattern && { pattern: pattern(shape.pattern) }),
      ...(shape.maxLength && { maxSize: shape.maxLength }),
    },
  }
}

/** Adds a type and the types it consists of, those first. */
function collect(types: Map<string, RdlType>, shape: WireShape): void {
  if (shape.name !== undefined && types.has(shape.name)) return
  for (const part of [shape.keys, shape.items, ...(shape.members?.values() ?? [])]) if (part) collect(types, part)
  const defined = shape.name === undefined ? undefined : definition(shape.name, shape)
  if (defined && shape.name !== undefined) types.set(shape.name, defined)
}

/** Shapes of the reply bodies of an operation, by status, the normal one first; undefined for one without body. */
const replies = (endpoint: Endpoint): [status: number, shape: WireShape | undefined][] =>
  successStatuses(endpoint).map((status) => {
    const body = endpoint.responses[status]
    return [status, body === undefined || body === nothing ? undefined : body.wire]
  })

function resource(endpoint: Endpoint): RdlResource {
  const { access, body } = endpoint
  const answers = replies(endpoint)
  const [expected, ...alternatives] = answers.map(([status]) => statusName(status))
  const shape = answers.find(([, answer]) => answer)?.[1]
  const inputs: RdlInput[] = [
    ...Object.entries(endpoint.params).map(([name, type]) => ({
      name,
      type: reference(type.wire),
      pathParam: true as const,
    })),
    ...Object.entries(endpoint.query).map(([name, { name: queryParam, type }]) => ({
      name,
      type: reference(type.wire),
      queryParam,
      ...leavable(type.wire),
    })),
    ...Object.entries(endpoint.headers).map(([name, { name: header, type }]) => ({
      name,
      type: reference(type.wire),
      header,
      ...leavable(type.wire),
    })),
    ...(body ? [{ name: 'body', type: reference(body.wire) }] : []),
  ]
  return {
    type: reference(shape ?? body?.wire ?? { base: 'Any' }),
    method: endpoint.method,
    path: endpoint.path,
    name: endpoint.operation,
    comment: endpoint.summary,
    ...(inputs.length > 0 && { inputs }),
    ...(304 in endpoint.responses && { outputs: [{ name: 'tag', type: 'String', header: 'ETag' }] }),
    ...(access.kind === 'authenticate' && { auth: { authenticate: true } }),
    ...(access.kind === 'authorize' && { auth: { action: access.action, resource: access.resource } }),
    expected: expected ?? 'OK',
    ...(alternatives.length > 0 && { alternatives }),
    ...(endpoint.errors.length > 0 && {
      exceptions: Object.fromEntries(endpoint.errors.map((status) => [statusName(status), { type: 'ResourceError' }])),
    }),
  }
}

const RESOURCE_ERROR: RdlType = {
  StructTypeDef: {
    type: 'Struct',
    name: 'ResourceError',
    fields: [
      { name: 'code', type: 'Int32' },
      { name: 'message', type: 'String' },
    ],
  },
}

/** Describes operations and all types they mention; every part of a type comes before the type. */
export function rdlSchema(
  title: { readonly name: string; readonly version: number; readonly base: string },
  endpoints: Readonly<Record<string, Endpoint>>,
): RdlSchema {
  const types = new Map<string, RdlType>()
  const operations = Object.values(endpoints)
  for (const endpoint of operations) {
    for (const type of Object.values(endpoint.params)) collect(types, type.wire)
    for (const parameter of [...Object.values(endpoint.query), ...Object.values(endpoint.headers)]) {
      collect(types, parameter.type.wire)
    }
    for (const [, shape] of replies(endpoint)) if (shape) collect(types, shape)
    if (endpoint.body) collect(types, endpoint.body.wire)
  }
  return { ...title, types: [...types.values(), RESOURCE_ERROR], resources: operations.map(resource) }
}
