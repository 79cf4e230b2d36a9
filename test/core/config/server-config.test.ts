import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import type { Dynamic } from '#core/config/dynamic.ts'
import type { JdbcUrl } from '#core/config/jdbc-url.ts'
import { type LoadOptions, loadServerConfig } from '#core/config/server-config.ts'
import type { ServerName } from '#core/config/server-tables.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const folder = temporaryFolder()
let files = 0
const file = (text: string): string => {
  const path = join(folder, `f${files++}.properties`)
  writeFileSync(path, text)
  return path
}

const load = <Server extends ServerName>(server: Server, options: Partial<LoadOptions<Server>> = {}) =>
  loadServerConfig({ server, rootDir: folder, files: [], env: {}, hostname: 'here.example.com', ...options })

/** Loads ZMS from one file with this text. */
const zmsFrom = async (text: string, options: Partial<LoadOptions<'zms'>> = {}) => {
  const path = file(text)
  const loaded = await load('zms', { files: [path], ...options })
  return { ...loaded, warnings: loaded.warnings.map((line) => line.replace(path, 'F')) }
}

/** The problems of loading ZMS from one file with this text. */
const problemsOf = async (text: string, options: Partial<LoadOptions<'zms'>> = {}): Promise<readonly string[]> => {
  const path = file(text)
  try {
    await load('zms', { files: [path], ...options })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    assert.equal(error.message, error.problems.join('\n'))
    return error.problems.map((line) => line.replace(path, 'F'))
  }
  throw new assert.AssertionError({ message: 'the configuration is accepted' })
}

describe('the configuration object', () => {
  it('has a typed member for every property', async () => {
    const { config, warnings } = await zmsFrom(
      `
      athenz.zms.domain_admin=user.\${USER},user.jane
      athenz.zms.domain_name_max_len: 60
      athenz.zms.virtual_domain_limit=-1
      athenz.zms.user_token_timeout = 1800
      athenz.zms.reserved_service_names=
      athenz.zms.jdbc_store=jdbc:mysql://db:3307/zms_server?sslMode=REQUIRED
      athenz.zms.jdbc.audit_log_role_max_limit=10
      athenz.zms.provider.client.connect_timeout_ms=77
      athenz.zms.quota_role=7
      athenz.tls_port=-1
      athenz.port=8080
      athenz.db.pool_max_total=-1
      athenz.crypto.restricted_ou=a*,b
      athenz.ts.ops_port=9999
      athenz.http.www-authenticate.multiple-headers=FALSE`,
      { env: { USER: 'joe' } },
    )
    assert.deepEqual(warnings, [])
    assert.equal(config.zms.virtualDomainLimit, 5)
    // The annotations are part of the test: types come from the same tables.
    const admins: readonly string[] = config.zms.domainAdmin
    const length: number = config.zms.domainNameMaxLen
    const store: JdbcUrl | undefined = config.zms.jdbcStore
    const reserved: ReadonlySet<string> = config.zms.reservedServiceNames
    const readOnly: Dynamic<boolean> = config.zms.readOnlyMode
    const healthCheckPath: string | undefined = config.zms.healthCheckPath
    const mode: 'OPS_ALL' | 'OPS_WRITE' | 'OPS_NONE' = config.auth.principalRemoteIpCheckMode
    assert.deepEqual(admins, ['user.joe', 'user.jane'])
    assert.equal(length, 60)
    assert.equal(config.zms.userTokenTimeoutSeconds, 1800)
    assert.deepEqual(store && [store.host, store.port, store.database, store.encryption], [
      'db',
      3307,
      'zms_server',
      'required',
    ])
    assert.equal(reserved.size, 0)
    assert.equal(readOnly.value, false)
    assert.equal(healthCheckPath, undefined)
    assert.equal(mode, 'OPS_WRITE')
    assert.equal(config.zms.jdbcAuditLogRoleMaxLimit, 10)
    assert.equal(config.zms.providerClientConnectTimeoutMs, 77)
    assert.equal(config.zms.quotaRole, 7)
    assert.equal(config.container.tlsPort, 0)
    assert.equal(config.container.port, 8080)
    assert.equal(config.container.httpWwwAuthenticateMultipleHeaders, false)
    assert.equal(config.db.poolMaxTotal, -1)
    assert.deepEqual(config.crypto.restrictedOu, new Set(['a*', 'b']))
    assert.equal(config.ts.opsPort, 9999)
  })

  it('has the settings of ZTS for ZTS', async () => {
    const { config } = await load('zts')
    assert.equal(config.zts.roleTokenDefaultTimeoutSeconds, 7200)
    assert.equal(config.zts.keyAlgoInstanceProviders, 'EC')
    assert.equal(config.zts.dataStoreSubdir, 'zts_store')
    assert.equal(config.zts.oidcPortIssuer, 'here.example.com')
    assert.equal(config.userCert.connectTimeoutMillis, 10_000)
    assert.equal('zms' in config, false)
  })

  it('has no member for what has no effect', async () => {
    const { config } = await load('zms')
    assert.equal('awsRdsUser' in config.zms, false)
    assert.equal('jettyHome' in config.container, false)
  })

  it('cannot be changed, at any depth', async () => {
    const { config } = await zmsFrom('athenz.zms.reserved_domain_names=a\nathenz.zms.jdbc_store=jdbc:mysql://h/d?a=b')
    const { jdbcStore } = config.zms
    assert.ok(jdbcStore)
    const open = config as unknown as Record<string, Record<string, unknown>>
    assert.throws(() => Object.assign(open, { zms: {} }), TypeError)
    assert.throws(() => Object.assign(open.zms ?? {}, { domainNameMaxLen: 1 }), TypeError)
    assert.throws(() => (config.zms.domainAdmin as string[]).push('user.mallory'), TypeError)
    assert.throws(() => (config.zms.reservedServiceNames as Set<string>).clear(), TypeError)
    assert.throws(() => (config.zms.noAuthUriList.exact as Set<string>).add('/zms/v1/domain'), TypeError)
    assert.throws(() => (config.zms.noAuthUriList.patterns as RegExp[]).push(/./), TypeError)
    assert.throws(() => (config.zms.reservedDomainNames.value as Set<string>).delete('a'), TypeError)
    assert.throws(() => (jdbcStore.options as Map<string, string>).set('a', 'c'), TypeError)
    assert.throws(() => Object.assign(config.container.responseHeadersJson, { a: 'b' }), TypeError)
  })
})

describe('defaults', () => {
  it('follow the user domain', async () => {
    const plain = (await load('zms')).config
    assert.deepEqual(
      [plain.userDomain, plain.homeDomain, plain.headlessUserDomain, plain.userDomainAlias],
      ['user', 'user', 'user', undefined],
    )
    const { config } = await zmsFrom('athenz.user_domain=people\nathenz.home_domain=\nathenz.headless_user_domain=bots')
    assert.deepEqual([config.userDomain, config.homeDomain, config.headlessUserDomain], ['people', 'people', 'bots'])
  })

  it('choose the database when one is named, otherwise the embedded store', async () => {
    const cases: readonly (readonly [text: string, chosen: string])[] = [
      ['', 'com.yahoo.athenz.zms.store.impl.FileObjectStoreFactory'],
      ['athenz.zms.jdbc_store=jdbc:mysql://h/d', 'com.yahoo.athenz.zms.store.impl.JDBCObjectStoreFactory'],
      ['athenz.zms.object_store_factory_class=./store.js', './store.js'],
    ]
    for (const [text, chosen] of cases) {
      assert.equal((await zmsFrom(text)).config.zms.objectStoreFactoryClass, chosen)
    }
  })

  it('use user and password of the primary database for the replica', async () => {
    const { zms } = (await zmsFrom('athenz.zms.jdbc_user=joe\nathenz.zms.jdbc_password= x')).config
    assert.deepEqual([zms.jdbcRoUser, zms.jdbcRoPassword, zms.jdbcRoStore], ['joe', 'x', undefined])
  })

  it('take the name of the machine from the most specific key', async () => {
    const cases: readonly (readonly [text: string, names: string[]])[] = [
      ['', ['here.example.com', 'here.example.com']],
      ['athenz.hostname=a', ['a', 'a']],
      ['athenz.hostname=a\nathenz.zms.hostname=b', ['b', 'a']],
    ]
    for (const [text, names] of cases) {
      const { config } = await zmsFrom(text)
      assert.deepEqual([config.zms.hostname, config.container.hostname], names)
    }
  })

  it('lie below the base folder, as relative paths do', async () => {
    const { config } = await load('zms')
    assert.equal(config.zms.solutionTemplatesFname, join(folder, 'conf/zms_server/solution_templates.json'))
    const moved = await zmsFrom(
      'athenz.zms.root_dir=elsewhere\nathenz.zms.authz_service_fname=a/b.json\nathenz.ts.log_file=/x',
    )
    const root = join(folder, 'elsewhere')
    assert.deepEqual(
      [moved.config.zms.rootDir, moved.config.zms.authzServiceFname, moved.config.ts.storeDir, moved.config.ts.logFile],
      [root, join(root, 'a/b.json'), join(root, 'var/zms_server/store'), '/x'],
    )
  })

  it('name the files that are read when none is given', async () => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'conf/zms_server'), { recursive: true })
    writeFileSync(join(root, 'conf/zms_server/zms.properties'), 'athenz.zms.quota_role=1\n')
    writeFileSync(join(root, 'conf/zms_server/athenz.properties'), 'athenz.tls_port=1234\n')
    const options = { server: 'zms', rootDir: root, env: {}, hostname: 'h' } as const
    const { config } = await loadServerConfig(options)
    assert.deepEqual([config.zms.quotaRole, config.container.tlsPort], [1, 1234])
    const other = file('athenz.zms.quota_role=2\n')
    const { config: moved } = await loadServerConfig({ ...options, overrides: [['athenz.zms.prop_file', other]] })
    assert.deepEqual([moved.zms.quotaRole, moved.container.tlsPort], [2, 1234])
  })
})

describe('overrides', () => {
  it('win over files, and the last of them counts', async () => {
    const { config, properties } = await zmsFrom('athenz.zms.quota_role=1\nathenz.zms.quota_group=1', {
      overrides: [
        ['athenz.zms.quota_role', '2'],
        ['athenz.zms.quota_role', '3'],
      ],
    })
    assert.deepEqual([config.zms.quotaRole, config.zms.quotaGroup], [3, 1])
    assert.equal(properties.origin('athenz.zms.quota_role'), 'command line')
  })

  it('are judged like lines of a file', async () => {
    const problems = await problemsOf('', { overrides: [['athenz.zms.quota_role', 'many']] })
    assert.deepEqual(problems, [
      'command line: athenz.zms.quota_role: "many" is not a whole number (write digits only)',
    ])
  })
})

describe('problems', () => {
  it('are reported all at once, each with file, line, key, reason and what to do', async () => {
    const problems = await problemsOf(`athenz.tls_port=https
athenz.zms.quota_role=
athenz.zms.jdbc_store=jdbc:oracle:thin:@db
athenz.zms.no_auth_uri_list=/zms/v1/(+
athenz.auth.principal.remote_ip_check_mode=OPS_SOME
athenz.zms.domain_admin=user.\${NOBODY_SET_THIS}
some.plug_in.key=\${NOBODY_SET_THIS_EITHER}
athenz.zms.user_authority_class=com.example.Users
athenz.ts.tls_cert_file=cert.pem
`)
    const regExpError = problems.find((line) => line.startsWith('F:4:'))
    assert.match(
      regExpError ?? '',
      /^F:4: athenz\.zms\.no_auth_uri_list: "\/zms\/v1\/\(\+" is not a regular expression: /,
    )
    assert.deepEqual(problems.filter((line) => line !== regExpError).sort(), [
      'F:1: athenz.tls_port: "https" is not a port (write 0 to 65535)',
      'F:2: athenz.zms.quota_role: is empty (write a whole number, or remove the line)',
      'F:3: athenz.zms.jdbc_store: is not the URL of a MySQL database (write jdbc:mysql://host:3306/database)',
      'F:5: athenz.auth.principal.remote_ip_check_mode: "OPS_SOME" is not one of OPS_ALL, OPS_WRITE, OPS_NONE',
      'F:6: athenz.zms.domain_admin: environment variable NOBODY_SET_THIS is not set (set it, or write the value)',
      'F:7: some.plug_in.key: environment variable NOBODY_SET_THIS_EITHER is not set (set it, or write the value)',
      'F:8: athenz.zms.user_authority_class: com.example.Users is not among athenz.zms.authority_classes (add it there)',
      'F:9: athenz.ts.tls_cert_file: needs athenz.ts.tls_key_file as well (set it)',
    ])
  })

  it('include a server that would not listen anywhere', async () => {
    assert.deepEqual(await problemsOf('athenz.port=0\nathenz.tls_port=0'), [
      'F:2: athenz.tls_port: no port is open (set it, e.g. to 4443)',
    ])
    await zmsFrom('athenz.port=0\nathenz.tls_port=0\nathenz.port_uri_config=ports.json')
  })

  it('do not include those of the other server', async () => {
    const { warnings } = await zmsFrom(
      'athenz.zts.role_token_max_timeout=x\nathenz.zts.hostname=${NOBODY_SET_THIS}\nathenz.zts.no_such_key=1\n' +
        'athenz.server_common.data_store_subdir=x\nathenz.instance.provider.client.connect_timeout=x\n' +
        'athenz.zts.key_instance_providers=RSA',
    )
    assert.deepEqual(warnings, [])
  })

  it('include a file that is missing', async () => {
    await assert.rejects(load('zms', { files: [join(folder, 'gone.properties')] }), {
      name: 'ConfigError',
      problems: [`${join(folder, 'gone.properties')}: the file does not exist`],
    })
  })
})

describe('warnings', () => {
  const cases: readonly (readonly [name: string, text: string, warning: string | undefined])[] = [
    [
      'a misspelled key',
      'athenz.zms.jdbcstore=x',
      'athenz.zms.jdbcstore: is not known (did you mean athenz.zms.jdbc_store?)',
    ],
    ['swapped letters', 'athenz.tls_prot=1', 'athenz.tls_prot: is not known (did you mean athenz.tls_port?)'],
    [
      'a key like no other',
      'athenz.zms.paint_it_black=1',
      'athenz.zms.paint_it_black: is not known (remove the line, unless a plug-in reads it)',
    ],
    [
      'a property of the Java VM',
      'javax.net.ssl.trustStore=x',
      'javax.net.ssl.trustStore: is not a property of Athenz; properties of the Java VM have no effect (remove the line)',
    ],
    [
      'a known key without effect',
      'athenz.http_max_threads=9',
      'athenz.http_max_threads: has no effect: there is no Jetty and no Java thread pool here',
    ],
    ['a known key without effect that is set to its default', 'athenz.zms.mysql_server_timezone=GMT', undefined],
    [
      'an obsolete key',
      'athenz.zms.conflict_retry_timeout=60',
      'athenz.zms.conflict_retry_timeout: has no effect, nor has it in the original (use athenz.zms.request_conflict_retry_count)',
    ],
    [
      'the time zone as the example of the original spells it',
      'athenz.zms.athenz.zms.mysql_server_timezone=GMT',
      'athenz.zms.athenz.zms.mysql_server_timezone: is taken as athenz.zms.mysql_server_timezone (write that)',
    ],
    [
      'a switch that is neither true nor false',
      'athenz.zms.secure_requests_only=on',
      'athenz.zms.secure_requests_only: "on" counts as false (write true or false)',
    ],
    [
      'options of a database address that nothing reads',
      'athenz.zms.jdbc_store=jdbc:mysql://db/zms?useSSL=true&sslMode=REQUIRED&connectTimeout=5',
      'athenz.zms.jdbc_store: useSSL, connectTimeout in the address: no effect (of all options only sslMode, user and ' +
        'password count; there are properties for the rest)',
    ],
    ['the options of a database address that count', 'athenz.zms.jdbc_store=jdbc:mysql://db/zms?user=a', undefined],
    ['a key of a plug-in family', 'athenz.notification.email.membership.approval.subject=Please', undefined],
    ['a further OpenID provider', 'athenz.auth.oidc.okta.issuer=https://okta.example.com', undefined],
  ]
  for (const [name, text, warning] of cases) {
    it(`${warning === undefined ? 'are not given for' : 'are given for'} ${name}`, async () => {
      const { warnings } = await zmsFrom(text)
      assert.deepEqual(warnings, warning === undefined ? [] : [`F:1: ${warning}`])
    })
  }

  it('are given when the misspelled and the right key are both set', async () => {
    const { warnings } = await zmsFrom(
      'athenz.zms.athenz.zms.mysql_server_timezone=Asia/Tokyo\nathenz.zms.mysql_server_timezone=GMT',
    )
    assert.deepEqual(warnings, [
      'F:1: athenz.zms.athenz.zms.mysql_server_timezone: is not used, athenz.zms.mysql_server_timezone is set too (remove the line)',
    ])
  })

  it('do not stop a bad value of a key without effect', async () => {
    const { warnings } = await zmsFrom('athenz.http_max_threads=lots')
    assert.equal(warnings.length, 1)
  })

  it('are given for keys of a file that serves both servers only where they matter', async () => {
    const both = file('athenz.zms.jdbc_stor=x\nathenz.zts.oauth_isuer=x\n')
    assert.deepEqual((await load('zms', { files: [both] })).warnings, [
      `${both}:1: athenz.zms.jdbc_stor: is not known (did you mean athenz.zms.jdbc_store?)`,
    ])
    assert.deepEqual((await load('zts', { files: [both] })).warnings, [
      `${both}:2: athenz.zts.oauth_isuer: is not known (did you mean athenz.zts.oauth_issuer?)`,
    ])
  })
})

describe('the texts for plug-ins', () => {
  it('include keys nobody declared, and defaults', async () => {
    const { properties } = await zmsFrom('com.example.colour=blue\nathenz.auth.role.header=X-Role')
    assert.equal(properties.get('com.example.colour'), 'blue')
    assert.equal(properties.get('athenz.auth.role.header'), 'X-Role')
    assert.equal(properties.get('athenz.auth.principal.token_allowed_offset'), '300')
    assert.equal(properties.get('athenz.home_domain'), 'user')
    assert.equal(properties.get('athenz.authority.truststore.path'), undefined)
    assert.equal(properties.get('__proto__'), undefined)
    assert.equal(properties.get('athenz.zms.no_such_key'), undefined)
  })

  it('come with the place where they were set', async () => {
    const path = file('\nathenz.auth.private_key_store.private_key=k.pem\n')
    const { properties } = await load('zms', { files: [path] })
    assert.equal(properties.origin('athenz.auth.private_key_store.private_key'), `${path}:2`)
    assert.equal(properties.origin('athenz.auth.role.header'), 'default')
    assert.equal(properties.get('athenz.auth.private_key_store.private_key'), join(folder, 'k.pem'))
  })
})

/** ZMS with one file that can be edited. */
const start = async (text: string) => {
  const path = file(text)
  const loaded = await load('zms', { files: [path] })
  return { loaded, config: loaded.config, edit: (now: string) => writeFileSync(path, now), path }
}

describe('reload', () => {
  it('sets the dynamic properties and nothing else', async () => {
    const { loaded, config, edit } = await start('athenz.zms.quota_role=1\n')
    const holder = config.zms.readOnlyMode
    edit('athenz.zms.quota_role=2\nathenz.zms.read_only_mode=true\nathenz.zms.reserved_domain_names=a,b\n')
    const report = await loaded.reload()
    assert.deepEqual([...report.changed].sort(), ['athenz.zms.read_only_mode', 'athenz.zms.reserved_domain_names'])
    assert.deepEqual(report.pending, ['athenz.zms.quota_role'])
    assert.equal(holder.value, true)
    assert.deepEqual(config.zms.reservedDomainNames.value, new Set(['a', 'b']))
    assert.equal(config.zms.quotaRole, 1)
    assert.deepEqual(await loaded.reload(), { changed: [], pending: ['athenz.zms.quota_role'] })
  })

  it('goes back to the default when a line is removed', async () => {
    const { loaded, config, edit } = await start('athenz.zms.search_service_limit=7\n')
    assert.equal(config.zms.searchServiceLimit.value, 7)
    edit('')
    await loaded.reload()
    assert.equal(config.zms.searchServiceLimit.value, 100)
  })

  it('changes nothing when any value is bad', async () => {
    const { loaded, config, edit, path } = await start('')
    edit('athenz.zms.read_only_mode=true\nathenz.zms.search_service_limit=all\n')
    await assert.rejects(loaded.reload(), {
      problems: [`${path}:2: athenz.zms.search_service_limit: "all" is not a whole number (write digits only)`],
    })
    assert.equal(config.zms.readOnlyMode.value, false)
  })
})
