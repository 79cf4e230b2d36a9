import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findGo } from './athenz-tools.ts'
import { runProgram } from './program.ts'

const MODULE = 'github.com/c2sp/wycheproof'
const VERSION = 'v0.0.0-20260902155932-3fa63dd0344a'

/** A file of test vectors, of which only the head is the same for all kinds. */
export interface VectorFile {
  /** Without `_test.json`. */
  readonly name: string
  readonly numberOfTests: number
  readonly testGroups: readonly Readonly<Record<string, unknown>>[]
}

/**
 * The files of test vectors of Project Wycheproof whose names match, from Go's cache of modules, into which Go fetches them
 * once; or why they cannot be had.
 */
export async function wycheproofFiles(names: RegExp): Promise<readonly VectorFile[] | string> {
  const go = await findGo()
  if (go === undefined) return `Go is not installed, so ${MODULE} cannot be fetched`
  const { status, stdout, stderr } = await runProgram(go, ['mod', 'download', '-json', `${MODULE}@${VERSION}`])
  const { Dir: folder, Error: problem = stderr } = jsonOf(stdout) as { Dir?: string; Error?: string }
  if (status !== 0 || folder === undefined) return `${MODULE} ${VERSION} cannot be fetched: ${problem.split('\n')[0]}`
  const vectors = join(folder, 'testvectors_v1')
  const files = (await readdir(vectors))
    .map((file) => file.replace(/_test\.json$/, ''))
    .filter((name) => names.test(name))
  return Promise.all(
    files.sort().map(async (name) => {
      const file = JSON.parse(await readFile(join(vectors, `${name}_test.json`), 'utf8')) as Omit<VectorFile, 'name'>
      return { ...file, name }
    }),
  )
}

const jsonOf = (text: string): unknown => (text.trim() === '' ? {} : JSON.parse(text))
