import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readPortRules } from '#core/http/port-rules.ts'

const rulesOf = (...ports: unknown[]) => readPortRules(JSON.stringify({ ports }))

describe('rules of ports', () => {
  test('a port without a list serves everything', () => {
    const [rule] = rulesOf({
      port: 4443,
      description: 'all',
      mtls_required: true,
      sni_required: true,
      sni_host_check: true,
    })
    assert.deepEqual(rule, { port: 4443, clientCertificateNeeded: true, sniRequired: true, sniHostCheck: true })
  })

  test('a place matches by path, or by beginning and end, and by method', () => {
    const [rule] = rulesOf({
      port: 9443,
      allowed_endpoints: [
        { path: '/zts/v1/instance', methods: ['post'], description: 'registration' },
        { path_starts_with: '/zts/v1/instance/', path_ends_with: '/refresh' },
        { path_ends_with: '/keys', methods: ['GET'] },
      ],
    })
    const served: [method: string, path: string, served: boolean][] = [
      ['POST', '/zts/v1/instance', true],
      ['GET', '/zts/v1/instance', false],
      ['POST', '/zts/v1/instance/', false],
      ['PUT', '/zts/v1/instance/a/refresh', true],
      ['PUT', '/zts/v1/instance/a', false],
      ['PUT', '/other/refresh', false],
      ['GET', '/zts/v1/oauth2/keys', true],
      ['HEAD', '/zts/v1/oauth2/keys', false],
    ]
    for (const [method, path, expected] of served)
      assert.equal(rule?.serves?.(method, path), expected, `${method} ${path}`)
  })

  const bad: [name: string, text: string, reason: RegExp][] = [
    ['no JSON', '{', /it is no JSON/],
    ['no ports', '{}', /ports/],
    ['a port that is none', '{"ports":[{"port":0}]}', /port/],
    ['an unknown member', '{"ports":[{"port":1,"mtls":true}]}', /mtls/],
    [
      'a place without a path',
      '{"ports":[{"port":1,"allowed_endpoints":[{"methods":["GET"]}]}]}',
      /path, path_starts_with or path_ends_with/,
    ],
    ['a port listed twice', '{"ports":[{"port":1},{"port":1}]}', /port 1 is listed twice/],
  ]
  for (const [name, text, reason] of bad) {
    test(`refuses ${name}`, () => assert.throws(() => readPortRules(text), reason))
  }
})
