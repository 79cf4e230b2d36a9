import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { anonymous, authenticate, endpoint, header, nothing, query } from '#core/http/endpoint.ts'
import { openApiDocument } from '#core/http/openapi.ts'
import {
  bool,
  enumeration,
  initially,
  int32,
  list,
  mapOf,
  nullable,
  optional,
  struct,
  text,
  time,
  timestamp,
} from '#core/http/wire.ts'
import { fakeEndpoints } from './support.ts'

const info = { title: 'Things', version: '1', basePath: '/api/v1' }
type Json = Record<string, never>
const documentOf = (endpoints: Parameters<typeof openApiDocument>[1]) =>
  openApiDocument(info, endpoints) as unknown as Json

const common = { group: 'G', summary: 'S.', access: authenticate, errors: [400] } as const

describe('the API document', () => {
  test('names every operation once, with its access rule in words', () => {
    const { paths } = documentOf(fakeEndpoints) as unknown as {
      paths: Record<string, Record<string, { operationId: string; description: string; security: unknown[] }>>
    }
    const operations = Object.values(paths).flatMap((item) => Object.values(item))
    assert.deepEqual(operations.map(({ operationId }) => operationId).sort(), Object.keys(fakeEndpoints).sort())
    const operation = (path: string, method: string) => paths[path]?.[method]
    assert.equal(operation('/open', 'get')?.description, 'Open to anybody: public by nature.')
    assert.deepEqual(operation('/open', 'get')?.security, [])
    assert.equal(operation('/status', 'get')?.description, 'For authenticated callers.')
    assert.equal(
      operation('/domain/{domainName}/thing/{thingName}', 'put')?.description,
      'For callers who may `update` `{domainName}:thing.{thingName}`.',
    )
  })

  test('describes parameters where they are and as they are', () => {
    const getThing = endpoint({
      ...common,
      operation: 'getThing',
      method: 'GET',
      path: '/thing/{id}',
      params: { id: int32() },
      query: {
        limit: query('limit', optional(int32())),
        all: query('all', initially(false, bool())),
        what: query('what', text()),
      },
      headers: { matching: header('If-None-Match', optional(text())) },
      responses: { 200: struct({ id: int32() }), 304: nothing },
    })
    const operation = (documentOf({ getThing }) as unknown as { paths: Record<string, Record<string, Json>> }).paths[
      '/thing/{id}'
    ]?.['get']
    assert.deepEqual(operation?.['parameters'], [
      { name: 'id', in: 'path', required: true, schema: { type: 'integer', format: 'int32' } },
      { name: 'limit', in: 'query', required: false, schema: { type: 'integer', format: 'int32' } },
      { name: 'all', in: 'query', required: false, schema: { type: 'boolean', default: false } },
      { name: 'what', in: 'query', required: true, schema: { type: 'string' } },
      { name: 'If-None-Match', in: 'header', required: false, schema: { type: 'string' } },
    ])
    assert.deepEqual(operation?.['responses'], {
      200: {
        description: 'OK',
        content: {
          'application/json': {
            schema: { type: 'object', properties: { id: { type: 'integer', format: 'int32' } }, required: ['id'] },
          },
        },
      },
      304: { description: 'Not Modified' },
      400: { $ref: '#/components/responses/Error' },
    })
  })

  test('describes a named type once; a request that differs has a name of its own', () => {
    const Name = text(/^[a-z]+$/, 20, 'Name')
    const Input = struct('Thing', { name: Name, seen: timestamp(), count: initially(0, int32()) })
    const Output = struct('Thing', {
      name: Name,
      seen: optional(time()),
      count: initially(0, int32()),
      kind: enumeration('Kind', ['a', 'b']),
      tags: optional(mapOf(Name, list(Name))),
      note: nullable(text()),
    })
    const putThing = endpoint({
      ...common,
      operation: 'putThing',
      method: 'PUT',
      path: '/thing',
      body: Input,
      responses: { 200: Output, 204: nothing },
    })
    const document = documentOf({ putThing }) as unknown as {
      components: { schemas: unknown }
      paths: Record<string, Record<string, Json>>
    }
    const name = { $ref: '#/components/schemas/Name' }
    const seen = { type: 'string', format: 'date-time' }
    const count = { type: 'integer', format: 'int32', default: 0 }
    assert.deepEqual(document.components.schemas, {
      Kind: { type: 'string', enum: ['a', 'b'] },
      Name: { type: 'string', pattern: '^[a-z]+$', maxLength: 20 },
      ResourceError: {
        type: 'object',
        properties: { code: { type: 'integer', format: 'int32' }, message: { type: 'string' } },
        required: ['code', 'message'],
      },
      Thing: {
        type: 'object',
        properties: {
          name,
          seen,
          count,
          kind: { $ref: '#/components/schemas/Kind' },
          tags: {
            type: 'object',
            additionalProperties: { type: 'array', items: name },
            propertyNames: { pattern: '^[a-z]+$' },
          },
          note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        },
        required: ['name', 'count', 'kind', 'note'],
      },
      ThingRequest: { type: 'object', properties: { name, seen, count }, required: ['name'] },
    })
    assert.deepEqual(document.paths['/thing']?.['put']?.['requestBody'], {
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/ThingRequest' } } },
    })
  })

  test('says what a form is', () => {
    const postForm = endpoint({
      ...common,
      operation: 'postForm',
      method: 'POST',
      path: '/form',
      consumes: 'application/x-www-form-urlencoded',
      body: text(),
      access: anonymous('a'),
      responses: { 200: struct({ x: bool() }) },
    })
    const { paths } = documentOf({ postForm }) as unknown as {
      paths: Record<string, Record<string, { requestBody: { content: object } }>>
    }
    assert.deepEqual(Object.keys(paths['/form']?.['post']?.requestBody.content ?? {}), [
      'application/x-www-form-urlencoded',
    ])
  })

  test('every reference leads somewhere', () => {
    const document = documentOf(fakeEndpoints) as unknown as { components: { schemas: Record<string, unknown> } }
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name as string,
    )
    assert.ok(references.length > 0)
    for (const name of references) assert.ok(name in document.components.schemas, name)
  })
})
