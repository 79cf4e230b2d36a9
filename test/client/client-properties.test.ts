import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { certificateFiles } from '#client/certificate-files.ts'
import { readZtsClientProperties, ZTS_CLIENT_PROPERTIES } from '#client/client-properties.ts'
import { ZtsClient } from '#client/zts-client.ts'
import { ConfigError } from '#core/config/config-error.ts'
import { TestCa } from '../core/authority/support.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Every property of the original's clients, without their prefix. */
const ORIGINAL = `token_min_expiry_time prefetch_sleep_interval prefetch_auto_enable disable_cache read_timeout connect_timeout
  handshake_timeout single_flight_timeout aws_auto_refresh_enable x509cert_dns_name x509csr_dn x509csr_domain cert_alias
  keystore_path keystore_type keystore_password keystore_pwd_app_name keystore_pwd_keygroup_name keymanager_password
  keymanager_pwd_app_name keymanager_pwd_keygroup_name truststore_path truststore_type truststore_password
  truststore_pwd_app_name truststore_pwd_keygroup_name private_keystore_factory_class http_pool_max_per_route
  http_pool_max_total http_pool_time_to_live http_pool_max_retries http_pool_retry_timeout
  http_pool_validate_after_inactivity client_ssl_protocol accesstoken.path cache_class ehcache_xml_path`

describe('properties of a client of ZTS', () => {
  const folder = temporaryFolder()
  const at = (name: string) => join(folder, name)
  before(async () => {
    const ca = await TestCa.create()
    const { key, cert } = await ca.issue({ subject: [{ type: 'CN', value: 'sports.api' }] })
    writeFileSync(at('ca.pem'), ca.cert)
    writeFileSync(at('key.pem'), key)
    writeFileSync(at('cert.pem'), cert)
    const pkcs12 = ['pkcs12', '-export', '-in', at('cert.pem'), '-inkey', at('key.pem'), '-passout', 'pass:s3cret']
    execFileSync('openssl', [...pkcs12, '-out', at('client.p12')])
  })

  async function read(lines: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const file = join(temporaryFolder(), 'client.properties')
    writeFileSync(file, lines.join('\n'))
    const reading = await readZtsClientProperties(file, env)
    return { ...reading, warnings: reading.warnings.map((line) => line.slice(file.length)) }
  }

  test('are those of the original', () => {
    const known = new Set(Object.keys(ZTS_CLIENT_PROPERTIES))
    for (const name of ORIGINAL.split(/\s+/)) assert.ok(known.delete(`athenz.zts.client.${name}`), name)
    assert.deepEqual([...known], ['athenz.athenz_conf', 'athenz.auth.role.header'])
  })

  test('set the options of the client, which has its own defaults', async () => {
    assert.deepEqual(await read([]), { options: {}, certificate: undefined, warnings: [] })
    const { options, certificate, warnings } = await read(
      [
        'athenz.athenz_conf=${ROOT}/athenz.conf',
        'athenz.auth.role.header=X-Role',
        'athenz.zts.client.token_min_expiry_time=600',
        'athenz.zts.client.prefetch_auto_enable=false',
        'athenz.zts.client.prefetch_sleep_interval=30',
        'athenz.zts.client.disable_cache=true',
        'athenz.zts.client.read_timeout=5000',
        'athenz.zts.client.connect_timeout=4000',
        'athenz.zts.client.single_flight_timeout=3000',
        'athenz.zts.client.aws_auto_refresh_enable=false',
        'athenz.zts.client.accesstoken.path=/run/tokens',
        'athenz.zts.client.http_pool_max_total=5',
        'athenz.zts.client.http_pool_max_retries=0',
        'athenz.zpe.policy_dir=/elsewhere',
      ],
      { ROOT: '/opt/athenz' },
    )
    assert.deepEqual(options, {
      athenzConf: '/opt/athenz/athenz.conf',
      roleTokenHeader: 'X-Role',
      tokenMinExpirySeconds: 600,
      prefetch: false,
      prefetchIntervalSeconds: 30,
      cache: false,
      readTimeoutMillis: 5000,
      connectTimeoutMillis: 4000,
      singleFlightTimeoutMillis: 3000,
      awsAutoRefresh: false,
      accessTokenFolder: '/run/tokens',
      connections: 5,
      retries: 0,
    })
    assert.deepEqual([certificate, warnings], [undefined, []])
    assert.equal((await read(['athenz.zts.client.disable_cache=false'])).options.cache, undefined)
    await using zts = new ZtsClient({ url: 'https://localhost:1', ...options })
    assert.equal(zts.roleTokenHeader, 'X-Role')
  })

  test('name the certificate of the client and its authorities, in the formats of the original', async () => {
    const { options, certificate, warnings } = await read([
      `athenz.zts.client.keystore_path=${at('client.p12')}`,
      'athenz.zts.client.keystore_type=PKCS12',
      'athenz.zts.client.keystore_password=s3cret',
      `athenz.zts.client.truststore_path=${at('ca.pem')}`,
    ])
    assert.deepEqual(options, {})
    assert.deepEqual(warnings, [
      ':2: athenz.zts.client.keystore_type: has no effect: the format shows from the first bytes of the file',
    ])
    assert.ok(certificate)
    const identity = await certificateFiles(certificate)
    assert.equal(identity.name, 'sports.api')
    assert.equal(identity.tls().ca?.length, 1)
    identity.close()
  })

  test('name authorities for a client without certificate, too', async () => {
    const { options, certificate } = await read([`athenz.zts.client.truststore_path=${at('ca.pem')}`])
    assert.equal(certificate, undefined)
    assert.match(String(options.ca), /^-----BEGIN CERTIFICATE-----\n/)
    for (const file of ['key.pem', 'absent.pem']) {
      await assert.rejects(read([`athenz.zts.client.truststore_path=${at(file)}`]), {
        name: ConfigError.name,
        message: new RegExp(`athenz\\.zts\\.client\\.truststore_path: .*${file.replace('.', '\\.')}`),
      })
    }
  })

  test('that cannot be used are listed together; those without effect or meaning are told', async () => {
    const lines = [
      'athenz.zts.client.read_timeout=soon',
      'athenz.zts.client.http_pool_max_total=-1',
      'athenz.zts.client.accesstoken.path=${NOWHERE}/x',
    ]
    await assert.rejects(read(lines), (error: ConfigError) => {
      assert.equal(error.problems.length, 3)
      assert.match(
        error.problems.join('\n'),
        /:1: .*read_timeout.*\n.*:2: .*http_pool_max_total.*\n.*NOWHERE is not set/,
      )
      return true
    })
    const { warnings } = await read([
      'athenz.zts.client.read_timout=1',
      'athenz.zts.client.client_ssl_protocol=TLSv1.2',
      'athenz.zts.client.nonsense=1',
    ])
    assert.deepEqual(warnings, [
      ':1: athenz.zts.client.read_timout: is not known (did you mean athenz.zts.client.read_timeout?)',
      ':2: athenz.zts.client.client_ssl_protocol: has no effect: TLS 1.2 and newer are used',
      ':3: athenz.zts.client.nonsense: is not known (remove the line)',
    ])
  })
})
