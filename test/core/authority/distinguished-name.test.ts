import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { canonicalName, parseName } from '#core/authority/distinguished-name.ts'

describe('distinguished names', () => {
  const same: readonly [behaviour: string, text: string, attributes: Record<string, string | string[]>][] = [
    ['are equal in any order', 'CN=a,O=b,C=c', { C: 'c', O: 'b', CN: 'a' }],
    ['may repeat a type', 'OU=y,OU=x', { OU: ['x', 'y'] }],
    ['may have blanks around attributes', ' CN = a , O = b ', { CN: 'a', O: 'b' }],
    ['may be joined by semicolon and plus', 'CN=a+UID=u;O=b', { CN: 'a', UID: 'u', O: 'b' }],
    ['may have escaped separators', 'CN=a\\,b\\=c\\+d\\"e\\\\', { CN: 'a,b=c+d"e\\' }],
    ['may have hexadecimal escapes', 'CN=J\\C3\\BCrgen', { CN: 'Jürgen' }],
    ['may have quotes', 'CN="a, b+c;d\\"e",O=f', { CN: 'a, b+c;d"e', O: 'f' }],
    ['may have types in small letters', 'cn=a,emailaddress=m@x', { CN: 'a', emailAddress: 'm@x' }],
    ['may have other names of types', 'E=m@x,S=state', { emailAddress: 'm@x', ST: 'state' }],
    ['may have numbers for types', 'OID.2.5.4.3=a,1.2.840.113549.1.9.1=#16036D4078', { CN: 'a', emailAddress: 'm@x' }],
    ['may have empty values', 'CN=,O=b', { CN: '', O: 'b' }],
  ]
  for (const [behaviour, text, attributes] of same) {
    test(behaviour, () => assert.equal(parseName(text), canonicalName(attributes)))
  }

  const different: readonly [behaviour: string, a: string, b: string][] = [
    ['differ in a value', 'CN=a', 'CN=b'],
    ['differ in letter case', 'CN=a', 'CN=A'],
    ['differ in a type', 'CN=a', 'OU=a'],
    ['differ in number', 'CN=a', 'CN=a,CN=a'],
    ['differ by an escaped separator', 'CN=a\\,O=b', 'CN=a,O=b'],
  ]
  for (const [behaviour, a, b] of different) {
    test(behaviour, () => assert.notEqual(parseName(a), parseName(b)))
  }

  for (const text of ['', 'a', 'CN=a,', 'CN=a,,O=b', '=a', 'CN=a\\', 'CN=#', 'CN=#zz', 'CN=#0c05616263', 'CN=#0261']) {
    test(`are not ${JSON.stringify(text)}`, () => assert.equal(parseName(text), undefined))
  }
})
