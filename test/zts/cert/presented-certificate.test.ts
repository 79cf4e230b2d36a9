import assert from 'node:assert/strict'
import type { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { readPresentedCertificate } from '#zts/cert/presented-certificate.ts'
import { TestCa } from '../../core/authority/support.ts'

const ca = await TestCa.create()
const NOTHING = {
  organizationalUnit: undefined,
  dnsNames: [],
  ipAddresses: [],
  uris: [],
  instanceId: undefined,
  hostname: undefined,
}

describe('readPresentedCertificate', () => {
  it('reads what a certificate names', async () => {
    const { certificate } = await ca.issue({
      subject: [
        { type: 'OU', value: 'Testing' },
        { type: 'CN', value: 'sports.api' },
      ],
      names: [
        { type: 'dns', value: 'api.sports.athenz.cloud' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'uri', value: 'athenz://instanceid/sys.auth.zts/i-1' },
        { type: 'uri', value: 'athenz://hostname/h1.example.com' },
        { type: 'email', value: 'x@example.com' },
      ],
    })
    assert.deepEqual(readPresentedCertificate(certificate), {
      organizationalUnit: 'Testing',
      dnsNames: ['api.sports.athenz.cloud'],
      ipAddresses: ['2001:db8:0:0:0:0:0:1'],
      uris: ['athenz://instanceid/sys.auth.zts/i-1', 'athenz://hostname/h1.example.com'],
      instanceId: 'i-1',
      hostname: 'h1.example.com',
    })
  })

  it('finds nothing in a certificate without names', async () => {
    const { certificate } = await ca.issue({ subject: [{ type: 'CN', value: 'sports.api' }] })
    assert.deepEqual(readPresentedCertificate(certificate), NOTHING)
  })

  it('takes neither of two units, and nothing from a certificate of two instances', async () => {
    const units = await ca.issue({
      subject: [
        { type: 'OU', value: 'A' },
        { type: 'OU', value: 'B' },
      ],
    })
    assert.equal(readPresentedCertificate(units.certificate).organizationalUnit, undefined)
    const uri = (id: string) => ({ type: 'uri' as const, value: `athenz://instanceid/p/${id}` })
    const dns = (id: string) => ({ type: 'dns' as const, value: `${id}.instanceid.athenz.x` })
    for (const names of [
      [uri('1'), uri('2')],
      [uri('1'), dns('2')],
      [dns('1'), dns('2')],
    ]) {
      const instances = await ca.issue({ subject: [{ type: 'CN', value: 'a.b' }], names })
      assert.deepEqual(readPresentedCertificate(instances.certificate), NOTHING)
    }
  })

  it('takes nothing from what is no certificate', () => {
    for (const bytes of ['', '3000', '30023000', '3080']) {
      const certificate = { raw: Buffer.from(bytes, 'hex') } as X509Certificate
      assert.deepEqual(readPresentedCertificate(certificate), NOTHING)
    }
  })
})
