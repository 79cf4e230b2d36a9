import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tlsOffer } from '#core/http/tls-offer.ts'

const ALL = { included: [], excluded: [] }

describe('what is offered of TLS', () => {
  const versions: readonly (readonly [string[], string, string])[] = [
    [['SSLv2', 'SSLv3'], 'TLSv1.2', 'TLSv1.3'],
    [['TLSv1', 'TLSv1.1', 'TLSv1.2'], 'TLSv1.3', 'TLSv1.3'],
    [['TLSv1.3'], 'TLSv1.2', 'TLSv1.2'],
  ]
  for (const [excluded, minVersion, maxVersion] of versions) {
    test(`without ${excluded.join(', ')} is ${minVersion} to ${maxVersion}`, () => {
      assert.deepEqual(tlsOffer(ALL, new Set(excluded)), { minVersion, maxVersion })
    })
  }

  test('are the cipher suites that are left', () => {
    const included = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384']
    const { ciphers } = tlsOffer({ included, excluded: ['TLS_AES_256_GCM_SHA384'] }, new Set())
    assert.equal(ciphers, 'TLS_AES_128_GCM_SHA256')
  })

  test('must be something', () => {
    assert.throws(() => tlsOffer(ALL, new Set(['TLSv1.2', 'TLSv1.3'])), /no version of TLS remains/)
    assert.throws(() => tlsOffer({ included: ['AES256-SHA'], excluded: ['AES256-SHA'] }, new Set()), /no cipher suite/)
  })
})
