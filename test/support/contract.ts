import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Endpoint, nothing, successStatuses } from '#core/http/endpoint.ts'
import type { WireShape, WireType } from '#core/http/wire.ts'
import {
  fieldsOf,
  type PublishedField,
  type PublishedOperation,
  type PublishedParameter,
  publishedApi,
  skipWithout,
} from './published-api.ts'

/** Declarations to be compared with a published interface. */
export interface Declarations {
  /** Of the interface: `zms`, `zts`. */
  readonly name: string
  readonly endpoints: Readonly<Record<string, Endpoint>>
  /** Patterns of its string types by their published names. */
  readonly patterns: Readonly<Record<string, RegExp>>
  /** Where the declarations differ on purpose: what differs → why. */
  readonly differences: ReadonlyMap<string, string>
  /** Published types that no operation mentions. */
  readonly unused: ReadonlySet<string>
}

interface Parameter {
  readonly wire: string
  readonly name: string
  readonly type: string
  readonly optional: boolean
}

/** One line per parameter that says what it is. */
const lines = (parameters: readonly Parameter[]): string[] =>
  parameters
    .map(({ wire, name, type, optional }) => `${wire} ${name} ${type} ${optional ? 'optional' : 'required'}`)
    .sort()

const typeName = (shape: WireShape): string => shape.name ?? shape.base
const mayBeAbsent = (shape: WireShape): boolean => shape.optional === true

const published = (parameters: readonly PublishedParameter[]): Parameter[] =>
  parameters.map((parameter) => ({
    wire: parameter.name,
    name: parameter.var ?? parameter.name,
    type: parameter.type,
    optional: parameter.optional === true,
  }))

const ours = (parameters: Readonly<Record<string, { name: string; type: WireType<unknown> }>>): Parameter[] =>
  Object.entries(parameters).map(([name, parameter]) => {
    const { wire: shape } = parameter.type
    return {
      wire: parameter.name,
      name,
      type: typeName(shape),
      optional: mayBeAbsent(shape) || shape.initial !== undefined,
    }
  })

/** Shapes by published name. */
function namedShapes(roots: Iterable<WireShape>): Map<string, WireShape> {
  const found = new Map<string, WireShape>()
  const visit = (shape: WireShape): void => {
    if (shape.name !== undefined) {
      if (found.has(shape.name)) return
      found.set(shape.name, shape)
    }
    for (const part of [shape.keys, shape.items, ...(shape.members?.values() ?? [])]) if (part) visit(part)
  }
  for (const root of roots) visit(root)
  return found
}

/** Texts that tell patterns apart: every text of up to four parts from a small alphabet, in a fixed order. */
function* samples(): Generator<string> {
  const parts = [
    ['', 'a', 'Z9', '_', '-', '*', '.', ':', ',', '%', '/', '=', ';', ' ', 'é', '\n', 'a-b', '5'],
    ['', '.', ':', ',', ':ext.', ':group.', '..', '.*', '*', '-', ':ext', 'b'],
    ['', 'a', 'b.c', 'd:e', 'f,g', '*', 'x y', '\n', '%', '/', '-', '_', 'q:ext.r', 'q:group.r', '.*', '=;', 'h/i'],
    ['', '.', ':', ',', '*', '\n', '.z', ':z', ',z', 'Z', ':ext.!', ':group.z'],
  ] as const
  for (const a of parts[0])
    for (const b of parts[1]) for (const c of parts[2]) for (const d of parts[3]) yield a + b + c + d
}

/** Defines tests that compare the declarations of a server with its published interface. */
export function describeContract({ name, endpoints, patterns, differences, unused }: Declarations): void {
  const api = publishedApi(name)
  const skip = skipWithout(api)
  const operations = new Map<string, PublishedOperation>(api?.resources.map((resource) => [resource.name, resource]))
  const declared = Object.values(endpoints)
  const seen = new Set<string>()
  const allowed = (difference: string): boolean => {
    if (differences.has(difference)) seen.add(difference)
    return differences.has(difference)
  }

  /** Our parameters, with those listed as different replaced by the published ones, and those listed as ours left out. */
  const settled = (operation: string, own: readonly Parameter[], theirs: readonly Parameter[]): Parameter[] =>
    own.flatMap((parameter) => {
      const other = theirs.find(({ wire }) => wire === parameter.wire)
      const { wire, type, optional } = parameter
      // What the original ignores its clients must be able to leave out.
      if (!other) return optional && allowed(`${operation} ?${wire}: ours`) ? [] : [parameter]
      return [
        {
          ...parameter,
          ...(type !== other.type && allowed(`${operation} ?${wire}: ${type}`) && { type: other.type }),
          ...(optional && !other.optional && allowed(`${operation} ?${wire}: optional`) && { optional: false }),
        },
      ]
    })

  describe('operations are those of the published interface', { skip }, () => {
    test('by name', () => {
      const shared = declared.filter(({ operation }) => !allowed(`${operation}: ours`))
      assert.deepEqual(shared.map(({ operation }) => operation).sort(), [...operations.keys()].sort())
      for (const [key, { operation }] of Object.entries(endpoints)) assert.equal(key, operation)
    })

    for (const endpoint of declared) {
      const { operation } = endpoint
      const theirs = operations.get(operation)
      if (!theirs) continue
      test(operation, () => {
        assert.equal(endpoint.method, theirs.method)
        assert.equal(endpoint.path, theirs.path)
        assert.equal(endpoint.group, theirs.group)
        assert.deepEqual([endpoint.consumes], theirs.consumes ?? ['application/json'])
        assert.deepEqual(
          Object.entries(endpoint.params).map(([key, { wire }]) => `${key} ${typeName(wire)}`),
          theirs.path_params.map((parameter) => `${parameter.name} ${parameter.type}`),
        )
        const query = published(theirs.query_params)
        assert.deepEqual(lines(settled(operation, ours(endpoint.query), query)), lines(query))
        // Every request header may be absent, whatever the schema says about it.
        const headers = published(theirs.header_params).map((header) => ({ ...header, optional: true }))
        assert.deepEqual(lines(ours(endpoint.headers)), lines(headers))
        assert.equal(endpoint.body?.wire.name, theirs.body?.type)
        assert.equal(endpoint.bodyType, theirs.body?.type)
        assert.deepEqual(
          successStatuses(endpoint),
          theirs.expected.toSorted((a, b) => Number(b === 204) - Number(a === 204) || a - b),
        )
        for (const status of theirs.expected) {
          const reply = endpoint.responses[status]
          const result = reply === undefined || reply === nothing ? null : (reply.wire.name ?? 'rdl.Schema')
          assert.equal(result, status === 204 || status >= 300 ? null : theirs.result)
        }
        assert.deepEqual(endpoint.errors, theirs.exceptions)
        const { kind, action, resource } = theirs.auth
        const { access } = endpoint
        assert.equal(access.kind, kind === 'none' ? 'anonymous' : kind)
        if (access.kind === 'authorize') assert.deepEqual([access.action, access.resource], [action, resource])
      })
    }
  })

  const bodies = namedShapes(declared.flatMap(({ body }) => (body ? [body.wire] : [])))
  const replies = namedShapes(
    declared.flatMap(({ responses }) =>
      Object.values(responses).flatMap((reply) => (reply === nothing ? [] : [reply.wire])),
    ),
  )
  const parameters = namedShapes(
    declared.flatMap(({ params, query }) => [
      ...Object.values(params).map(({ wire }) => wire),
      ...Object.values(query).map(({ type }) => type.wire),
    ]),
  )

  /** One line about a member of a structure, with differences that are listed taken away. */
  const memberLine = (structure: string, member: string, shape: WireShape, theirs: PublishedField | undefined) => {
    const type = typeName(shape)
    const place = `${structure}.${member}`
    return [
      member,
      theirs && type !== theirs.type && allowed(`${place}: ${type}`) ? theirs.type : type,
      shape.items ? typeName(shape.items) : '',
      shape.keys ? typeName(shape.keys) : '',
      mayBeAbsent(shape) && !(theirs?.optional === false && allowed(`${place}: optional`)) ? 'optional' : 'required',
    ].join(' ')
  }

  describe('structures have the members of the published interface', { skip }, () => {
    for (const [direction, shapes] of [
      ['requests', bodies],
      ['replies', replies],
    ] as const) {
      for (const [structure, { members }] of shapes) {
        if (!members || !api) continue
        test(`${structure} in ${direction}`, () => {
          const fields = fieldsOf(api, structure)
          const own = [...members].flatMap(([member, shape]) => {
            const theirs = fields.find((field) => field.name === member)
            if (!theirs && mayBeAbsent(shape) && allowed(`${structure}.${member}: ours`)) return []
            return [memberLine(structure, member, shape, theirs)]
          })
          const expected = fields.map(({ name: member, type, items = '', keys = '', optional }) =>
            [member, type, items, keys, optional ? 'optional' : 'required'].join(' '),
          )
          assert.deepEqual(own.sort(), expected.sort())
          if (direction === 'requests') return
          const kept = [...members].filter(([, shape]) => shape.emptyKept).map(([member]) => member)
          const allowEmpty = fields.filter((field) => field.x_allowempty === true)
          assert.deepEqual(kept.sort(), allowEmpty.map((field) => field.name).sort(), 'empty texts that are written')
        })
      }
    }

    test('every published structure and enumeration is used or known to be unused', () => {
      const used = new Set([...bodies.keys(), ...replies.keys()])
      const missing = Object.entries(api?.types ?? {})
        .filter(([type, { kind }]) => (kind === 'struct' || kind === 'enum') && !used.has(type) && !unused.has(type))
        .map(([type]) => type)
      assert.deepEqual(
        missing.filter((type) => !type.startsWith('rdl.')),
        [],
      )
    })

    test('enumerations have the published words', () => {
      for (const [type, shape] of [...bodies, ...replies]) {
        if (shape.words) assert.deepEqual(shape.words, api?.types[type]?.values)
      }
    })
  })

  describe('string types accept what the published patterns accept', { skip }, () => {
    const strings = Object.entries(api?.types ?? {}).filter(
      ([type, { kind }]) => kind === 'string' && !type.startsWith('rdl.'),
    )

    test('by name', () => {
      assert.deepEqual(Object.keys(patterns).sort(), strings.map(([type]) => type).sort())
    })

    for (const [type, { regex = '' }] of strings) {
      test(type, () => {
        const theirs = new RegExp(`^(?:${regex})$`)
        const pattern = patterns[type] as RegExp
        let accepted = 0
        for (const sample of samples()) {
          assert.equal(pattern.test(sample), theirs.test(sample), JSON.stringify(sample))
          if (pattern.test(sample)) accepted++
        }
        assert.ok(accepted > 0)
        for (const shapes of [bodies, replies, parameters]) {
          const shape = shapes.get(type)
          if (shape) assert.equal(shape.pattern, pattern)
        }
      })
    }
  })

  test('every difference that is listed exists', { skip }, () => {
    assert.deepEqual(
      [...differences.keys()].filter((difference) => !seen.has(difference)),
      [],
    )
  })
}
