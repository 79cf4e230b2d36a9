import { join } from 'node:path'

/** What the commands need to know about one of the servers. */
export interface ServerKind {
  readonly name: 'zms' | 'zts' | 'ui'
  /** As people write it. */
  readonly title: string
  /** Its source, relative to the project. */
  readonly main: string
  /** Path of its REST interface; empty for the web page. */
  readonly basePath: string
  readonly defaultPort: number
}

/** Keeps the domains. */
export const ZMS: ServerKind = {
  name: 'zms',
  title: 'ZMS',
  main: 'src/zms/main.ts',
  basePath: '/zms/v1',
  defaultPort: 4443,
}

/** Issues tokens and certificates. */
export const ZTS: ServerKind = {
  name: 'zts',
  title: 'ZTS',
  main: 'src/zts/main.ts',
  basePath: '/zts/v1',
  defaultPort: 8443,
}

/** The web page for people. */
export const UI: ServerKind = {
  name: 'ui',
  title: 'the web page',
  main: 'src/ui/main.ts',
  basePath: '',
  defaultPort: 9443,
}

/** The folder of this project: the one that holds `bin` and `src`. */
export const PROJECT_FOLDER = join(import.meta.dirname, '..', '..')

/** Where a server keeps its files below its root folder; all paths are absolute when the root is. */
export interface ServerLayout {
  readonly root: string
  readonly confFolder: string
  /** Read in this order; where two set the same key, the earlier one counts. */
  readonly propertiesFiles: readonly string[]
  readonly varFolder: string
  readonly keysFolder: string
  readonly certificatesFolder: string
  readonly logsFolder: string
  /** What it writes to standard output (its log) and to standard error. */
  readonly logFile: string
  readonly errorFile: string
}

/** The files of a server below `root`, as the production set-up places them. */
export function serverLayout(kind: ServerKind, root: string): ServerLayout {
  const confFolder = join(root, 'conf', `${kind.name}_server`)
  const varFolder = join(root, 'var', `${kind.name}_server`)
  const logsFolder = join(varFolder, 'logs')
  return {
    root,
    confFolder,
    propertiesFiles: [join(confFolder, `${kind.name}.properties`), join(confFolder, 'athenz.properties')],
    varFolder,
    keysFolder: join(varFolder, 'keys'),
    certificatesFolder: join(varFolder, 'certs'),
    logsFolder,
    logFile: join(logsFolder, `${kind.name}.log`),
    errorFile: join(logsFolder, `${kind.name}.err`),
  }
}
