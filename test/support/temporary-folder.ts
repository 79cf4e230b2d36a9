import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** Makes an empty folder that is removed when the test, suite or file that asks for it has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'athenz-test-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
