import type { FileSystem } from '../seam/file-system.ts'
import { Journal, journalFile } from './journal.ts'
import type { Replay } from './replay-journal.ts'

/** A journal that was replayed and is to go on. */
export interface ReopenedJournal {
  readonly folder: string
  readonly fileSystem: FileSystem
  readonly replay: Replay
  /** No stamp is given that is not later; those of the journal itself need not be told. */
  readonly latestStamp?: number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** Goes on where a replay ended: in its last file, cut behind its last whole record, or in a new one. */
export async function reopenJournal(options: ReopenedJournal): Promise<Journal> {
  const { folder, fileSystem, replay, latestStamp = 0, log } = options
  for (const line of replay.recovered) log('warn', `recovered: ${line}`)
  const { end = { number: 0, bytes: 0, sequence: 0, stamp: 0 }, cut } = replay
  const file = replay.end && (await fileSystem.open(journalFile(folder, end.number), 'existing'))
  if (cut) await file?.truncate(end.bytes)
  // What was read must survive a crash before anybody is told of it.
  await file?.sync()
  await fileSystem.syncFolder(folder)
  return new Journal({
    folder,
    fileSystem,
    end: { ...end, stamp: Math.max(end.stamp, latestStamp) },
    file,
    abandoned: (path, reason) => log('error', `${path} is left and a new journal file begun: ${reason}`),
  })
}
