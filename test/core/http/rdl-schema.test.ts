import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anonymous, authenticate, authorize, endpoint, header, nothing, query } from '#core/http/endpoint.ts'
import { rdlSchema } from '#core/http/rdl-schema.ts'
import { lowered, maybe, off } from '#core/http/scalar-types.ts'
import { emptyKept, enumeration, list, record, struct, text } from '#core/http/wire.ts'

const Colour = enumeration('Colour', ['RED', 'GREEN'])
const Ball = struct('Ball', {
  name: lowered.simple,
  colour: Colour,
  note: emptyKept(text()),
  size: maybe.int32,
  owners: list(lowered.domain),
  tags: record(text(), text()),
})

const endpoints = {
  putBall: endpoint({
    operation: 'putBall',
    method: 'PUT',
    path: '/ball/{name}',
    group: 'Ball',
    summary: 'Makes a ball.',
    params: { name: lowered.simple },
    headers: { auditRef: header('Y-Audit-Ref', maybe.text) },
    body: Ball,
    access: authorize('update', 'balls:{name}'),
    responses: { 200: Ball, 204: nothing },
    errors: [400, 429],
  }),
  getBall: endpoint({
    operation: 'getBall',
    method: 'GET',
    path: '/ball',
    group: 'Ball',
    summary: 'Reads a ball.',
    query: { loud: query('isLoud', off) },
    headers: { matchingTag: header('If-None-Match', maybe.text) },
    access: authenticate,
    responses: { 200: Ball, 304: nothing },
    errors: [],
  }),
  kickBall: endpoint({
    operation: 'kickBall',
    method: 'POST',
    path: '/ball/kick',
    group: 'Ball',
    summary: 'Kicks a ball.',
    access: anonymous('everybody may'),
    responses: { 204: nothing },
    errors: [],
  }),
}

const schema = rdlSchema({ name: 'Balls', version: 2, base: '/balls/v2' }, endpoints)

test('describes each type once, its parts before it', () => {
  assert.deepEqual(
    schema.types.map((type) => Object.values(type as object).map((definition: { name: string }) => definition.name)[0]),
    ['SimpleName', 'Colour', 'DomainName', 'Ball', 'ResourceError'],
  )
  assert.deepEqual(schema.types[1], {
    EnumTypeDef: { type: 'Enum', name: 'Colour', elements: [{ symbol: 'RED' }, { symbol: 'GREEN' }] },
  })
  assert.deepEqual(schema.types[0], {
    StringTypeDef: { type: 'String', name: 'SimpleName', pattern: '[a-zA-Z0-9_][a-zA-Z0-9_-]*' },
  })
  assert.deepEqual(schema.types[3], {
    StructTypeDef: {
      type: 'Struct',
      name: 'Ball',
      fields: [
        { name: 'name', type: 'SimpleName' },
        { name: 'colour', type: 'Colour' },
        { name: 'note', type: 'String', optional: true, annotations: { x_allowempty: 'true' } },
        { name: 'size', type: 'Int32', optional: true },
        { name: 'owners', type: 'Array', items: 'DomainName' },
        { name: 'tags', type: 'Map', items: 'String', keys: 'String' },
      ],
    },
  })
})

test('describes operations with inputs, access rule and statuses, the normal status first', () => {
  assert.deepEqual(schema.resources[0], {
    type: 'Ball',
    method: 'PUT',
    path: '/ball/{name}',
    name: 'putBall',
    comment: 'Makes a ball.',
    inputs: [
      { name: 'name', type: 'SimpleName', pathParam: true },
      { name: 'auditRef', type: 'String', header: 'Y-Audit-Ref', optional: true },
      { name: 'body', type: 'Ball' },
    ],
    auth: { action: 'update', resource: 'balls:{name}' },
    expected: 'NO_CONTENT',
    alternatives: ['OK'],
    exceptions: { BAD_REQUEST: { type: 'ResourceError' }, TOO_MANY_REQUESTS: { type: 'ResourceError' } },
  })
})

test('describes conditional reads with the tag they answer', () => {
  assert.deepEqual(schema.resources[1], {
    type: 'Ball',
    method: 'GET',
    path: '/ball',
    name: 'getBall',
    comment: 'Reads a ball.',
    inputs: [
      { name: 'loud', type: 'Bool', queryParam: 'isLoud', optional: true, default: false },
      { name: 'matchingTag', type: 'String', header: 'If-None-Match', optional: true },
    ],
    outputs: [{ name: 'tag', type: 'String', header: 'ETag' }],
    auth: { authenticate: true },
    expected: 'OK',
    alternatives: ['NOT_MODIFIED'],
  })
})

test('says nothing about access to what is open to anybody', () => {
  assert.equal(schema.resources[2]?.auth, undefined)
  assert.equal(schema.resources[2]?.expected, 'NO_CONTENT')
})
