import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEFAULT_CIPHERS, getCiphers } from 'node:tls'
import { cipherList } from '#core/http/cipher-suites.ts'

describe('cipher suites', () => {
  test('nothing chosen leaves the choice to the runtime', () => {
    assert.equal(cipherList({ included: [], excluded: [] }, DEFAULT_CIPHERS), undefined)
  })

  const names: [iana: string, openssl: string][] = [
    ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
    ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
    ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
    ['TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
    ['TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', 'ECDHE-RSA-AES256-SHA384'],
    ['TLS_RSA_WITH_AES_128_GCM_SHA256', 'AES128-GCM-SHA256'],
    ['TLS_RSA_WITH_AES_256_CBC_SHA', 'AES256-SHA'],
    ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ]
  for (const [iana, openssl] of names) {
    test(`${iana} is ${openssl}, which the runtime knows`, () => {
      assert.equal(cipherList({ included: [iana], excluded: [] }, DEFAULT_CIPHERS), openssl)
      assert.ok(getCiphers().includes(openssl.toLowerCase()))
    })
  }

  test('exclusions take away from the chosen ones, or from the defaults', () => {
    const included = ['TLS_AES_128_GCM_SHA256', 'TLS_RSA_WITH_AES_256_CBC_SHA']
    const excluded = ['TLS_RSA_WITH_AES_256_CBC_SHA']
    assert.equal(cipherList({ included, excluded }, DEFAULT_CIPHERS), 'TLS_AES_128_GCM_SHA256')
    const list = cipherList(
      { included: [], excluded: ['TLS_AES_128_GCM_SHA256'] },
      'TLS_AES_128_GCM_SHA256:AES256-SHA:!RC4',
    )
    assert.equal(list, 'AES256-SHA')
  })

  test('an unknown name, or nothing left, stops the start', () => {
    assert.throws(
      () => cipherList({ included: ['TLS_NOT_KNOWN'], excluded: [] }, ''),
      /unknown cipher suite TLS_NOT_KNOWN/,
    )
    const one = ['TLS_AES_128_GCM_SHA256']
    assert.throws(() => cipherList({ included: one, excluded: one }, ''), /no cipher suite remains/)
  })
})
