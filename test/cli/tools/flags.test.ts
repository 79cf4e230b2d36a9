import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { flagLines, readFlags, text, toggle, wholeNumber } from '../../../src/cli/tools/flags.ts'
import { proxyFor } from '../../../src/cli/tools/http-proxy.ts'

const TABLE = {
  zts: text('where ZTS is', 'https://zts'),
  'expire-time': wholeNumber('minutes'),
  csr: toggle('only the request'),
  proxy: toggle('use the proxy', true),
}

describe('flags in the manner of the original', () => {
  const initial = { zts: 'https://zts', 'expire-time': 0, csr: false, proxy: true }
  const readings: readonly [readonly string[], object][] = [
    [[], initial],
    [['-zts', 'x', '-expire-time', '10'], { ...initial, zts: 'x', 'expire-time': 10 }],
    [['--zts=x=y', '-csr', '-proxy=false'], { ...initial, zts: 'x=y', csr: true, proxy: false }],
    [['-zts', '-csr'], { ...initial, zts: '-csr' }],
    [['-csr', 'word', '-proxy=false'], { ...initial, csr: true }],
    [['--', '-csr'], initial],
    [['-csr', '-csr=f', '-expire-time=-5'], { ...initial, 'expire-time': -5 }],
  ]
  for (const [args, expected] of readings) {
    test(`reads ${args.join(' ')}`, () => assert.deepEqual(readFlags(TABLE, args), expected))
  }

  test('help and version are asked for by any table', () => {
    assert.deepEqual(
      ['-h', '--help', '-version'].map((word) => readFlags(TABLE, [word])),
      ['help', 'help', 'version'],
    )
  })

  const mistakes: readonly [readonly string[], RegExp][] = [
    [['-bogus'], /flag provided but not defined: -bogus/],
    [['-constructor', 'x'], /flag provided but not defined: -constructor/],
    [['-zts'], /flag needs an argument: -zts/],
    [['-expire-time', 'x'], /invalid value "x" for flag -expire-time/],
    [['-csr=maybe'], /invalid boolean value "maybe" for -csr/],
  ]
  for (const [args, message] of mistakes) {
    test(`refuses ${args.join(' ')}`, () =>
      assert.throws(() => readFlags(TABLE, args), { name: 'FlagFailure', message }))
  }

  test('are listed for people', () => {
    assert.deepEqual(flagLines(TABLE).slice(0, 2), [
      '  -zts <text>            where ZTS is (unless given: https://zts)',
      '  -expire-time <number>  minutes',
    ])
  })
})

describe('the proxy that the environment names', () => {
  const env = {
    HTTPS_PROXY: 'proxy.example.com:3128',
    HTTP_PROXY: 'http://plain:80',
    NO_PROXY: 'inner.com, .dot.com,host.com:8443',
  }
  const cases: readonly [server: string, expected: string | undefined][] = [
    ['https://zts.example.com:8443/zts/v1', 'http://proxy.example.com:3128'],
    ['http://zts.example.com', 'http://plain:80'],
    ['https://localhost:8443', undefined],
    ['https://127.0.0.1', undefined],
    ['https://inner.com', undefined],
    ['https://zts.inner.com', undefined],
    ['https://notinner.com', 'http://proxy.example.com:3128'],
    ['https://dot.com', 'http://proxy.example.com:3128'],
    ['https://zts.dot.com', undefined],
    ['https://host.com:8443', undefined],
    ['https://host.com:4443', 'http://proxy.example.com:3128'],
    ['no url', undefined],
  ]
  for (const [server, expected] of cases) {
    test(`${server}: ${expected ?? 'none'}`, () => assert.equal(proxyFor(server, env), expected))
  }

  test('small letters count, too, and a star excepts everything', () => {
    assert.equal(proxyFor('https://a.com', { https_proxy: 'http://p' }), 'http://p')
    assert.equal(proxyFor('https://a.com', { https_proxy: 'http://p', no_proxy: '*' }), undefined)
    assert.equal(proxyFor('https://a.com', {}), undefined)
  })
})
