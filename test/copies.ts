import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** Folders whose files come from a collection of recordings that may stand beside the checkout. */
const COPIED_FOLDERS = ['conformance', 'acceptance', 'database']

/** Files that were changed here, because recordings are replayed against several servers, and the SHA-256 of what they were. */
const CHANGED_HERE: ReadonlyMap<string, string> = new Map([
  ['conformance/README.md', '9590edb5e6c24106b92db63c75c91b2464a9ecc8010efdb31a02a12f781aa304'],
  ['conformance/decisions/replay.mjs', '528daf49b530cb2f8601ea581047f0ce4e462a661730026403b553c620e36628'],
  ['conformance/run.mjs', '5f6b36f83503f8eb22d012546507500c9a542bcec71bfd3c6ba754649a7b8893'],
])

/** What became of the comparison: not possible, or the files that differ, relative to the test folder. */
export type CopyComparison = { readonly skipped: string } | { readonly outdated: readonly string[] }

/** Compares the copies in this folder with the collection that they come from. */
export async function compareCopies(collection: string): Promise<CopyComparison> {
  // Any folder may be called like that.
  const folders = COPIED_FOLDERS.filter((folder) => existsSync(join(collection, folder)))
  if (folders.length === 0) return { skipped: `there is no ${collection} with recordings` }
  const outdated: string[] = []
  for (const folder of folders) {
    const entries = await readdir(join(collection, folder), { recursive: true, withFileTypes: true })
    for (const entry of entries.filter((item) => item.isFile())) {
      const original = join(entry.parentPath, entry.name)
      const copy = relative(collection, original)
      const isNewest = (await isSame(original, join(import.meta.dirname, copy))) || (await isBase(original, copy))
      if (!isNewest) outdated.push(copy)
    }
  }
  return { outdated: outdated.sort() }
}

async function isSame(original: string, copy: string): Promise<boolean> {
  if (!existsSync(copy)) return false
  const [expected, found] = await Promise.all([readFile(original), readFile(copy)])
  return expected.equals(found)
}

/** Whether a file is the one that the copy was made from before it was changed here. */
async function isBase(original: string, copy: string): Promise<boolean> {
  const hash = createHash('sha256').update(await readFile(original))
  return CHANGED_HERE.get(copy) === hash.digest('hex')
}
