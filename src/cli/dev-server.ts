import { relative } from 'node:path'
import { type CertificateFiles, type DevCa, ensureCertificate, ensureSigningKey } from './dev-certificates.ts'
import type { DevFolder } from './dev-folder.ts'
import { PROJECT_FOLDER, type ServerKind, serverLayout } from './server-kind.ts'

/** A server as `athenz dev` runs it. */
export interface DevServer {
  readonly kind: ServerKind
  /** Takes a free port when that of its configuration is taken and no other was asked for. */
  readonly yieldsPort?: boolean
  /** Principal of its certificate. */
  readonly principal: string
  /** Signing keys, by file name in its folder of keys. */
  readonly signingKeys: ReadonlyMap<string, 'rsa' | 'ec'>
  /** Files by name in its folder of configuration, written when absent. */
  readonly configuration: (paths: DevServerPaths) => ReadonlyMap<string, string>
  /**
   * Properties files that are written at each start, relative to the folder: one that wins over those in its folder of
   * configuration, and one that they win over.
   */
  readonly madeProperties: { readonly first?: string; readonly last?: string }
  /** Further files that it makes, relative to the folder. */
  readonly furtherFiles: readonly string[]
  /** Makes what else it needs in the folder. */
  readonly prepare?: (folder: DevFolder, ca: DevCa) => Promise<void>
  /** Writes what it needs to know of where both servers are, and has the other one know it. */
  readonly connect?: (pair: DevPair) => Promise<void>
}

/** Where the servers of a folder are, just before one of them starts. */
export interface DevPair {
  readonly folder: DevFolder
  readonly ca: DevCa
  /** Base of the REST interface of ZMS, which answers. */
  readonly zmsUrl: string
  /** Port of the server that is about to start. */
  readonly port: number
  /** Base of the REST interface of ZTS, which may start at the same time; undefined where it is left out. */
  readonly ztsUrl: string | undefined
}

/** Files of a server, relative to the development folder. */
export interface DevServerPaths {
  readonly certificate: CertificateFiles
  readonly ca: string
  /** The folder of the configuration files that this project ships. */
  readonly shippedConf: string
}

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
    ...Array.from(server.configuration(paths), missing),
    server.prepare?.(folder, ca),
    folder.makeFolder(layout.logsFolder),
  ])
}

/** The properties files of a server, the most important first; absolute. */
export function propertiesFilesOf(
  folder: Pick<DevFolder, 'path' | 'file'>,
  { kind, madeProperties }: DevServer,
): string[] {
  const { first, last } = madeProperties
  const { propertiesFiles } = serverLayout(kind, folder.path)
  return [
    ...(first === undefined ? [] : [folder.file(first)]),
    ...propertiesFiles,
    ...(last === undefined ? [] : [folder.file(last)]),
  ]
}

/** What `prepareServer`, `connect` and the server itself make, relative to the folder. */
export function ownedBy(folder: DevFolder, server: DevServer): { files: string[]; folders: string[] } {
  const layout = serverLayout(server.kind, '')
  const names = server.configuration(pathsOf(folder, server, '')).keys()
  return {
    files: [...Array.from(names, (name) => `${layout.confFolder}/${name}`), ...server.furtherFiles],
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
