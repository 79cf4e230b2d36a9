import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { Visitor } from './visitor.ts'
import { textOf } from './web-page.ts'

/** ZTS may still have to learn of the key. */
const ATTEMPTS = 20

test('the lines on the page of a service in athenz dev get it a certificate as they are', async () => {
  await using servers = await startDevServers({ dir: temporaryFolder(), zts: true, ui: true })
  const admin = await Visitor.signedIn(servers.summary)
  const work = temporaryFolder()
  const lines = async () => {
    const { text } = await admin.get('/domain/sports/service/api')
    return [...text.matchAll(/<pre class="copied"[^>]*>(.*?)<\/pre>/gs)].map(([, line = '']) => textOf(line))
  }
  const run = (line = '') => {
    const words = line.replace(/^bin\//, `${join(PROJECT_FOLDER, 'bin')}/`)
    return runProgram('bash', ['-c', words], { cwd: work })
  }
  const done = async (line?: string) => {
    const { status, stdout, stderr } = await run(line)
    assert.equal(status, 0, stderr)
    return stdout
  }

  await admin.submit('/new-domain', 'create', { name: 'sports' })
  await admin.submit('/domain/sports/services', 'create', { service: 'api' })
  const [makeKey, printKey] = await lines()
  await done(makeKey)
  const key = await done(printKey)
  const added = await admin.submit('/domain/sports/service/api', 'addKey', { keyId: 'v1', key })
  assert.equal(added.status, 303, textOf(added.text))
  const [, , once, renewed = ''] = await lines()
  let outcome = await run(once)
  for (let attempt = 1; outcome.status !== 0 && attempt < ATTEMPTS; attempt++) outcome = await run(once)
  assert.equal(outcome.status, 0, outcome.stderr)
  const { subject } = new X509Certificate(readFileSync(join(work, 'api.cert.pem')))
  assert.match(subject, /CN=sports\.api/)
  const kept = await run(renewed.replace(/^athenz /, `${join(PROJECT_FOLDER, 'bin', 'athenz')} `).concat(' --once'))
  assert.equal(kept.status, 0, kept.stderr)
})
