import type { WireShape } from './wire.ts'

/** A JSON Schema (draft 2020-12), as OpenAPI 3.1 uses it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Whose values are described: those that clients send, or those that servers answer. */
export type Direction = 'request' | 'reply'

const POINTER = '#/components/schemas/'

const SCALARS: Readonly<Record<WireShape['base'], JsonSchema>> = {
  String: { type: 'string' },
  Int32: { type: 'integer', format: 'int32' },
  Int64: { type: 'integer', format: 'int64' },
  Bool: { type: 'boolean' },
  Timestamp: { type: 'string', format: 'date-time' },
  UUID: { type: 'string', format: 'uuid' },
  Enum: { type: 'string' },
  Array: { type: 'array' },
  Map: { type: 'object' },
  Struct: { type: 'object' },
  Any: {},
}

/**
 * Schemas of wire types, where every type with a published name is described once and referred to. Where the values
 * that clients send differ from those that servers answer, the second description is named with `Request` or `Reply`
 * behind it.
 */
export class SchemaCollection {
  readonly #named = new Map<string, JsonSchema>()

  /** The named schemas so far, in the order of their names. */
  get components(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Schema of a value, or a reference to it. */
  schemaOf(shape: WireShape, direction: Direction): JsonSchema {
    const described =
      shape.name === undefined ? this.#describe(shape, direction) : this.#refer(shape.name, shape, direction)
    const nullable = shape.nullable ? { anyOf: [described, { type: 'null' }] } : described
    return shape.initial === undefined ? nullable : { ...nullable, default: shape.initial }
  }

  #refer(name: string, shape: WireShape, direction: Direction): JsonSchema {
    const schema = this.#describe(shape, direction)
    const text = JSON.stringify(schema)
    const variant = `${name}${direction === 'request' ? 'Request' : 'Reply'}`
    let used = name
    for (let count = 1; ; count++) {
      const taken = this.#named.get(used)
      if (!taken || JSON.stringify(taken) === text) break
      used = count === 1 ? variant : `${variant}${count}`
    }
    this.#named.set(used, schema)
    return { $ref: POINTER + used }
  }

  #describe(shape: WireShape, direction: Direction): JsonSchema {
    const { base, pattern, maxLength, words, items, keys, members } = shape
    return {
      ...SCALARS[base],
      ...(pattern && { pattern: pattern.source }),
      ...(maxLength !== undefined && { maxLength }),
      ...(words && { enum: words }),
      ...(base === 'Array' && items && { items: this.schemaOf(items, direction) }),
      ...(base === 'Map' && items && { additionalProperties: this.schemaOf(items, direction) }),
      ...(base === 'Map' && keys?.pattern && { propertyNames: { pattern: keys.pattern.source } }),
      ...(members && this.#membersOf(members, direction)),
    }
  }

  #membersOf(members: ReadonlyMap<string, WireShape>, direction: Direction): JsonSchema {
    const required = [...members].filter(([, shape]) => isRequired(shape, direction)).map(([name]) => name)
    const properties = [...members].map(([name, shape]) => [name, this.schemaOf(shape, direction)])
    return { properties: Object.fromEntries(properties), ...(required.length > 0 && { required }) }
  }
}

/** A member with an initial value may be left out of a request, but is there in every reply. */
const isRequired = ({ optional, initial }: WireShape, direction: Direction): boolean =>
  !optional && (initial === undefined || direction === 'reply')
