import { describe, test } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { FAULTS } from './all-faults.ts'

const MAX_MILLIS = 300_000

describe('nothing acknowledged is lost, health tells the truth, and the servers recover alone', () => {
  for (const { name, what, attempt } of FAULTS) {
    test(`${name}: ${what}`, { timeout: MAX_MILLIS }, async (context) => {
      const report = (line: string) => context.diagnostic(line)
      const skipped = await attempt({ dir: temporaryFolder(), size: 'short', report })
      if (skipped !== undefined) context.skip(skipped)
    })
  }
})
