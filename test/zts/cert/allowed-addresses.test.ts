import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { AllowedAddresses } from '#zts/cert/allowed-addresses.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const folder = temporaryFolder()
let count = 0
const fileOf = (content: unknown): string => {
  const file = join(folder, `${++count}.json`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}
const networks = (...prefixes: readonly string[]) => ({
  syncToken: '1',
  createDate: '2026-01-01',
  prefixes: prefixes.map((prefix) => ({ [prefix.includes(':') ? 'ipv6_prefix' : 'ip_prefix']: prefix, region: 'x' })),
})
const tenNetworks = (more = 0) => Array.from({ length: 10 - more }, (_, index) => `10.${index}.0.0/16`)

async function open(t: TestContext, files: { services?: string; providers?: string }) {
  const lines: string[] = []
  const { services, providers } = files
  const addresses = await AllowedAddresses.open({ services, providers, rootDirectory: folder }, (level, message) =>
    lines.push(`${level} ${message}`),
  )
  t.after(() => addresses.close())
  return { addresses, lines }
}

describe('AllowedAddresses', () => {
  it('allows everything without files', async (t) => {
    const { addresses } = await open(t, {})
    assert.ok(addresses.allowsService('10.1.2.3'))
    assert.ok(addresses.allowsProvider('sys.auth.zts', '10.1.2.3'))
  })

  it('allows services from the networks of the file', async (t) => {
    const { addresses } = await open(t, { services: fileOf(networks('10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32')) })
    for (const [address, allowed] of [
      ['10.255.1.1', true],
      ['::ffff:10.255.1.1', true],
      ['11.0.0.1', false],
      ['192.0.2.1', true],
      ['192.0.2.2', false],
      ['2001:db8:1::5', true],
      ['2001:db9::1', false],
      ['junk', false],
    ] as const) {
      assert.equal(addresses.allowsService(address), allowed, address)
    }
    assert.ok(addresses.allowsProvider('sys.auth.zts', '11.0.0.1'))
  })

  it('reads networks of IPv6 from their own list, too', async (t) => {
    const file = fileOf({ prefixes: [], ipv6_prefixes: [{ ipv6_prefix: '2001:db8::/32', region: 'x' }] })
    assert.ok((await open(t, { services: file })).addresses.allowsService('2001:db8::1'))
  })

  it('allows instances from the networks of their provider; a provider without an entry is refused', async (t) => {
    fileOf(networks('10.0.0.0/8'))
    const providers = fileOf({
      ipblocks: [
        { filename: `${count}.json`, providers: ['athenz.AWS', 'athenz.gcp'] },
        { providers: ['sys.auth.zts'] },
      ],
    })
    const { addresses } = await open(t, { providers })
    assert.ok(addresses.allowsProvider('athenz.aws', '10.1.1.1'))
    assert.ok(!addresses.allowsProvider('athenz.gcp', '11.1.1.1'))
    assert.ok(addresses.allowsProvider('sys.auth.zts', '11.1.1.1'))
    assert.ok(!addresses.allowsProvider('athenz.azure', '10.1.1.1'))
  })

  it('allows instances of every provider when the file has an entry of none', async (t) => {
    const { addresses } = await open(t, { providers: fileOf({ ipblocks: [] }) })
    assert.ok(addresses.allowsProvider('athenz.aws', '10.1.1.1'))
  })

  it('takes over new networks, up to a quarter fewer', async (t) => {
    const services = fileOf(networks(...tenNetworks()))
    const { addresses, lines } = await open(t, { services })
    writeFileSync(services, JSON.stringify(networks(...tenNetworks(2))))
    await addresses.reload()
    assert.ok(!addresses.allowsService('10.9.0.1'))
    writeFileSync(services, JSON.stringify(networks(...tenNetworks(5))))
    await addresses.reload()
    assert.ok(addresses.allowsService('10.7.0.1'))
    assert.deepEqual(lines, ['error 5 networks of services instead of 8: too many are gone, the old ones stay'])
  })

  it('goes on with what it had when a file is damaged or a provider is gone', async (t) => {
    const file = fileOf(networks('10.0.0.0/8'))
    const providers = fileOf({ ipblocks: [{ filename: file, providers: ['athenz.aws'] }] })
    const { addresses, lines } = await open(t, { services: file, providers })
    writeFileSync(file, 'junk')
    await addresses.reload()
    assert.ok(addresses.allowsService('10.0.0.1'))
    assert.equal(lines.length, 2)
    assert.match(lines[0] ?? '', /^error athenz\.zts\.cert_refresh_ip_fname: .*; what was read before stays$/)
    writeFileSync(providers, '{"ipblocks":[]}')
    await addresses.reload()
    assert.ok(addresses.allowsProvider('athenz.aws', '10.0.0.1'))
    assert.match(lines.at(-1) ?? '', /networks of provider athenz\.aws are gone/)
  })

  for (const [what, content, reason] of [
    ['no JSON', 'junk', /is not valid JSON/],
    ['a network that is none', networks('10.0.0.0/99'), /range|prefix/i],
    ['an address that is none', networks('ten/8'), /ten|address/i],
    ['no network at all', networks(), /it names no network/],
    ['a list that is none', { prefixes: 5 }, /prefixes/],
  ] as const) {
    it(`refuses to start with ${what}`, async (t) => {
      await assert.rejects(open(t, { services: fileOf(content) }), { name: 'ConfigError', message: reason })
    })
  }

  it('refuses to start without a file that is named', async (t) => {
    await assert.rejects(open(t, { providers: join(folder, 'absent.json') }), {
      message: `athenz.zts.instance_cert_ip_fname: ${join(folder, 'absent.json')} cannot be used: no such file`,
    })
  })
})
