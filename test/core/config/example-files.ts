import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Property, UnsupportedProperty } from '#core/config/property.ts'
import { type PropertyTable, type ServerName, tablesOf } from '#core/config/server-tables.ts'

/** One of the files in `conf/` that are made from the tables. */
export interface ExampleFile {
  readonly server: ServerName
  readonly kind: PropertyTable['file']
  /** Below `conf/`. */
  readonly path: string
  readonly introduction: readonly string[]
  /** Lines that are in force in the file, by key; all others stand as comments. */
  readonly active: ReadonlyMap<string, string>
}

const AUTHORITIES = 'com.yahoo.athenz.auth.impl'

/** What the production set-up starts from. */
export const EXAMPLE_FILES: readonly ExampleFile[] = [
  {
    server: 'zms',
    kind: 'server',
    path: 'zms_server/zms.properties',
    introduction: ['Properties of ZMS. Those of its ports, TLS and logs are in athenz.properties beside this file.'],
    active: new Map([
      ['athenz.zms.domain_admin', 'user.${USER}'],
      ['athenz.zms.authority_classes', `${AUTHORITIES}.PrincipalAuthority,${AUTHORITIES}.UserAuthority`],
      ['athenz.zms.principal_authority_class', `${AUTHORITIES}.PrincipalAuthority`],
      ['athenz.ts.ops_port', '4444'],
    ]),
  },
  {
    server: 'zms',
    kind: 'container',
    path: 'zms_server/athenz.properties',
    introduction: ['Ports, TLS, HTTP and logs of ZMS. Its other properties are in zms.properties beside this file.'],
    active: new Map([
      ['athenz.port', '0'],
      ['athenz.tls_port', '4443'],
      ['athenz.ssl_key_store', '${ROOT}/var/zms_server/certs/zms_keystore.pkcs12'],
      ['athenz.ssl_key_store_password', 'athenz'],
    ]),
  },
  {
    server: 'zts',
    kind: 'server',
    path: 'zts_server/zts.properties',
    introduction: ['Properties of ZTS. Those of its ports, TLS and logs are in athenz.properties beside this file.'],
    active: new Map([
      ['athenz.athenz_conf', '${ROOT}/conf/zts_server/athenz.conf'],
      ['athenz.zts.authority_classes', `${AUTHORITIES}.PrincipalAuthority,${AUTHORITIES}.CertificateAuthority`],
      ['athenz.zts.cert_signer_factory_class', 'com.yahoo.athenz.zts.cert.impl.SelfCertSignerFactory'],
      ['athenz.zts.self_signer_private_key_fname', '${ROOT}/var/zts_server/keys/zts_ca_private.pem'],
      ['athenz.ts.ops_port', '8444'],
    ]),
  },
  {
    server: 'zts',
    kind: 'container',
    path: 'zts_server/athenz.properties',
    introduction: ['Ports, TLS, HTTP and logs of ZTS. Its other properties are in zts.properties beside this file.'],
    active: new Map([
      ['athenz.port', '0'],
      ['athenz.tls_port', '8443'],
      ['athenz.ssl_key_store', '${ROOT}/var/zts_server/certs/zts_keystore.pkcs12'],
      ['athenz.ssl_key_store_password', 'athenz'],
    ]),
  },
  {
    server: 'ui',
    kind: 'server',
    path: 'ui_server/ui.properties',
    introduction: ['Properties of the web page. Those of its port and TLS are in athenz.properties beside this file.'],
    active: new Map([['athenz.ui.zms_url', 'https://localhost:4443/zms/v1']]),
  },
  {
    server: 'ui',
    kind: 'container',
    path: 'ui_server/athenz.properties',
    introduction: [
      'Port, TLS, HTTP and logs of the web page. Its other properties are in ui.properties beside this file.',
    ],
    active: new Map([
      ['athenz.port', '0'],
      ['athenz.tls_port', '9443'],
      ['athenz.ssl_key_store', '${ROOT}/var/ui_server/certs/ui_keystore.pkcs12'],
      ['athenz.ssl_key_store_password', 'athenz'],
    ]),
  },
]

const SYNTAX = [
  '',
  'Every property is here once. A line that begins with # is a comment and shows the default; remove the # to change it.',
  '${NAME} is replaced by the environment variable NAME, $${ stands for ${ itself. ${ROOT} is the base folder of the',
  'installation when the environment has no ROOT, and relative paths count from there. -Dkey=value on the command line',
  'wins over this file.',
]

/** A default as it has to be written in a file; undefined when it cannot be written. */
const writtenDefault = (server: ServerName, row: Property | UnsupportedProperty): string | undefined => {
  if (row.default === undefined || typeof row.default === 'object') return undefined
  const text = String(row.default).replaceAll('{server}', server).replaceAll('{root}', '${ROOT}')
  return text.includes('{hostname}') ? undefined : text.replaceAll('\\', '\\\\')
}

/** The default in words, where the commented line cannot show it. */
const defaultInWords = (server: ServerName, row: Property | UnsupportedProperty): string | undefined => {
  if (typeof row.default === 'object') return row.default.says.replaceAll('{server}', server)
  return row.default === '{hostname}' ? 'the name of this machine' : undefined
}

/** Units as people write them. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['Ms', 'milliseconds'],
  ['Millis', 'milliseconds'],
  ['Mins', 'minutes'],
])

const propertyLines = (file: ExampleFile, key: string, row: Property | UnsupportedProperty): string[] => {
  const written = writtenDefault(file.server, row)
  const active = file.active.get(key)
  const words = defaultInWords(file.server, row) ?? (active === undefined ? undefined : written)
  const unit = UNITS.get(row.unit) ?? row.unit.toLowerCase()
  const lines = [`# ${row.meaning}${unit === '' ? '' : ` In ${unit}.`}`]
  if (words) lines.push(`# Default: ${words}`)
  if (row.dynamic) lines.push('# A change takes effect without restart.')
  if (row.supported !== true) lines.push(`# Has no effect: ${row.supported}.`)
  return [...lines, active === undefined ? `#${key}=${written ?? ''}` : `${key}=${active}`]
}

/** The text of an example file. */
export const renderExampleFile = (file: ExampleFile): string => {
  const lines = [...file.introduction, ...SYNTAX].map((line) => (line === '' ? '#' : `# ${line}`))
  for (const { prefix, sections, file: kind } of tablesOf(file.server)) {
    if (kind !== file.kind) continue
    for (const [title, rows] of sections) {
      lines.push('', '', `# ${'-'.repeat(20)} ${title}`)
      for (const [key, row] of Object.entries(rows)) lines.push('', ...propertyLines(file, prefix + key, row))
    }
  }
  return `${lines.join('\n')}\n`
}

/** Where the example files are. */
export const CONF_FOLDER = join(import.meta.dirname, '../../../conf')

if (import.meta.main) {
  for (const file of EXAMPLE_FILES) await writeFile(join(CONF_FOLDER, file.path), renderExampleFile(file))
}
