import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { remoteAddressOf } from '#core/authority/remote-address.ts'
import { requestOf } from './support.ts'

describe('address of the client', () => {
  const cases: readonly [behaviour: string, peer: string, forwarded: readonly string[], expected: string][] = [
    ['is the direct peer', '10.1.2.3', [], '10.1.2.3'],
    ['is the direct peer whatever it says was forwarded', '10.1.2.3', ['10.9.9.9'], '10.1.2.3'],
    ['is what a proxy on this machine says', '127.0.0.1', ['10.9.9.9'], '10.9.9.9'],
    ['is the last entry of several', '127.0.0.1', ['1.1.1.1, 2.2.2.2 ,  10.9.9.9 '], '10.9.9.9'],
    ['is the last entry of several headers', '127.0.0.1', ['1.1.1.1', '10.9.9.9'], '10.9.9.9'],
    ['may be an IPv6 address', '127.0.0.1', ['2001:db8::1'], '2001:db8::1'],
    ['is the proxy when the last entry is no address', '127.0.0.1', ['10.9.9.9, unknown'], '127.0.0.1'],
    ['is the proxy when the last entry is empty', '127.0.0.1', ['10.9.9.9,'], '127.0.0.1'],
    ['is the proxy when the entry has a port', '127.0.0.1', ['10.9.9.9:80'], '127.0.0.1'],
    ['is the proxy when it forwards nothing', '127.0.0.1', [], '127.0.0.1'],
    ['counts an IPv4 peer inside IPv6 as IPv4', '::ffff:10.1.2.3', [], '10.1.2.3'],
    ['trusts a proxy that is seen through an IPv6 socket', '::ffff:127.0.0.1', ['10.9.9.9'], '10.9.9.9'],
    ['does not trust other loopback addresses', '127.0.0.2', ['10.9.9.9'], '127.0.0.2'],
    ['does not trust the IPv6 loopback address', '::1', ['10.9.9.9'], '::1'],
  ]
  for (const [behaviour, remoteAddress, forwarded, expected] of cases) {
    test(behaviour, () => {
      const rawHeaders = forwarded.flatMap((value) => ['X-Forwarded-For', value])
      assert.equal(remoteAddressOf(requestOf({ remoteAddress, rawHeaders })), expected)
    })
  }

  test('is empty when the connection is gone', () => {
    assert.equal(remoteAddressOf(requestOf({ socket: {} })), '')
  })
})
