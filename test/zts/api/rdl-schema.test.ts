import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RdlType } from '#core/http/rdl-schema.ts'
import { ztsRdlSchema } from '#zts/api/rdl-schema.ts'

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

test('the schema names every operation and defines every type it mentions, once', () => {
  const schema = ztsRdlSchema()()
  assert.deepEqual([schema.name, schema.version, schema.base], ['ZTS', 1, '/zts/v1'])
  assert.equal(schema.resources.length, 38)
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
  const schema = ztsRdlSchema()
  assert.equal(schema(), schema())
})
