import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '#core/error/service-error.ts'
import { parseForm, parseTokenRequest, requestedActor } from '#zts/service/access-token-request.ts'

const GRANT = 'grant_type=client_credentials'
const parse = (fields = '') => parseTokenRequest(`${GRANT}&${fields}`)

const refuses = (act: () => unknown, message: string) =>
  assert.throws(act, (error) => {
    assert.ok(error instanceof ServiceError)
    assert.deepEqual([error.status, error.message], [400, message])
    return true
  })

describe('parseTokenRequest', () => {
  it('reads every field', () => {
    const fields = {
      grant_type: 'urn:ietf:params:oauth:grant-type:TOKEN-EXCHANGE',
      scope: 'Sports:Role.Reader',
      expires_in: '600',
      proxy_for_principal: 'User.Alice',
      proxy_principal_spiffe_uris: 'SPIFFE://sports/sa/api,spiffe://x',
      authorization_details: '[{"type":"A"}]',
      openid_issuer: 'true',
      role_in_aud_claim: 'TRUE',
      full_arn: 'true',
      client_assertion_type: 'URN:a',
      client_assertion: 'A.b.C',
      requested_token_type: 'URN:b',
      subject_token_type: 'URN:c',
      subject_token: 'D.e.F',
      actor_token_type: 'URN:d',
      actor_token: 'G.h.I',
      assertion: 'J.k.L',
      audience: 'Sports.API',
      resource: 'https://R',
      actor: 'Media.UI',
    }
    assert.deepEqual(parseTokenRequest(new URLSearchParams(fields).toString()), {
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      scope: 'sports:role.reader',
      expiresInSeconds: 600,
      proxyForPrincipal: 'user.alice',
      proxyPrincipalSpiffeUris: ['spiffe://sports/sa/api', 'spiffe://x'],
      authorizationDetails: '[{"type":"A"}]',
      openIdIssuer: true,
      roleInAudience: true,
      fullArn: true,
      clientAssertionType: 'urn:a',
      clientAssertion: 'A.b.C',
      requestedTokenType: 'urn:b',
      subjectTokenType: 'urn:c',
      subjectToken: 'D.e.F',
      actorTokenType: 'urn:d',
      actorToken: 'G.h.I',
      assertion: 'J.k.L',
      audience: 'Sports.API',
      resource: 'https://R',
      actor: 'Media.UI',
    })
  })

  it('has nothing where nothing is said', () => {
    const { grantType, ...others } = parse()
    assert.equal(grantType, 'client_credentials')
    const said = Object.entries(others).filter(([, value]) => value !== undefined && value !== false && value !== 0)
    assert.deepEqual(said, [])
  })

  it('passes over items that do not decode or have no equals sign, and unknown ones', () => {
    assert.equal(parse('scope=%zz').scope, undefined)
    assert.equal(parse('scope=%ff').scope, undefined)
    assert.equal(parse('scope&foo=bar&&=x').scope, undefined)
  })

  it('takes the last of several fields with one name, and the first equals sign', () => {
    assert.equal(parse('scope=a&scope=b').scope, 'b')
    assert.equal(parse('audience=a=b').audience, 'a=b')
  })

  it('decodes names and values', () => {
    assert.equal(parseTokenRequest('grant%5Ftype=client%5Fcredentials&scope=a+b%20c%3A').scope, 'a b c:')
  })

  for (const [text, seconds] of [
    ['', 0],
    ['+7', 7],
    ['-1', -1],
    ['1.5', 0],
    ['1e3', 0],
    [' 5', 0],
    ['2147483647', 2_147_483_647],
    ['2147483648', 0],
    ['99999999999', 0],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as a life of ${seconds} s`, () => {
      assert.equal(parse(`expires_in=${encodeURIComponent(text)}`).expiresInSeconds, seconds)
    })
  }

  it('refuses a body without text, and one without grant type', () => {
    refuses(() => parseTokenRequest(''), 'Empty request body')
    for (const body of ['&&&', 'scope=a', 'grant_type=', 'grant_type']) {
      refuses(() => parseTokenRequest(body), 'Invalid request: no grant type provided')
    }
  })

  for (const type of ['password', 'authorization_code', '__proto__', 'constructor']) {
    it(`refuses the grant type ${type}`, () => {
      refuses(() => parseTokenRequest(`grant_type=${type}`), `Invalid grant request: ${type}`)
    })
  }

  for (const uri of [
    'https://x',
    'spiffe:/x',
    'spiffe://',
    'spiffe://a/',
    'spiffe://a//b',
    'spiffe://a/../b',
    'spiffe://a/b?c',
    'spiffe://a/b#c',
    'spiffe://user@a/b',
    'spiffe://a:1/b',
    'spiffe://a b',
  ]) {
    it(`refuses "${uri}" as a SPIFFE URI`, () => {
      const list = `spiffe://a,${uri}`
      refuses(
        () => parse(`proxy_principal_spiffe_uris=${encodeURIComponent(list)}`),
        `Invalid spiffe uri specified: ${uri}`,
      )
    })
  }

  it('takes blanks around SPIFFE URIs, and commas behind the last one', () => {
    assert.deepEqual(parse('proxy_principal_spiffe_uris=+spiffe://a+,spiffe://b,,').proxyPrincipalSpiffeUris, [
      'spiffe://a',
      'spiffe://b',
    ])
    assert.equal(parse('proxy_principal_spiffe_uris=,+,').proxyPrincipalSpiffeUris, undefined)
    refuses(() => parse('proxy_principal_spiffe_uris=spiffe://a,,spiffe://b'), 'Invalid spiffe uri specified: ')
  })

  it('reads every form or refuses it with a reason', () => {
    const item = fc.tuple(
      fc.oneof(fc.constantFrom('grant_type', 'scope', 'expires_in', 'proxy_principal_spiffe_uris'), fc.string()),
      fc.constantFrom('=', '', '=='),
      fc.oneof(fc.constantFrom('client_credentials', '%', '%41', '+', 'spiffe://a'), fc.string()),
    )
    const body = fc.array(item.map((parts) => parts.join(''))).map((items) => items.join('&'))
    fc.assert(
      fc.property(body, (text) => {
        try {
          assert.equal(parseTokenRequest(text).grantType, 'client_credentials')
        } catch (error) {
          assert.ok(error instanceof ServiceError && error.status === 400, String(error))
        }
      }),
    )
  })
})

describe('parseForm', () => {
  it('reads what browsers write', () => {
    const fields = fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
      selector: ([name]) => name,
    })
    fc.assert(
      fc.property(fields, (pairs) => {
        const body = new URLSearchParams(pairs).toString()
        assert.deepEqual(parseForm(body), new Map(pairs))
      }),
    )
  })
})

describe('requestedActor', () => {
  it('gives the name as it is, and refuses what is none', () => {
    assert.equal(requestedActor(parse('actor=Media.UI')), 'Media.UI')
    assert.equal(requestedActor(parse()), undefined)
    for (const actor of ['', 'a+b']) {
      assert.throws(() => requestedActor(parse(`actor=${actor}`)), /Invalid ServiceName error/)
    }
  })
})
