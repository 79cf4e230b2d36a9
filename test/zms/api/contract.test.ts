import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Endpoint, nothing, successStatuses } from '#core/http/endpoint.ts'
import type { WireShape, WireType } from '#core/http/wire.ts'
import { patterns } from '#core/names/patterns.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import {
  fieldsOf,
  type PublishedOperation,
  type PublishedParameter,
  publishedApi,
  skipWithout,
} from '../../support/published-api.ts'

/** Where our declarations differ from the published interface on purpose: what differs → why. */
const DIFFERENCES = new Map([
  [
    'DependentService.service: optional',
    'the original does not check this body; its service answers "service is mandatory"',
  ],
  [
    'DependentService.service: String',
    'for the same reason: only a system administrator’s choice of the service counts',
  ],
  ['Entity.value: optional', 'the original’s service answers "Entity value is empty"'],
  ['getAccess ?domain: String', 'the original does not check the form of the trust domain'],
  ['getAccess ?principal: String', 'the original does not check the form of the principal, which then has no rights'],
  ['getAccessExt ?domain: String', 'as getAccess'],
  ['getAccessExt ?principal: String', 'as getAccess'],
  ...[
    'getPendingDomainRoleMembersList',
    'getPendingDomainGroupMembersList',
    'getRolesForReview',
    'getGroupsForReview',
  ].map((operation): [string, string] => [
    `${operation} ?principal: PrincipalName`,
    'external members are principals too; the original answers about them',
  ]),
  [
    'getDomainMetaStoreValidValuesList ?attribute: optional',
    'the original’s service answers "attributeName is mandatory"',
  ],
])

/** Published types that no operation mentions. */
const UNUSED = new Set([
  'DomainAttributes',
  'DomainMetaList',
  'DomainOptions',
  'PrincipalMember',
  'TemplateList',
  'User',
])

const api = publishedApi('zms')
const operations = new Map<string, PublishedOperation>(api?.resources.map((resource) => [resource.name, resource]))
const declared: readonly Endpoint[] = Object.values(zmsEndpoints)

const seen = new Set<string>()
const allowed = (difference: string): boolean => {
  if (DIFFERENCES.has(difference)) seen.add(difference)
  return DIFFERENCES.has(difference)
}

const typeName = (shape: WireShape): string => shape.name ?? shape.base
const mayBeAbsent = (shape: WireShape): boolean => shape.optional === true

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

/** Our parameters, with those listed as different replaced by the published ones. */
const settled = (operation: string, own: readonly Parameter[], theirs: readonly Parameter[]): Parameter[] =>
  own.map((parameter) => {
    const other = theirs.find(({ wire }) => wire === parameter.wire)
    if (!other) return parameter
    const { wire, type, optional } = parameter
    return {
      ...parameter,
      ...(type !== other.type && allowed(`${operation} ?${wire}: ${type}`) && { type: other.type }),
      ...(optional && !other.optional && allowed(`${operation} ?${wire}: optional`) && { optional: false }),
    }
  })

const published = (parameters: readonly PublishedParameter[]) =>
  parameters.map((parameter) => ({
    wire: parameter.name,
    name: parameter.var ?? parameter.name,
    type: parameter.type,
    optional: parameter.optional === true,
  }))

const ours = (parameters: Readonly<Record<string, { name: string; type: WireType<unknown> }>>) =>
  Object.entries(parameters).map(
    ([
      name,
      {
        name: wire,
        type: { wire: shape },
      },
    ]) => ({
      wire,
      name,
      type: typeName(shape),
      optional: mayBeAbsent(shape) || shape.initial !== undefined,
    }),
  )

describe('operations are those of the published interface', { skip: skipWithout(api) }, () => {
  test('by name', () => {
    assert.deepEqual(declared.map(({ operation }) => operation).sort(), [...operations.keys()].sort())
    for (const [name, { operation }] of Object.entries(zmsEndpoints)) assert.equal(name, operation)
  })

  for (const endpoint of declared) {
    const { operation } = endpoint
    const theirs = operations.get(operation)
    if (!theirs) continue
    test(operation, () => {
      assert.equal(endpoint.method, theirs.method)
      assert.equal(endpoint.path, theirs.path)
      assert.equal(endpoint.group, theirs.group)
      assert.equal(endpoint.consumes, theirs.consumes ?? 'application/json')
      assert.deepEqual(
        Object.entries(endpoint.params).map(([name, { wire }]) => `${name} ${typeName(wire)}`),
        theirs.path_params.map(({ name, type }) => `${name} ${type}`),
      )
      const query = published(theirs.query_params)
      assert.deepEqual(lines(settled(operation, ours(endpoint.query), query)), lines(query))
      // Every request header may be absent, whatever the schema says about it.
      const headers = published(theirs.header_params).map((header) => ({ ...header, optional: true }))
      assert.deepEqual(lines(ours(endpoint.headers)), lines(headers))
      assert.equal(endpoint.body?.wire.name, theirs.body?.type)
      assert.equal(endpoint.bodyType, theirs.body?.type)
      assert.deepEqual(successStatuses(endpoint), theirs.expected)
      for (const status of theirs.expected) {
        const reply = endpoint.responses[status]
        const name = reply === undefined || reply === nothing ? null : (reply.wire.name ?? 'rdl.Schema')
        assert.equal(name, status === 204 || status === 304 ? null : theirs.result)
      }
      assert.deepEqual(endpoint.errors, theirs.exceptions)
      const { kind, action, resource } = theirs.auth
      const { access } = endpoint
      assert.equal(access.kind, kind === 'none' ? 'anonymous' : kind)
      if (access.kind === 'authorize') assert.deepEqual([access.action, access.resource], [action, resource])
    })
  }
})

/** Shapes by published name, once for requests and once for replies. */
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

describe('structures have the members of the published interface', { skip: skipWithout(api) }, () => {
  for (const [direction, shapes] of [
    ['requests', bodies],
    ['replies', replies],
  ] as const) {
    for (const [name, { members }] of shapes) {
      if (!members || !api) continue
      test(`${name} in ${direction}`, () => {
        const own = [...members].map(([member, shape]) => {
          const line = [
            member,
            allowed(`${name}.${member}: ${typeName(shape)}`) ? 'ServiceName' : typeName(shape),
            shape.items ? typeName(shape.items) : '',
            shape.keys ? typeName(shape.keys) : '',
            mayBeAbsent(shape) && !allowed(`${name}.${member}: optional`) ? 'optional' : 'required',
          ]
          return line.join(' ')
        })
        const expected = fieldsOf(api, name).map((field) =>
          [field.name, field.type, field.items ?? '', field.keys ?? '', field.optional ? 'optional' : 'required'].join(
            ' ',
          ),
        )
        assert.deepEqual(own.sort(), expected.sort())
        if (direction === 'requests') return
        const kept = [...members].filter(([, shape]) => shape.emptyKept).map(([member]) => member)
        const allowEmpty = fieldsOf(api, name).filter((field) => field.x_allowempty === true)
        assert.deepEqual(kept.sort(), allowEmpty.map((field) => field.name).sort(), 'empty texts that are written')
      })
    }
  }

  test('every published structure and enumeration is used or known to be unused', () => {
    const used = new Set([...bodies.keys(), ...replies.keys()])
    const missing = Object.entries(api?.types ?? {})
      .filter(([name, { kind }]) => (kind === 'struct' || kind === 'enum') && !used.has(name) && !UNUSED.has(name))
      .map(([name]) => name)
    assert.deepEqual(
      missing.filter((name) => !name.startsWith('rdl.')),
      [],
    )
  })

  test('enumerations have the published words', () => {
    for (const [name, shape] of [...bodies, ...replies]) {
      if (shape.words) assert.deepEqual(shape.words, api?.types[name]?.values)
    }
  })
})

/** Texts that tell patterns apart: every text of up to three parts from a small alphabet, in a fixed order. */
function* samples(): Generator<string> {
  const parts = [
    ['', 'a', 'Z9', '_', '-', '*', '.', ':', ',', '%', '/', '=', ';', ' ', 'é', '\n', 'a-b', '5'],
    ['', '.', ':', ',', ':ext.', ':group.', '..', '.*', '*', '-', ':ext', 'b'],
    ['', 'a', 'b.c', 'd:e', 'f,g', '*', 'x y', '\n', '%', '/', '-', '_', 'q:ext.r', 'q:group.r', '.*', '=;'],
    ['', '.', ':', ',', '*', '\n', '.z', ':z', ',z', 'Z', ':ext.!', ':group.z'],
  ] as const
  for (const a of parts[0])
    for (const b of parts[1]) for (const c of parts[2]) for (const d of parts[3]) yield a + b + c + d
}

describe('string types accept what the published patterns accept', { skip: skipWithout(api) }, () => {
  const strings = Object.entries(api?.types ?? {}).filter(
    ([name, type]) => type.kind === 'string' && !name.startsWith('rdl.'),
  )

  test('by name', () => {
    assert.deepEqual(Object.keys(patterns).sort(), strings.map(([name]) => name).sort())
  })

  for (const [name, { regex = '' }] of strings) {
    test(name, () => {
      const theirs = new RegExp(`^(?:${regex})$`)
      const pattern: RegExp | undefined = patterns[name as keyof typeof patterns]
      let accepted = 0
      for (const sample of samples()) {
        assert.equal(pattern.test(sample), theirs.test(sample), JSON.stringify(sample))
        if (pattern.test(sample)) accepted++
      }
      assert.ok(accepted > 0)
      for (const shapes of [bodies, replies, parameters]) {
        const shape = shapes.get(name)
        if (shape) assert.equal(shape.pattern, pattern)
      }
    })
  }
})

test('every difference that is listed exists', { skip: skipWithout(api) }, () => {
  assert.deepEqual(
    [...DIFFERENCES.keys()].filter((difference) => !seen.has(difference)),
    [],
  )
})
