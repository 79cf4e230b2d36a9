import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import { readIssuedCertificate } from '#zts/cert/issued-certificate.ts'
import { TestCa } from '../../core/authority/support.ts'
import { requestFor } from '../../support/certificate-requests.ts'
import { signingRequest, testAuthority } from './signing-support.ts'

const factsOf = (pem: string) => {
  const { serialNumber, validFromDate, validToDate } = new X509Certificate(pem)
  return {
    serial: BigInt(`0x${serialNumber}`).toString(),
    notBefore: validFromDate.getTime(),
    notAfter: validToDate.getTime(),
  }
}

describe('readIssuedCertificate', () => {
  it('reads what the X.509 parser reads, before and after 2050', async () => {
    const { signer, pem } = await testAuthority()
    const issued = await signer.sign(await signingRequest(requestFor('a.b')))
    const ca = await TestCa.create()
    const late = await ca.issue({ subject: [{ type: 'CN', value: 'x' }], notAfter: new Date('2051-02-03T04:05:06Z') })
    for (const each of [issued, pem, late.cert]) assert.deepEqual(readIssuedCertificate(each), factsOf(each))
  })

  it('reads the first of a chain, whatever stands around it', async () => {
    const [{ pem: first }, { pem: second }] = await Promise.all([testAuthority(), testAuthority()])
    const text = `# leaf\r\n${first.replaceAll('\n', '\r\n')}\n${second}`
    assert.deepEqual(readIssuedCertificate(text), factsOf(first))
  })

  it('refuses what is no certificate', () => {
    const section = (base64: string) => `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
    for (const pem of ['', 'junk', section(''), section('MAA='), section('MAIwAA==')]) {
      assert.throws(() => readIssuedCertificate(pem), Error)
    }
  })
})
