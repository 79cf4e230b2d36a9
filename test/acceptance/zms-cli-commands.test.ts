import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { ADMIN, describeZmsCli } from './describe-zms-cli.ts'
import { walkLines } from './zms-cli-walk.ts'

const WALK = walkLines()
const OPTIONS_AND_COMMAND = /^(?:-[drao] \S+ |-v )*(\S+)/

await describeZmsCli('every command', (zms) => {
  const folder = temporaryFolder()
  const [key, yaml] = [join(folder, 'key.pem'), join(folder, 'domain.yaml')]

  test('is known to the walk', async () => {
    const { output } = await zms().run(ADMIN, 'help')
    const commands = Array.from(output.matchAll(/^ {3}([a-z][a-z0-9-]+)/gm), ([, command]) => command)
    assert.ok(commands.length > 200, output)
    const walked = new Set(WALK.map(({ command }) => OPTIONS_AND_COMMAND.exec(command)?.[1]))
    assert.deepEqual(
      commands.filter((command) => !walked.has(command)),
      [],
    )
  })

  test('does what it should or says why not', async () => {
    const { key: privateKey } = await zms().certificate(ADMIN)
    await writeFile(key, createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString()
    for (const { code, command } of WALK) {
      const line = command.replace('{soon}', soon).replace('{key}', key).replace('{yaml}', yaml)
      const { status, output } = await zms().run(ADMIN, line)
      const refused = /^code: (\d+)\nmessage: \S/.exec(output)
      const context = `${command}: ${output}`
      assert.equal(Number(refused?.[1] ?? 0), code, context)
      assert.equal(status, code === 0 ? 0 : 1, context)
    }
  })
})
