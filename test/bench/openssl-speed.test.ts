import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signaturesIn } from './openssl-speed.ts'

test('reads the signatures per second of an RSA key', () => {
  const output = [
    'version: 3.5.1',
    'CPUINFO: OPENSSL_ia32cap=0xfffa3203578bffff',
    '                   sign    verify    encrypt   decrypt   sign/s verify/s  encr./s  decr./s',
    'rsa  2048 bits 0.000301s 0.000009s 0.000010s 0.000310s   3322.0 111021.0 100000.0   3225.0',
  ]
  assert.equal(signaturesIn(`${output.join('\n')}\n`), 3322)
})

test('reads those of a P-256 key, whose name has more words', () => {
  const output = [
    '    sign    verify    sign/s verify/s',
    ' 256 bits ecdsa (nistp256)   0.0000s   0.0000s  81234.5  26000.1',
  ]
  assert.equal(signaturesIn(output.join('\n')), 81_234.5)
})

test('refuses an output without a rate', () => {
  assert.throws(() => signaturesIn('speed: unknown algorithm\n'), /printed something else than expected/)
})
