import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import type { ZmsDependencies } from '#zms/service/dependencies.ts'
import { requireProviderEndpoint } from '#zms/service/service-rules.ts'

/** Whether the endpoint is admitted under suffixes of host names. */
function admitted(endpoint: string | undefined, ...providerEndpoints: string[]): boolean {
  const config = { zms: { providerEndpoints } } as unknown as ZmsDependencies['config']
  try {
    requireProviderEndpoint({ config }, 'put', endpoint)
    return true
  } catch (error) {
    assert.ok(error instanceof ServiceError)
    assert.equal(error.status, 400)
    assert.equal(error.message, `put: Invalid endpoint: ${endpoint} - must be http(s) and in configured domain`)
    return false
  }
}

describe('endpoints of providers', () => {
  test('no endpoint is no offence', () => {
    assert.ok(admitted(undefined))
    assert.ok(admitted(''))
  })

  for (const endpoint of [
    'https://any.example.com:4443/x',
    'http://10.1.2.3/',
    'HTTPS://Any.Example.COM',
    'class://com.example.Provider',
  ]) {
    test(`${endpoint} is admitted without suffixes`, () => assert.ok(admitted(endpoint)))
  }

  for (const endpoint of ['ftp://localhost/x', 'localhost:4443', 'any text', '//host/x', 'javascript:x', 'https://']) {
    test(`${endpoint} is never admitted`, () => {
      assert.ok(!admitted(endpoint))
      assert.ok(!admitted(endpoint, '.example.com'))
    })
  }

  const suffixed: [string, boolean][] = [
    ['https://a.example.com/x', true],
    ['https://A.EXAMPLE.COM:8443/x', true],
    ['http://localhost:9999/', true],
    ['class://com.example.Provider', true],
    ['https://example.com/', false],
    ['https://evil.com/?.example.com', false],
    ['https://evil.com#.example.com', false],
    ['https://a.example.com@evil.com/', false],
    ['https://a.example.com.evil.com/', false],
    ['https://localhost.evil.com/', false],
  ]
  for (const [endpoint, expected] of suffixed) {
    test(`${endpoint} is ${expected ? '' : 'not '}below .example.com`, () => {
      assert.equal(admitted(endpoint, '.example.com', '.other.org'), expected)
    })
  }
})
