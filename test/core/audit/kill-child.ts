import { openSync, writeSync } from 'node:fs'
import { openSeal } from '#core/audit/chain-seal.ts'
import { FileAuditLog } from '#core/audit/file-audit-log.ts'
import { entryOf, recordingLog } from './support.ts'

/** Program of the kill test: records changes until it is killed, and notes in a file which ones were acknowledged. */
const [folder, acknowledged, first] = process.argv.slice(2)
if (folder === undefined || acknowledged === undefined) throw new Error('name the folder of the log and a file')
const notes = openSync(acknowledged, 'a')

const log = await FileAuditLog.open({
  folder,
  seal: openSeal,
  server: 'zms',
  host: 'zms.example.com',
  maxFileBytes: 20_000,
  daily: true,
  retainDays: 0,
  required: true,
  log: recordingLog().log,
})
process.stdout.write('ready\n')
const WRITERS = 5
await Promise.all(
  Array.from({ length: WRITERS }, async (_, writer) => {
    for (let number = Number(first) + writer; ; number += WRITERS) {
      await log.record(entryOf(number))
      writeSync(notes, `${number}\n`)
    }
  }),
)
