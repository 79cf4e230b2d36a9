import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ratesIn } from './openssl-speed.ts'

test('reads what is done per second with an RSA key', () => {
  const output = [
    'version: 3.5.1',
    'CPUINFO: OPENSSL_ia32cap=0xfffa3203578bffff',
    '                   sign    verify    encrypt   decrypt   sign/s verify/s  encr./s  decr./s',
    'rsa  2048 bits 0.000301s 0.000009s 0.000010s 0.000310s   3322.0 111021.0 100000.0   3225.0',
  ]
  assert.deepEqual(ratesIn(`${output.join('\n')}\n`), { signs: 3322, verifies: 111_021 })
})

test('reads what is done with a P-256 key, whose name has more words', () => {
  const output = [
    '    sign    verify    sign/s verify/s',
    ' 256 bits ecdsa (nistp256)   0.0000s   0.0000s  81234.5  26000.1',
  ]
  assert.deepEqual(ratesIn(output.join('\n')), { signs: 81_234.5, verifies: 26_000.1 })
})

test('refuses an output without a rate', () => {
  assert.throws(() => ratesIn('speed: unknown algorithm\n'), /printed something else than expected/)
})
