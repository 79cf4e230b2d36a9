import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Folders whose files come from a collection of recordings that may stand beside the checkout. */
const COPIED_FOLDERS = ['conformance', 'acceptance', 'database']

/** What became of the comparison: not possible, or the files that differ, relative to the test folder. */
export type CopyComparison = { readonly skipped: string } | { readonly outdated: readonly string[] }

/** Compares the copies in this folder with the collection that they come from. */
export async function compareCopies(collection: string): Promise<CopyComparison> {
  if (!existsSync(collection)) return { skipped: `there is no ${collection}` }
  const outdated: string[] = []
  for (const folder of COPIED_FOLDERS) {
    const entries = await readdir(join(collection, folder), { recursive: true, withFileTypes: true })
    for (const entry of entries.filter((item) => item.isFile())) {
      const original = join(entry.parentPath, entry.name)
      const copy = relative(collection, original)
      if (!(await isSame(original, join(import.meta.dirname, copy)))) outdated.push(copy)
    }
  }
  return { outdated: outdated.sort() }
}

async function isSame(original: string, copy: string): Promise<boolean> {
  if (!existsSync(copy)) return false
  const [expected, found] = await Promise.all([readFile(original), readFile(copy)])
  return expected.equals(found)
}
