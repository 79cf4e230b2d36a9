import { X509Certificate } from 'node:crypto'
import { access, readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import { configuredDatabases, loadConfig } from '../data-location.ts'
import { type ServerKind, serverLayout, UI, ZMS, ZTS } from '../server-kind.ts'
import { databaseFindings } from './database-check.ts'
import { type Finding, failed, keyModeFinding, lifeFinding, right, wrong } from './doctor.ts'

/** Checks what the servers below a folder need: configuration, keys, certificates, databases. */
export async function installationFindings(root: string): Promise<Finding[]> {
  const kinds: ServerKind[] = []
  for (const kind of [ZMS, ZTS, UI]) if (await isConfigured(kind, root)) kinds.push(kind)
  if (kinds.length === 0) {
    return [wrong('configuration', `there is none in ${root}`, 'name the folder that holds conf and var')]
  }
  const configurations: Finding[] = []
  const files: Finding[] = []
  for (const kind of kinds) {
    configurations.push(await configurationFinding(kind, root))
    files.push(...(await fileFindings(kind, root)))
  }
  // Where the databases are is in the configuration.
  const databases = configurations.every(({ ok }) => ok) ? await allDatabaseFindings(root) : []
  return [...configurations, ...files, ...databases]
}

async function isConfigured(kind: ServerKind, root: string): Promise<boolean> {
  for (const file of serverLayout(kind, resolve(root)).propertiesFiles) {
    if (await isThere(file)) return true
  }
  return false
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )

async function configurationFinding(kind: ServerKind, root: string): Promise<Finding> {
  const check = `configuration of ${kind.title}`
  try {
    await loadConfig(kind.name, { root })
    return right(check, serverLayout(kind, resolve(root)).confFolder)
  } catch (error) {
    return failed(check, error, 'correct the properties that it names')
  }
}

/** The private keys and certificates in the folders of a server. */
async function fileFindings(kind: ServerKind, root: string): Promise<Finding[]> {
  const { keysFolder, certificatesFolder } = serverLayout(kind, resolve(root))
  const findings: Finding[] = []
  for (const folder of [keysFolder, certificatesFolder]) {
    for (const name of await namesIn(folder)) {
      const file = join(folder, name)
      const text = await readFile(file, 'latin1').catch(() => '')
      if (/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(text)) {
        findings.push(await keyModeFinding(`key of ${kind.title}`, file))
      } else if (text.includes('-----BEGIN CERTIFICATE-----')) {
        findings.push(certificateFinding(kind, file, text))
      }
    }
  }
  return findings
}

function certificateFinding(kind: ServerKind, file: string, text: string): Finding {
  const check = `certificate of ${kind.title} ${file}`
  try {
    return lifeFinding(check, new X509Certificate(text), 'renew it; a running server takes it over by itself')
  } catch (error) {
    return failed(check, error, 'replace it')
  }
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).then(
    (names) => names.sort(),
    () => [],
  )

async function allDatabaseFindings(root: string): Promise<Finding[]> {
  let databases: MySqlSettings[]
  try {
    databases = await configuredDatabases({ root })
  } catch (error) {
    return [failed('databases', error, 'correct the properties of the databases')]
  }
  return (await Promise.all(databases.map(databaseFindings))).flat()
}
