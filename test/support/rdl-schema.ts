import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RdlSchema, RdlType } from '#core/http/rdl-schema.ts'

const BASE_TYPES = new Set([
  'String',
  'Int32',
  'Int64',
  'Bool',
  'Timestamp',
  'UUID',
  'Enum',
  'Array',
  'Map',
  'Struct',
  'Any',
])

const nameOf = (type: RdlType): string => {
  if ('StructTypeDef' in type) return type.StructTypeDef.name
  return 'EnumTypeDef' in type ? type.EnumTypeDef.name : type.StringTypeDef.name
}

/** What holds for the schema of a server, whatever its operations are. */
export function describeRdlSchema(
  make: () => () => RdlSchema,
  expected: { readonly name: string; readonly base: string; readonly operations: number },
): void {
  test('the schema names every operation and defines every type it mentions, once', () => {
    const schema = make()()
    assert.deepEqual([schema.name, schema.version, schema.base], [expected.name, 1, expected.base])
    assert.equal(schema.resources.length, expected.operations)
    const defined = schema.types.map(nameOf)
    assert.equal(new Set(defined).size, defined.length)
    const mentioned = [
      ...schema.resources.flatMap(({ type, inputs = [] }) => [type, ...inputs.map((input) => input.type)]),
      ...schema.types.flatMap((type) =>
        'StructTypeDef' in type
          ? type.StructTypeDef.fields.flatMap((field) => [field.type, field.items ?? 'Any', field.keys ?? 'Any'])
          : [],
      ),
    ]
    const known = new Set([...BASE_TYPES, ...defined])
    assert.deepEqual(
      [...new Set(mentioned)].filter((name) => !known.has(name)),
      [],
    )
  })

  test('the schema is built once', () => {
    const schema = make()
    assert.equal(schema(), schema())
  })
}
