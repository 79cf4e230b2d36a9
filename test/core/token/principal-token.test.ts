import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePrincipalToken } from '#core/token/principal-token.ts'

const GOOD =
  'v=S1;d=Sports;n=API;h=host.example.com;a=1f;t=100;e=200;k=v1;z=zts;o=user.joe;i=10.0.0.1;b=ui.web,ui.cli;s=YWJj'

const parse = (text: string) => {
  const parsed = parsePrincipalToken(text)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.failure.reason)
  return parsed.token
}

const refusal = (text: string) => {
  const parsed = parsePrincipalToken(text)
  assert.ok(!parsed.ok, 'the token was read')
  return parsed.failure
}

describe('parsePrincipalToken', () => {
  it('reads every field, names in lower case', () => {
    assert.deepEqual(parse(GOOD), {
      version: 'S1',
      domain: 'sports',
      name: 'api',
      host: 'host.example.com',
      salt: '1f',
      issueTimeSeconds: 100,
      expiryTimeSeconds: 200,
      keyId: 'v1',
      keyService: 'zts',
      originalRequestor: 'user.joe',
      ip: '10.0.0.1',
      authorizedServices: ['ui.web', 'ui.cli'],
      signature: 'YWJj',
      signedText: GOOD.slice(0, GOOD.indexOf(';s=')),
      delegation: undefined,
    })
  })

  it('reads the order of the command-line tools', () => {
    const text = 'v=S1;d=sports;n=api;k=0;z=zms;h=localhost;i=::1;a=abc;t=1;e=2;s=YWJj'
    assert.equal(parse(text).ip, '::1')
    assert.equal(parse(text).signedText, text.slice(0, -7))
  })

  it('fills in what a token may leave out', () => {
    const token = parse('v=S1;d=sports;n=api;e=200;s=YWJj')
    assert.equal(token.keyId, '0')
    assert.equal(token.issueTimeSeconds, 0)
    assert.deepEqual(token.authorizedServices, [])
    assert.equal(token.salt, undefined)
  })

  it('counts an empty optional field as absent', () => {
    assert.equal(parse('v=S1;d=sports;n=api;h=;z=;e=200;s=YWJj').host, undefined)
  })

  it('ignores unknown fields that are signed', () => {
    assert.equal(parse('v=S1;d=sports;n=api;future=1;e=200;s=YWJj').signedText, 'v=S1;d=sports;n=api;future=1;e=200')
  })

  it('keeps a key named like a member of every object apart', () => {
    const token = parse('v=S1;d=sports;n=api;__proto__=x;constructor=y;e=200;s=YWJj')
    assert.equal(token.domain, 'sports')
    assert.equal(({} as Record<string, unknown>).x, undefined)
  })

  it('reads the signature of an authorized service', () => {
    const text = `${GOOD};bk=k2;bn=ui.web;bs=ZGVm`
    assert.deepEqual(parse(text).delegation, {
      service: 'ui.web',
      keyId: 'k2',
      signature: 'ZGVm',
      signedText: `${GOOD};bk=k2;bn=ui.web`,
    })
    assert.equal(parse(text).signedText, GOOD.slice(0, GOOD.indexOf(';s=')))
  })

  const refused: [name: string, text: string, code: string, reason: RegExp][] = [
    ['an empty text', '', 'malformed', /^empty$/],
    ['a text without fields', 'garbage', 'malformed', /key=value/],
    ['a field without a key', 'v=S1;=x', 'malformed', /key=value/],
    ['a semicolon at the end', `${GOOD};`, 'malformed', /key=value/],
    ['an empty field in the middle', GOOD.replace(';n=', ';;n='), 'malformed', /key=value/],
    [
      'two equals signs in a field',
      GOOD.replace('k=v1', 'k=v1=v2'),
      'malformed',
      /field k has more than one equals sign/,
    ],
    ['a line feed', GOOD.replace('k=v1', 'k=v1\n'), 'malformed', /printable ASCII/],
    ['a blank', GOOD.replace('k=v1', 'k= v1'), 'malformed', /printable ASCII/],
    ['a character beyond ASCII', GOOD.replace('k=v1', 'k=é'), 'malformed', /printable ASCII/],
    ['a NUL', GOOD.replace('k=v1', 'k=\0'), 'malformed', /printable ASCII/],
    ['a domain twice', GOOD.replace(';n=', ';d=other;n='), 'duplicate-field', /field d occurs twice/],
    ['a signature twice', `${GOOD};s=YWJj`, 'duplicate-field', /field s occurs twice/],
    ['a missing version', GOOD.replace('v=S1;', ''), 'missing-field', /field v/],
    ['a missing domain', GOOD.replace('d=Sports;', ''), 'missing-field', /field d/],
    ['an empty domain', GOOD.replace('d=Sports', 'd='), 'missing-field', /field d/],
    ['a missing name', GOOD.replace('n=API;', ''), 'missing-field', /field n/],
    ['a missing expiry', GOOD.replace('e=200;', ''), 'missing-field', /field e/],
    ['a missing signature', GOOD.replace(';s=YWJj', ''), 'missing-field', /field s/],
    ['a domain that is none', GOOD.replace('d=Sports', 'd=sports:role.admin'), 'bad-value', /field d/],
    ['a domain with an empty part', GOOD.replace('d=Sports', 'd=a..b'), 'bad-value', /field d/],
    ['a name that is none', GOOD.replace('n=API', 'n=../x'), 'bad-value', /field n/],
    ['a negative time', GOOD.replace('t=100', 't=-1'), 'bad-value', /field t/],
    ['an expiry with a fraction', GOOD.replace('e=200', 'e=2.5'), 'bad-value', /field e/],
    ['an expiry beyond exact numbers', GOOD.replace('e=200', 'e=9007199254740993'), 'bad-value', /field e/],
    ['an expiry in hexadecimal', GOOD.replace('e=200', 'e=0xff'), 'bad-value', /field e/],
    ['an empty authorized service', GOOD.replace('b=ui.web,', 'b=,'), 'bad-value', /field b/],
    [
      'a field behind the signature',
      `${GOOD.replace('i=10.0.0.1;', '')};i=10.0.0.9`,
      'malformed',
      /field i is not where/,
    ],
    ['a delegation before the signature', GOOD.replace(';s=', ';bn=ui.web;s='), 'malformed', /field bn is not where/],
    ['a field behind the second signature', `${GOOD};bs=ZGVm;bn=ui.web`, 'malformed', /field bn is not where/],
    ['too long a text', GOOD.replace('h=host', `h=${'h'.repeat(16_384)}`), 'oversized', /16384/],
    [
      'too many fields',
      `${Array.from({ length: 100 }, (_, index) => `x${index}=1`).join(';')};${GOOD}`,
      'oversized',
      /fields/,
    ],
  ]
  for (const [name, text, code, reason] of refused) {
    it(`refuses ${name}`, () => {
      const failure = refusal(text)
      assert.equal(failure.code, code)
      assert.match(failure.reason, reason)
    })
  }
})
