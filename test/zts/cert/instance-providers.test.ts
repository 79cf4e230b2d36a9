import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { unsupportedProviders } from '#zts/built-in-providers.ts'
import type { InstanceProvider } from '#zts/cert/instance-provider.ts'
import { InstanceProviders, type InstanceProvidersOptions } from '#zts/cert/instance-providers.ts'
import { domainData, domainsOf } from '../../support/zts-domains.ts'

class FakeProvider implements InstanceProvider {
  readonly svidTypes = 'x509'
  readonly inProcess = true
  readonly name: string
  closed = false

  constructor(name: string) {
    this.name = name
  }

  confirmInstance(): never {
    throw new Error('not asked')
  }

  refreshInstance(): never {
    throw new Error('not asked')
  }

  close(): void {
    this.closed = true
  }
}

const domainWith = (endpoint: string | undefined) => ({
  name: 'sys.host',
  services: [{ name: 'sys.host.provider', ...(endpoint !== undefined && { providerEndpoint: endpoint }) }],
})

function providersOf(endpoint: string | undefined, options: Partial<InstanceProvidersOptions> = {}) {
  const domains = domainsOf(domainWith(endpoint))
  const log: string[] = []
  const made: FakeProvider[] = []
  const make = (name: string) => {
    const provider = new FakeProvider(name)
    made.push(provider)
    return provider
  }
  const providers = new InstanceProviders({
    domains,
    classes: new Map([['com.example.Hosts', make]]),
    unsupported: unsupportedProviders,
    remote: (name, url) => (url.hostname === 'provider.example.com' ? make(name) : 'the host is not allowed'),
    log: (_level, message) => log.push(message),
    ...options,
  })
  return { providers, domains, log, made }
}

suite('the provider of a service', () => {
  test('is of the class or at the address that its endpoint names, and made once', () => {
    for (const endpoint of [
      'class://com.example.Hosts',
      'https://provider.example.com/x',
      'CLASS://com.example.Hosts',
    ]) {
      const { providers, made } = providersOf(endpoint)
      const provider = providers.provider('sys.host.provider')
      assert.ok(provider, endpoint)
      assert.equal(providers.provider('sys.host.provider'), provider)
      assert.deepEqual(
        made.map(({ name }) => name),
        ['sys.host.provider'],
      )
    }
  })

  test('is another one when the endpoint changes, and the former is closed', () => {
    const { providers, domains, made } = providersOf('class://com.example.Hosts')
    const first = providers.provider('sys.host.provider')
    domains.read(domainData({ ...domainWith('https://provider.example.com/'), modified: '2026-08-03T00:00:00.000Z' }))
    const second = providers.provider('sys.host.provider')
    assert.notEqual(second, first)
    assert.deepEqual(
      made.map(({ closed }) => closed),
      [true, false],
    )
  })

  test('is closed with all others', async () => {
    const { providers, made } = providersOf('class://com.example.Hosts')
    providers.provider('sys.host.provider')
    await providers.close()
    assert.equal(made[0]?.closed, true)
  })

  test('is none, and the log says why', () => {
    const config = new Map([
      [
        'com.example.Hosts',
        () => {
          throw new ConfigError(['athenz.zts.x: not set'])
        },
      ],
    ])
    const cases: readonly (readonly [string | undefined, RegExp, Partial<InstanceProvidersOptions>?])[] = [
      [undefined, /has no provider endpoint/],
      ['', /has no provider endpoint/],
      ['class://com.example.Other', /class com.example.Other is not known .*athenz.ts.instance_providers/],
      ['class://__proto__', /class __proto__ is not known/],
      ['class://./evil.js', /class .\/evil.js is not known/],
      [
        'class://com.yahoo.athenz.instance.provider.impl.InstanceAWSProvider',
        /InstanceAWSProvider is not supported: it needs the instance documents and STS of AWS/,
      ],
      ['class://com.example.Hosts', /athenz.zts.x: not set/, { classes: config }],
      ['class://com.example.Hosts', /the reason/, { classes: new Map([['com.example.Hosts', () => 'the reason']]) }],
      ['http://provider.example.com/', /neither class:\/\/ nor https:\/\//],
      ['zts://x', /neither class:\/\/ nor https:\/\//],
      ['file:///etc/passwd', /neither/],
      ['no url', /neither/],
      ['https://169.254.169.254/', /the host is not allowed/],
    ]
    for (const [endpoint, reason, options] of cases) {
      const { providers, log } = providersOf(endpoint, options)
      assert.equal(providers.provider('sys.host.provider'), undefined, String(endpoint))
      assert.equal(log.length, 1)
      assert.match(log[0] ?? '', reason)
    }
    const { providers, log } = providersOf('class://com.example.Hosts')
    for (const name of ['sys.host.other', 'nosuch.provider', 'provider', '']) {
      assert.equal(providers.provider(name), undefined)
    }
    assert.match(log[0] ?? '', /there is no such service/)
  })
})
