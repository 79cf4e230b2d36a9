import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { type Endpoint, nothing } from '#core/http/endpoint.ts'
import { isMappingIssue, type WireShape, type WireType } from '#core/http/wire.ts'
import { publishedEndpoints, ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'

/** A step of a recorded scenario, as far as it matters here. */
interface Step {
  readonly id: string
  readonly server?: string
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly expect?: { readonly status: number; readonly body?: unknown }
}

const folder = ['../../conformance/zms/', '../../../../shared/conformance/zms/']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(url))

const PLACEHOLDER = /\{\{[^}]+\}\}/g
const SAMPLE_TIME = '2030-01-02T03:04:05.678Z'

/** Texts for the placeholders of a scenario. */
const filledIn = (text: string): string =>
  text
    .replaceAll(/\{\{repeat:(\d+):(.)\}\}/g, (_, count: string, letter: string) => letter.repeat(Number(count)))
    .replaceAll(/\{\{upper:\w+\}\}/g, 'DOM')
    .replaceAll(/\{\{time[-+]\d+\}\}/g, SAMPLE_TIME)
    .replaceAll(PLACEHOLDER, 'dom')

/** A value of a kind, for a placeholder or for a mark such as `<id1>` that stands for a changing value. */
const sample = ({ base }: WireShape, text: string): unknown => {
  if (base === 'Int32' || base === 'Int64') return 17
  if (base === 'Timestamp') return text.startsWith('{{') ? filledIn(text) : SAMPLE_TIME
  if (base === 'UUID') return '0f8fad5b-d9cb-469f-a165-70867728950e'
  if (base === 'Array') return []
  return filledIn(text)
}

/** A recorded value with something that fits in every place that changes from run to run. */
const completed = (shape: WireShape | undefined, value: unknown): unknown => {
  if (typeof value === 'string') {
    const marked = /^(?:<[^>]+>|\{\{[^}]+\}\})$/.test(value)
    return shape && marked ? sample(shape, value) : filledIn(value)
  }
  if (Array.isArray(value)) return value.map((item) => completed(shape?.items, item))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      filledIn(name),
      completed(shape?.base === 'Map' ? shape.items : shape?.members?.get(name), member),
    ]),
  )
}

/** The same for the text of a parameter. */
const completedText = (shape: WireShape, text: string): string =>
  text.replaceAll(PLACEHOLDER, (placeholder) => String(sample(shape, placeholder)))

const find = (method: string, path: string): { endpoint: Endpoint; params: Map<string, string> } | undefined => {
  const segments = path.split('/')
  const candidates = Object.values(zmsEndpoints as Readonly<Record<string, Endpoint>>)
    .filter((endpoint) => endpoint.method === method)
    .map((endpoint) => ({ endpoint, template: endpoint.path.split('/') }))
    .filter(
      ({ template }) =>
        template.length === segments.length &&
        template.every((part, at) => part.startsWith('{') || part === segments[at]),
    )
    .sort((a, b) => placeholders(a.template) - placeholders(b.template))
  const [best] = candidates
  if (!best) return undefined
  const params = best.template.flatMap((part, at) =>
    part.startsWith('{') ? [[part.slice(1, -1), segments[at] ?? ''] as const] : [],
  )
  return { endpoint: best.endpoint, params: new Map(params) }
}

const placeholders = (template: readonly string[]): number => template.filter((part) => part.startsWith('{')).length

const failures = (type: WireType<unknown>, value: unknown): { mapping: boolean; message: string } | undefined => {
  const result = type.safeParse(value)
  if (result.success) return undefined
  const { issues } = result.error
  return {
    mapping: issues.some(isMappingIssue),
    message: issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  }
}

/** Members of a reply that its type does not know. */
const unknownMembers = (shape: WireShape, value: unknown, path = ''): string[] => {
  if (value === null || typeof value !== 'object') return []
  if (Array.isArray(value))
    return value.flatMap((item) => (shape.items ? unknownMembers(shape.items, item, `${path}[]`) : []))
  return Object.entries(value).flatMap(([name, member]) => {
    if (shape.base === 'Map') return shape.items ? unknownMembers(shape.items, member, `${path}.*`) : []
    if (!shape.members) return []
    const type = shape.members.get(name)
    return type ? unknownMembers(type, member, `${path}.${name}`) : [`${path}.${name}`]
  })
}

const steps = (folder ? readdirSync(folder) : [])
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => {
    const scenario = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { steps: Step[] }
    return scenario.steps
      .filter((step) => step.method && step.path?.startsWith(ZMS_API_ROOT) && (step.server ?? 'zms') === 'zms')
      .map((step) => ({ ...step, title: `${name.replace('.json', '')}/${step.id}` }))
  })

const skip = folder ? false : 'there are no recorded scenarios beside the tests'
let compared = 0

describe('what the original accepted is accepted, and what it could not map is not mapped', { skip }, () => {
  for (const step of steps) {
    const [path = '', search = ''] = step.path.slice(ZMS_API_ROOT.length).split('?')
    const found = find(step.method, path)
    const status = step.expect?.status
    if (!found || status === undefined) continue
    const { endpoint, params } = found
    test(step.title, () => {
      const query = new URLSearchParams(search)
      const given = [
        ...[...params].map(([name, text]) => ({ type: endpoint.params[name], text: decodeURIComponent(text) })),
        ...Object.values(endpoint.query).map(({ name, type }) => ({ type, text: query.get(name) ?? undefined })),
      ]
      const refusals = given.flatMap(({ type, text }) =>
        type ? (failures(type, text && completedText(type.wire, text)) ?? []) : [],
      )
      if (status < 300) assert.deepEqual(refusals, [], 'path and query')

      if (endpoint.body && step.body !== undefined && typeof step.body !== 'string') {
        const refusal = failures(endpoint.body, completed(endpoint.body.wire, step.body))
        const unmappable = JSON.stringify(step.expect?.body ?? '').includes('Invalid Object')
        assert.equal(refusal?.mapping ?? false, unmappable, refusal?.message ?? 'was mapped')
        if (status < 300) assert.equal(refusal, undefined)
        compared++
      }

      const reply = endpoint.responses[status]
      if (reply === undefined || reply === nothing || step.expect?.body === undefined) return
      const body = completed(reply.wire, step.expect.body)
      // The recorder takes tokens and signed documents apart.
      if (endpoint.group === 'Token' || endpoint.operation === 'getJWSDomain') return
      assert.equal(failures(reply, body), undefined)
      assert.deepEqual(unknownMembers(reply.wire, body), [])
      compared++
    })
  }
})

test('there was something to compare', { skip }, () => {
  assert.ok(compared > 500, `${compared} bodies`)
})

/** Operations that succeed in no recording, because the original was not set up for them or failed → their own tests. */
const RECORDED_NOWHERE: ReadonlyMap<string, string> = new Map([
  ['putServiceCredsEntry', 'service/service-credentials.test.ts'],
  ['getServerTemplateDetailsList', 'service/template.test.ts'],
  ['getUserToken', 'service/token.test.ts'],
])

test('every operation succeeds in a recording or in a test of its own', { skip }, () => {
  const successes = new Set(
    steps
      .filter(({ expect }) => expect !== undefined && expect.status < 400)
      .map(({ method, path }) => find(method, path.slice(ZMS_API_ROOT.length).split('?')[0] ?? '')?.endpoint.operation),
  )
  const operations = Object.values(publishedEndpoints).map(({ operation }) => operation)
  assert.equal(new Set(operations).size, 132)
  assert.deepEqual(
    operations.filter((operation) => !successes.has(operation)),
    [...RECORDED_NOWHERE.keys()],
  )
  for (const [operation, file] of RECORDED_NOWHERE)
    assert.ok(existsSync(new URL(`../${file}`, import.meta.url)), operation)
})
