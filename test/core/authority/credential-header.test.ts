import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { credentialReader } from '#core/authority/credential-header.ts'
import { requestOf } from './support.ts'

describe('credential of a request', () => {
  const cases: readonly [behaviour: string, header: string, rawHeaders: readonly string[], expected: unknown][] = [
    ['is the header', 'Athenz-Principal-Auth', ['Athenz-Principal-Auth', 'token'], 'token'],
    ['is the header in any letter case', 'Athenz-Principal-Auth', ['ATHENZ-principal-AUTH', 'token'], 'token'],
    ['is absent without the header', 'Athenz-Principal-Auth', ['Athenz-Role-Auth', 'token'], undefined],
    ['is there when the header is empty', 'Athenz-Principal-Auth', ['Athenz-Principal-Auth', ''], ''],
    ['is the first of several headers', 'X-Token', ['X-Token', 'one', 'Host', 'h', 'x-token', 'two'], 'one'],
    ['is not an inherited member of the headers', 'toString', [], undefined],
    ['is the cookie', 'Cookie.token', ['Cookie', 'a=1; token=v=S1; b=2'], 'v=S1'],
    ['is the first cookie of the name', 'Cookie.token', ['Cookie', 'token=one; token=two'], 'one'],
    ['is found in any cookie header', 'Cookie.token', ['Cookie', 'a=1', 'Cookie', 'token=one'], 'one'],
    ['is the cookie without quotes', 'Cookie.token', ['Cookie', 'token="one"'], 'one'],
    ['is the cookie with a lone quote', 'Cookie.token', ['Cookie', 'token="'], '"'],
    ['is there when the cookie is empty', 'Cookie.token', ['Cookie', 'token='], ''],
    ['is absent when another cookie ends with the name', 'Cookie.token', ['Cookie', 'mytoken=one'], undefined],
    ['is absent when the cookie differs in letter case', 'Cookie.token', ['Cookie', 'Token=one'], undefined],
    ['is absent when the cookie has no value', 'Cookie.token', ['Cookie', 'token'], undefined],
    ['is absent without cookies', 'Cookie.token', ['token', 'one'], undefined],
    ['is not inside a quoted cookie', 'Cookie.token', ['Cookie', 'a="x token=one"'], undefined],
  ]
  for (const [behaviour, header, rawHeaders, expected] of cases) {
    test(behaviour, () => assert.equal(credentialReader(header)(requestOf({ rawHeaders })), expected))
  }
})
