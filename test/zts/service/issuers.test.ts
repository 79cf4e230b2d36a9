import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { Issuers, loadIssuers } from '#zts/service/issuers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const SETTINGS = {
  oauthIssuer: 'oauth',
  openIdIssuer: 'openid',
  oidcPortIssuer: 'port',
  oidcPort: 8443,
  hostname: 'ZTS.example.com',
  byHost: new Map<string, string>(),
}
const at = (host?: string, localPort?: number) => ({
  header: (name: string) => (name === 'host' ? host : undefined),
  ...(localPort !== undefined && { localPort }),
})

describe('Issuers', () => {
  it('are those of the settings', () => {
    const issuers = new Issuers(SETTINGS)
    assert.equal(issuers.oauth(at('x', 4443)), 'oauth')
    assert.equal(issuers.openId(at('x', 4443)), 'openid')
    assert.equal(issuers.oidcPort(at('x', 4443)), 'port')
    assert.deepEqual(issuers.all, new Set(['oauth', 'openid', 'port']))
  })

  it('have another one on the OpenID port', () => {
    const issuers = new Issuers(SETTINGS)
    assert.equal(issuers.openId(at('x', 8443)), 'port')
    assert.equal(issuers.openIdOfPort(at('x', 8443)), 'port')
    assert.equal(new Issuers({ ...SETTINGS, oidcPort: 0 }).openId(at('x', 0)), 'openid')
  })

  describe('by host', () => {
    const byHost = new Map([
      ['a.example.com', 'A'],
      ['zts.example.com', 'Z'],
      ['[::1]', 'six'],
    ])
    const issuers = new Issuers({ ...SETTINGS, byHost })

    for (const [host, issuer] of [
      ['a.example.com', 'A'],
      ['A.EXAMPLE.com:4443', 'A'],
      ['[::1]:4443', 'six'],
      [undefined, 'Z'],
      ['', 'Z'],
      ['b.example.com', undefined],
    ] as const) {
      it(`${host} is ${issuer}`, () => {
        assert.equal(issuers.oauth(at(host)), issuer ?? 'oauth')
        assert.equal(issuers.openId(at(host, 8443)), issuer ?? 'port')
        assert.equal(issuers.oidcPort(at(host)), issuer ?? 'port')
      })
    }

    it('do not matter for documents, and are all accepted', () => {
      assert.equal(issuers.openIdOfPort(at('a.example.com', 4443)), 'openid')
      assert.deepEqual(issuers.all, new Set(['oauth', 'openid', 'port', 'A', 'Z', 'six']))
    })
  })
})

describe('loadIssuers', () => {
  const configured = async (properties: Readonly<Record<string, string>>) => {
    const overrides = Object.entries(properties)
    const { config } = await loadServerConfig({
      server: 'zts',
      rootDir: '/x',
      files: [],
      overrides,
      env: {},
      hostname: 'h',
    })
    return loadIssuers(config)
  }

  it('falls back to the host name, and from OpenID to OAuth', async () => {
    assert.deepEqual((await configured({})).all, new Set(['h']))
    const issuers = await configured({ 'athenz.zts.oauth_issuer': 'https://o' })
    assert.equal(issuers.openId(at('h')), 'https://o')
  })

  it('has no other issuer for an OpenID port that is the port for everything', async () => {
    const asked = async (oidcPort: string) => {
      const issuers = await configured({
        'athenz.tls_port': '4443',
        'athenz.oidc_port': oidcPort,
        'athenz.zts.oidc_port_issuer': 'https://port',
      })
      return issuers.openId({ ...at('h'), localPort: Number(oidcPort) })
    }
    assert.deepEqual([await asked('4443'), await asked('4444')], ['h', 'https://port'])
  })

  it('reads the file with host names', async () => {
    const file = join(temporaryFolder(), 'hosts.json')
    const load = () => configured({ 'athenz.zts.host_issuer_mapping_file': file })
    await writeFile(file, '[{"host":"A.example.com","issuer":"https://a"}]')
    assert.equal((await load()).oauth(at('a.example.com')), 'https://a')
    for (const content of ['{', '{}', '[{"host":"a"}]', '[{"host":"","issuer":"x"}]']) {
      await writeFile(file, content)
      await assert.rejects(load(), (error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, /host_issuer_mapping_file: .*hosts\.json: /)
        return true
      })
    }
  })
})
