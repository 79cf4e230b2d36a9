import assert from 'node:assert/strict'
import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { type AthenzTools, athenzTools, WALK_TOOLS } from '../support/athenz-tools.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { runProgram } from '../support/program.ts'
import { recordDatabase, recordSettings } from '../support/record-settings.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const WALK = join(import.meta.dirname, 'walk.sh')

/** Walks with the tools against servers of its own; throws with what the walk printed when a step fails. */
async function walk(tools: AthenzTools & { folder: string }, database?: MariaDb): Promise<void> {
  await using servers = await startDevServers({
    dir: temporaryFolder(),
    zts: true,
    ...(database && {
      mysqlUrl: await emptyDatabase(database),
      ztsSettings: recordSettings(await recordDatabase(database)),
    }),
  })
  const { zms, zts, ca, adminCert, adminKey } = servers.summary
  const env = {
    ...process.env,
    ZMS: zms ?? '',
    ZTS: zts ?? '',
    CA: ca,
    ADMIN_CERT: adminCert,
    ADMIN_KEY: adminKey,
    TOOLS: tools.folder,
  }
  const { status, stdout, stderr } = await runProgram('bash', [WALK], { env })
  assert.match(stdout, /^[1-9]\d* passed, 0 failed$/m, stdout + stderr)
  assert.match(stdout, /^ok +zpu: /m, 'ZTS was left out')
  assert.equal(status, 0)
}

/** A folder with our tools, and those of others where we have none. */
function folderWithOwnTools(others: string): string {
  const folder = temporaryFolder()
  for (const name of WALK_TOOLS) {
    const own = join(PROJECT_FOLDER, 'bin', name)
    symlinkSync(existsSync(own) ? own : join(others, name), join(folder, name))
  }
  return folder
}

async function emptyDatabase(server: MariaDb): Promise<string> {
  await server.query('CREATE DATABASE zms_walk')
  return server.url('zms_walk')
}

describe("the walk through both servers with Athenz' own tools", async () => {
  const tools = await athenzTools(WALK_TOOLS)
  if ('skipped' in tools) {
    test('needs the tools', { skip: tools.skipped }, () => {})
    return
  }

  test('with domains and records in files', () => walk(tools))

  test("with this project's tools", () => walk({ folder: folderWithOwnTools(tools.folder) }))

  test('with domains and records in MariaDB', async () => {
    await using server = await startMariaDb()
    await walk(tools, server)
  })

  test("with this project's tools, and domains and records in MariaDB", async () => {
    await using server = await startMariaDb()
    await walk({ folder: folderWithOwnTools(tools.folder) }, server)
  })
})
