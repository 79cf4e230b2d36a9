import { relative } from 'node:path'
import { type CertificateFiles, type DevCa, ensureCertificate, ensureSigningKey } from './dev-certificates.ts'
import type { DevFolder } from './dev-folder.ts'
import { PROJECT_FOLDER, type ServerKind, serverLayout, ZMS } from './server-kind.ts'

/** The system administrator of a development pair. */
export const ADMINISTRATOR = 'user.admin'

/** A server as `athenz dev` runs it. To add one, add a row. */
export interface DevServer {
  readonly kind: ServerKind
  /** Principal of its certificate. */
  readonly principal: string
  /** Signing keys, by file name in its folder of keys. */
  readonly signingKeys: ReadonlyMap<string, 'rsa' | 'ec'>
  /** Properties files by name in its folder of configuration, written when absent. */
  readonly properties: (paths: DevServerPaths) => ReadonlyMap<string, string>
}

/** Files of a server, relative to the development folder. */
export interface DevServerPaths {
  readonly certificate: CertificateFiles
  readonly ca: string
  /** The folder of the configuration files that this project ships. */
  readonly shippedConf: string
}

/** The servers, in the order in which they start. */
export const DEV_SERVERS: readonly DevServer[] = [
  {
    kind: ZMS,
    principal: 'sys.auth.zms',
    signingKeys: new Map([['zms_private.pem', 'rsa']]),
    properties: (paths) =>
      new Map([
        ['zms.properties', zmsProperties(paths)],
        ['athenz.properties', containerProperties(ZMS, paths)],
      ]),
  },
]

/** Makes what a server needs in the folder: keys, certificate, configuration, folder of logs. What exists stays. */
export async function prepareServer(folder: DevFolder, ca: DevCa, server: DevServer, caFile: string): Promise<void> {
  const layout = serverLayout(server.kind, '')
  const paths = pathsOf(folder, server, caFile)
  const missing = async ([name, text]: [string, string]) => {
    const file = `${layout.confFolder}/${name}`
    if (!(await folder.has(file))) await folder.write(file, text)
  }
  await Promise.all([
    ...Array.from(server.signingKeys, ([name, kind]) => ensureSigningKey(folder, kind, `${layout.keysFolder}/${name}`)),
    ensureCertificate(folder, ca, { commonName: server.principal, use: 'server', files: paths.certificate }),
    ...Array.from(server.properties(paths), missing),
    folder.makeFolder(layout.logsFolder),
  ])
}

/** What `prepareServer` and the server itself make, relative to the folder. */
export function ownedBy(folder: DevFolder, server: DevServer): { files: string[]; folders: string[] } {
  const layout = serverLayout(server.kind, '')
  const names = server.properties(pathsOf(folder, server, '')).keys()
  return {
    files: Array.from(names, (name) => `${layout.confFolder}/${name}`),
    folders: [layout.varFolder, `logs/${server.kind.name}_server`],
  }
}

function pathsOf(folder: DevFolder, { kind }: DevServer, caFile: string): DevServerPaths {
  const { certificatesFolder } = serverLayout(kind, '')
  return {
    certificate: {
      certificate: `${certificatesFolder}/${kind.name}_cert.pem`,
      key: `${certificatesFolder}/${kind.name}_key.pem`,
    },
    ca: caFile,
    shippedConf: shippedConfFolder(folder.path, kind),
  }
}

// A folder inside the project stays valid when the project moves, one outside when the folder moves.
function shippedConfFolder(folder: string, kind: ServerKind): string {
  const { confFolder } = serverLayout(kind, PROJECT_FOLDER)
  return relative(PROJECT_FOLDER, folder).startsWith('..') ? confFolder : relative(folder, confFolder)
}

const zmsProperties = ({ shippedConf }: DevServerPaths): string => `\
# ZMS of this development folder. Made by athenz dev when absent; change it as you like.
# Relative paths count from the development folder. Every property: conf/zms_server of the project.

athenz.zms.domain_admin=${ADMINISTRATOR}
athenz.zms.authority_classes=com.yahoo.athenz.auth.impl.PrincipalAuthority,com.yahoo.athenz.auth.impl.CertificateAuthority
athenz.zms.principal_authority_class=com.yahoo.athenz.auth.impl.PrincipalAuthority
athenz.zms.no_auth_uri_list=/zms/v1/status,/zms/v1/schema
athenz.zms.solution_templates_fname=${shippedConf}/solution_templates.json
athenz.zms.authz_service_fname=${shippedConf}/authorized_services.json
`

const containerProperties = (kind: ServerKind, { certificate, ca }: DevServerPaths): string => `\
# Where ${kind.title} of this development folder listens. Made by athenz dev when absent; change it as you like.

athenz.port=0
athenz.tls_port=${kind.defaultPort}
athenz.ts.tls_cert_file=${certificate.certificate}
athenz.ts.tls_key_file=${certificate.key}
athenz.ts.tls_ca_file=${ca}
`
