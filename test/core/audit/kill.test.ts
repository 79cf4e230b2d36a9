import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { headFile, readHead } from '#core/audit/audit-files.ts'
import { openSeal } from '#core/audit/chain-seal.ts'
import { nodeFileSystem } from '#core/seam/file-system.ts'
import { startProgram } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { contentOf, entitiesOf, openLog, recordingLog, verifyContents } from './support.ts'

const CHILD = join(import.meta.dirname, 'kill-child.ts')
const KILLS = Number(process.env['KILLS'] ?? 10)
const LIFE_MILLIS = 100

describe('an audit log whose server is killed', () => {
  test(`has all that was acknowledged, ${KILLS} times, and verifies`, { timeout: KILLS * 10_000 }, async (context) => {
    const parent = temporaryFolder()
    const [folder, notes] = [join(parent, 'audit'), join(parent, 'acknowledged')]
    for (let kill = 0; kill < KILLS; kill++) {
      const program = startProgram(process.execPath, [CHILD, folder, notes, String(kill * 1_000_000)])
      assert.equal(await program.line(), 'ready')
      await delay(randomInt(LIFE_MILLIS))
      program.kill('SIGKILL')
      const { signal } = await program.ended
      assert.deepEqual([signal, program.stderr()], ['SIGKILL', ''])
      // A process that is killed leaves no torn line behind, only a machine does; so one is made here now and then.
      const [last = '', content] = [...(await contentOf(nodeFileSystem, folder))].at(-1) ?? []
      // A file that was begun and has no line yet is not worth a word when it is begun again.
      const torn = kill % 3 === 2 && content !== undefined && content.length > 0
      if (torn) appendFileSync(join(folder, last), '{"seq":')
      const { lines, log: serverLog } = recordingLog()
      await (await openLog({ folder, fileSystem: nodeFileSystem, log: serverLog, now: Date.now })).close()
      if (torn) assert.deepEqual([lines.length, lines[0]?.level], [1, 'warn'])

      const found = new Set(await entitiesOf(nodeFileSystem, folder))
      const acknowledged = readFileSync(notes, 'utf8').split('\n').slice(0, -1)
      assert.deepEqual(
        acknowledged.filter((number) => !found.has(`role${number}`)),
        [],
      )
      const head = readHead(openSeal, readFileSync(headFile(folder)))
      assert.ok(head)
      const report = await verifyContents(await contentOf(nodeFileSystem, folder), { head })
      assert.equal(report.changes, found.size)
      if (kill === KILLS - 1) context.diagnostic(`${report.changes} changes in ${report.files} files`)
    }
  })
})
