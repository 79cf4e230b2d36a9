import { availableParallelism } from 'node:os'

/** How many workers a server is to have, as the property says it; `auto` is one for each processor. */
export type WorkerSetting = number | 'auto'

/**
 * Workers to be started: 0 when the server is one process, as it is by default, with one worker, and with one for each
 * processor of a machine that has one.
 */
export function workerCount(setting: WorkerSetting, processors: number = availableParallelism()): number {
  const count = setting === 'auto' ? processors : setting
  return count > 1 ? count : 0
}
