import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailure } from './command-failure.ts'
import type { Context } from './control/contexts.ts'
import type { DevSummary } from './dev-announcement.ts'

/** File of a development folder that says where its servers were when they were started last. */
export const DEV_CONTEXT = 'context.json'

/** What that file has: the servers, and their administrator. */
export const devContext = ({ zms, zts, ca, adminCert, adminKey }: DevSummary): Context => ({
  ...(zms !== null && { zms }),
  ...(zts !== null && { zts }),
  ca,
  certificate: adminCert,
  key: adminKey,
})

/** Reads it. Throws a CommandFailure when no servers were started in the folder. */
export async function readDevContext(folder: string): Promise<Context> {
  const file = join(folder, DEV_CONTEXT)
  const text = await readFile(file, 'utf8').catch(() => {
    throw new CommandFailure(`there is no ${file}: start the servers first, athenz dev --dir ${folder}`)
  })
  return JSON.parse(text) as Context
}
