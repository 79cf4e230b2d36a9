import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type AthenzTools, athenzTools } from '../support/athenz-tools.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { startMariaDb } from '../support/mariadb.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const WALK = join(import.meta.dirname, 'walk.sh')

/** Walks with the tools against servers of its own; throws with what the walk printed when a step fails. */
async function walk(tools: AthenzTools & { folder: string }, mysqlUrl?: string): Promise<void> {
  await using servers = await startDevServers({ dir: temporaryFolder(), zts: false, ...(mysqlUrl && { mysqlUrl }) })
  const { zms, ca, adminCert, adminKey } = servers.summary
  const { ZTS: _, ...environment } = process.env
  const env = {
    ...environment,
    ZMS: zms ?? '',
    CA: ca,
    ADMIN_CERT: adminCert,
    ADMIN_KEY: adminKey,
    TOOLS: tools.folder,
  }
  const { status, stdout, stderr } = await runProgram('bash', [WALK], { env })
  assert.match(stdout, /^[1-9]\d* passed, 0 failed$/m, stdout + stderr)
  assert.equal(status, 0)
}

describe("the walk through ZMS with Athenz' own tools", async () => {
  const tools = await athenzTools(['zms-cli'])
  if ('skipped' in tools) {
    test('needs the tools', { skip: tools.skipped }, () => {})
    return
  }

  test('on the file store', () => walk(tools))

  test('on MariaDB', async () => {
    await using server = await startMariaDb()
    await server.query('CREATE DATABASE zms_walk')
    await walk(tools, server.url('zms_walk'))
  })
})
