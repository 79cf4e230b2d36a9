import { ok as assertOk, deepStrictEqual, strictEqual } from 'node:assert/strict'
import * as fc from 'fast-check'
import { ServiceError } from '#core/error/service-error.ts'
import type { Endpoint } from '#core/http/endpoint.ts'
import { parseJson } from '#core/http/json-body.ts'
import { acceptsType, judgeContentType, parseMediaType } from '#core/http/media-type.ts'
import { PlainRoutes } from '#core/http/plain-routes.ts'
import { preferredWaitSeconds } from '#core/http/prefer.ts'
import { parseProxyHeader } from '#core/http/proxy-protocol.ts'
import { formText, parseQuery, pathOf } from '#core/http/request-target.ts'
import { requestReader } from '#core/http/request-values.ts'
import { formatTimestamp, parseTimestamp } from '#core/http/wire.ts'
import { Glob } from '#core/rbac/glob.ts'
import { ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'
import { ZTS_API_ROOT, ztsEndpoints } from '#zts/api/index.ts'
import { parseForm, parseTokenRequest } from '#zts/service/access-token-request.ts'
import { parseAccessTokenScope, parseIdTokenScope } from '#zts/service/scope.ts'
import { exampleValue } from '../../support/example-value.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const RULES = { invalidObjectMessage: 'Invalid Object: see the documentation', jsonLimits: undefined }
const endpoints: readonly Endpoint[] = [...Object.values(zmsEndpoints), ...Object.values(ztsEndpoints)]
const text = (input: Buffer): string => input.toString('utf8')

/** An error that a client is told of, and that is the client's. */
const isClientError = (error: unknown): boolean =>
  error instanceof ServiceError && error.status >= 400 && error.status < 500 && error.message !== ''

const JSON_WORDS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  'null',
  'true',
  '-0',
  '1e400',
  '1E-400',
  '9007199254740993',
  '"__proto__":',
  '"constructor":{"prototype":{"polluted":1}}',
  '"toString":',
  '\\u0000',
  '\\ud800',
  '\u2028',
  '{"":',
]

const bodyReaders = endpoints
  .filter(({ body, consumes }) => body !== undefined && consumes === 'application/json')
  .map((endpoint) => {
    const params = Object.fromEntries(
      Object.entries(endpoint.params).map(([name, type]) => [name, String(exampleValue(type.wire))]),
    )
    const query = Object.values(endpoint.query).map(({ name, type }) => `${name}=${String(exampleValue(type.wire))}`)
    return { endpoint, read: requestReader(endpoint, RULES), params, url: `/x?${query.join('&')}` }
  })

/** Bodies of all operations. The first byte chooses the operation, so that a changed body may meet another one. */
const bodies: FuzzTarget = {
  name: 'json-bodies',
  seeds: bodyReaders.map(({ endpoint }, index) =>
    Buffer.concat([
      Buffer.of(index),
      Buffer.from(JSON.stringify(exampleValue(endpoint.body?.wire ?? { base: 'Struct' }))),
    ]),
  ),
  words: JSON_WORDS,
  grammar: fc
    .tuple(fc.nat(bodyReaders.length - 1), fc.json())
    .map(([index, json]) => Buffer.concat([Buffer.of(index), Buffer.from(json)])),
  isRefusal: isClientError,
  read: (input) => {
    const reader = bodyReaders[(input[0] ?? 0) % bodyReaders.length]
    if (reader === undefined) return
    const { params, url, read } = reader
    const { broken } = read({ params, url, headers: {}, body: input.subarray(1) })
    strictEqual(Reflect.get({}, 'polluted'), undefined)
    if (broken) throw broken
  },
}

const json: FuzzTarget = {
  name: 'json',
  seeds: [
    '{"a":[1,-2.5e3,"\\u00e9\\n",{"b":null}],"c":true}',
    `${'['.repeat(20)}${']'.repeat(20)}`,
    '\ufeff{"a":1}',
  ].map((each) => Buffer.from(each)),
  words: JSON_WORDS,
  grammar: fc.json({ maxDepth: 8 }).map((each) => Buffer.from(each)),
  isRefusal: (error) => error instanceof SyntaxError,
  read: (input) => {
    parseJson(input, { nestingDepth: 20, numberLength: 10, stringLength: 40 })
    // What is within the limits reads as without them.
    deepStrictEqual(parseJson(input), JSON.parse(text(input).replace(/^\ufeff/, '')))
  },
}

const routes = new PlainRoutes<Endpoint>(ZMS_API_ROOT)
for (const endpoint of Object.values(zmsEndpoints)) routes.add(endpoint.method, endpoint.path, endpoint)
const ztsRoutes = new PlainRoutes<Endpoint>(ZTS_API_ROOT)
for (const endpoint of Object.values(ztsEndpoints)) ztsRoutes.add(endpoint.method, endpoint.path, endpoint)
const readers = new Map(endpoints.map((endpoint) => [endpoint, requestReader(endpoint, RULES)]))

/** Targets of requests, with path and query, for all operations. */
const targets: FuzzTarget = {
  name: 'request-targets',
  seeds: [[ZMS_API_ROOT, zmsEndpoints] as const, [ZTS_API_ROOT, ztsEndpoints] as const].flatMap(([root, group]) =>
    Object.values<Endpoint>(group).map(({ method, path, query }) => {
      const parameters = Object.values(query).map(({ name, type }) => `${name}=${String(exampleValue(type.wire))}`)
      return Buffer.from(`${method} ${root}${path.replaceAll(/\{\w+\}/g, 'sports')}?${parameters.join('&')}`)
    }),
  ),
  words: [
    '/',
    '//',
    '..',
    '%2f',
    '%00',
    '%zz',
    '%c3%28',
    '?',
    '#',
    '&',
    '=',
    '+',
    '__proto__',
    '__proto__=1',
    ';',
    '*',
    '\u00e9',
  ],
  isRefusal: isClientError,
  read: (input) => {
    const [method = '', url = ''] = input.toString('latin1').split(' ', 2)
    const found = routes.find(method, url) ?? ztsRoutes.find(method, url)
    assertOk(!pathOf(url).includes('?'))
    parseQuery(url, new Set(['limit', '__proto__']))
    if (found === undefined) return
    const { broken } = (readers.get(found.value) as (typeof bodyReaders)[number]['read'])({
      params: found.params,
      url,
      headers: {},
      body: undefined,
    })
    if (broken) throw broken
  },
}

const FORM = [
  'grant_type=client_credentials&scope=sports%3Adomain+openid+sports%3Aservice.api&expires_in=3600',
  'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=a.b.c&audience=sports' +
    '&proxy_principal_spiffe_uris=spiffe%3A%2F%2Fsports%2Fsa%2Fapi&authorization_details=%5B%5D&actor=sports.api',
]
const form: FuzzTarget = {
  name: 'token-request-form',
  seeds: FORM.map((each) => Buffer.from(each)),
  words: [
    '&',
    '=',
    '%',
    '%00',
    '%zz',
    '+',
    'grant_type=',
    'scope=',
    '__proto__=',
    'spiffe%3A%2F%2F',
    ',',
    '-2147483649',
  ],
  isRefusal: isClientError,
  read: (input) => {
    assertOk(parseForm(text(input)) instanceof Map)
    formText(text(input))
    const { scope, expiresInSeconds } = parseTokenRequest(text(input))
    assertOk(Number.isSafeInteger(expiresInSeconds))
    parseAccessTokenScope(scope ?? '')
  },
}

const scope: FuzzTarget = {
  name: 'scope',
  seeds: ['openid sports:role.readers sports:group.g sports:service.api', 'openid groups roles', 'sports:domain'].map(
    (each) => Buffer.from(each),
  ),
  words: [' ', ':', '.', 'openid', ':role.', ':group.', ':service.', ':domain', '\u00a0', '\t', '*'],
  isRefusal: isClientError,
  read: (input) => {
    for (const read of [
      () => {
        const asked = parseAccessTokenScope(text(input), { roleDomain: 'sports' })
        for (const name of [asked.domain, ...(asked.rolesIn(asked.domain) ?? [])])
          assertOk(/^[a-z0-9_.-]+$/.test(name), name)
      },
      () => {
        const { domains } = parseIdTokenScope(text(input), { maxDomains: 2 })
        assertOk(domains.length <= 2)
      },
    ]) {
      try {
        read()
      } catch (error) {
        if (!isClientError(error)) throw error
      }
    }
  },
}

const headers: FuzzTarget = {
  name: 'headers',
  seeds: [
    'application/json; charset=utf-8',
    'text/html, application/json;q=0.9, */*;q=0.1',
    'wait=30, respond-async',
    'wait="5"',
  ].map((each) => Buffer.from(each)),
  words: ['/', ';', ',', '=', '"', '\t', ' ', 'q=', 'wait=', '*/*', 'application/json'],
  isRefusal: () => false,
  read: (input) => {
    const value = input.toString('latin1')
    const type = parseMediaType(value)
    if (judgeContentType(value, 'application/json') === 'fits')
      deepStrictEqual(type, { type: 'application', subtype: 'json' })
    acceptsType(value, 'application/json')
    const seconds = preferredWaitSeconds(value)
    assertOk(seconds === undefined || Number.isSafeInteger(seconds))
  },
}

const PROXY_V2 = Buffer.concat([
  Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex'),
  Buffer.from('c0000201c6336401d43101bb', 'hex'),
])
const proxyHeader: FuzzTarget = {
  name: 'proxy-protocol',
  seeds: [Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 54321 443\r\nGET /'), PROXY_V2],
  words: ['PROXY ', 'TCP6 ', 'UNKNOWN', '\r\n', ' ', '::1', '256', '\u0000', '0'],
  isRefusal: () => false,
  read: (input) => {
    const header = parseProxyHeader(input)
    if (header.kind === 'header') assertOk(header.length > 0 && header.length <= input.length)
    if (input.length >= 600)
      assertOk(header.kind !== 'incomplete' || input[0] === 0x0d, 'waits for more than a header can have')
  },
}

const timestamps: FuzzTarget = {
  name: 'timestamps',
  seeds: ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00', '2026-02-29T23:59:60.999+01:00'].map((each) =>
    Buffer.from(each),
  ),
  words: ['-', ':', 'T', 'Z', '.', '+', '99', '0000', '1e9', '\u0660'],
  isRefusal: () => false,
  read: (input) => {
    const millis = parseTimestamp(text(input))
    if (millis !== undefined) strictEqual(parseTimestamp(formatTimestamp(millis)), millis)
  },
}

/** A pattern, a line end, and a text to match: both are of strangers. */
const globs: FuzzTarget = {
  name: 'globs',
  seeds: ['*a*a*a*a*a*a*b\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'sports:role.?*.x\nsports:role.y.x'].map((each) =>
    Buffer.from(each),
  ),
  words: ['*', '?', '*a', '?*', '**', 'a', '[', ']', '(a+)+', '\\', '.', '|', '$', '\u{1f4a5}', '\r'],
  isRefusal: () => false,
  read: (input) => {
    const [pattern = '', ...subject] = text(input).split('\n')
    const glob = new Glob(pattern)
    strictEqual(glob.matches(subject.join('\n')), glob.matches(subject.join('\n')))
    if (!pattern.includes('*') && !pattern.includes('?')) assertOk(glob.matches(pattern))
  },
}

/** Readers of what requests are made of. */
export const REQUEST_TARGETS: readonly FuzzTarget[] = [
  bodies,
  json,
  targets,
  form,
  scope,
  headers,
  proxyHeader,
  timestamps,
  globs,
]
