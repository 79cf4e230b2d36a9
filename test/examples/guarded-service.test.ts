import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const GUIDE = join(import.meta.dirname, 'guarded-service', 'README.md')

/** What the guide tells to type, after its first paragraph; what it has started ends with it. */
const script = [
  'set -eu',
  // Of a process group of their own, so that programs that others have started end, too.
  'set -m',
  "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
  ...Array.from(readFileSync(GUIDE, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms), ([, text]) => text),
].join('\n')

describe('the example of a service that asks ZPE', () => {
  test('runs by the words of its guide, and a change of policies arrives within three seconds', async () => {
    const folder = temporaryFolder()
    await using servers = await startDevServers({ dir: join(folder, 'servers'), zts: true })
    const { zms, zts, ca, adminCert, adminKey } = servers.summary
    const given = { ZMS: zms ?? '', ZTS: zts ?? '', CA: ca, ADMIN_CERT: adminCert, ADMIN_KEY: adminKey }
    const env = { ...process.env, ...given, work: join(folder, 'work') }
    const { status, stdout, stderr } = await runProgram('bash', ['-c', `mkdir "$work"\n${script}`], {
      cwd: PROJECT_FOLDER,
      env,
    })
    assert.equal(status, 0, stdout + stderr)
    const answers = stdout.split('\n').filter((line) => /^2\d{3}-/.test(line))
    assert.match(answers.at(0) ?? '', / 200 \{"rain":false,"role":"readers"\}$/)
    assert.match(answers.at(-1) ?? '', / 403 \{"code":403,"message":"[^"]*explicitly denied","status":"DENY"\}$/)
  })
})
