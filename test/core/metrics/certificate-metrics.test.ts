import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { suite, test } from 'node:test'
import { Registry } from 'prom-client'
import { CertificateMetrics } from '#core/metrics/certificate-metrics.ts'
import { TestCa } from '../authority/support.ts'

const NOW = Date.now()
const DAY_MILLIS = 86_400_000

const metrics = () => {
  const registry = new Registry()
  const lines: string[] = []
  const made = new CertificateMetrics(registry, { now: () => NOW, log: (message) => lines.push(message) })
  const days = async () => {
    const found = await registry.getSingleMetric('athenz_certificate_days_left')?.get()
    return (found?.values ?? []).map(({ labels, value }) => [labels['use'], labels['subject'], Math.round(value)])
  }
  return { made, registry, lines, days }
}

suite('the metrics of certificates', () => {
  test('tell how long each is still good, and which one it is', async () => {
    const ca = await TestCa.create()
    const { cert } = await ca.issue({
      subject: [{ type: 'CN', value: 'zms.example.com' }],
      notAfter: new Date(NOW + 10 * DAY_MILLIS),
    })
    const { made, registry, days } = metrics()
    made.watch('server', () => [`${cert}\n${ca.cert}`])
    made.watch('trust', async () => [undefined])
    const [server, issuer, ...others] = await days()
    assert.deepEqual(server, ['server', 'CN=zms.example.com', 10])
    assert.equal(issuer?.[0], 'server')
    assert.deepEqual(others, [])
    const text = await registry.metrics()
    assert.match(
      text,
      /athenz_certificate_expiry_timestamp_seconds\{use="server",subject="CN=zms\.example\.com",serial="\w+"\} \d{10}/,
    )
  })

  test('show one that has no subject, as certificates for hosts often do', async () => {
    const ca = await TestCa.create()
    const { cert } = await ca.issue({ subject: [], names: [{ type: 'dns', value: 'zms.example.com' }] })
    const { made, days, lines } = metrics()
    made.watch('server', () => [cert])
    const [[use, subject] = []] = await days()
    assert.deepEqual([use, subject, lines], ['server', '', []])
  })

  test('show what several clients of the server use, each with the authorities that it trusts', async () => {
    const ca = await TestCa.create()
    const issue = async (value: string) => (await ca.issue({ subject: [{ type: 'CN', value }] })).cert
    const [first, second] = [await issue('first'), await issue('second')]
    const { made, days } = metrics()
    made.watchClient(() => ({ cert: first, ca: [ca.cert] }))
    made.watchClient(() => ({ cert: second }))
    made.watchClient(() => ({}))
    assert.deepEqual(
      (await days()).map(([use, subject]) => [use, subject]),
      [
        ['client', 'CN=first'],
        ['client-trust', new X509Certificate(ca.cert).subject.split('\n').join(', ')],
        ['client', 'CN=second'],
      ],
    )
  })

  test('follow the certificates in use, and show no former ones', async () => {
    const [first, second] = [await TestCa.create(), await TestCa.create()]
    const { made, days } = metrics()
    let current = [first.cert, second.cert]
    made.watch('trust', () => current)
    assert.equal((await days()).length, 2)
    current = [second.cert]
    assert.equal((await days()).length, 1)
  })

  test('show what was known last while a source fails, and say so once', async () => {
    const ca = await TestCa.create()
    const { made, days, lines } = metrics()
    let isAway = false
    made.watch('signer', async () => {
      if (isAway) throw new Error('no connection')
      return [ca.cert]
    })
    const known = await days()
    isAway = true
    assert.deepEqual(await days(), known)
    await days()
    assert.deepEqual(lines, ['the certificates for signer cannot be shown in the metrics: no connection'])
  })
})
