import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { PROJECT_FOLDER } from '../architecture/sources.ts'
import { runProgram } from '../support/program.ts'

/** Entries of the package, by what is imported: sources without ending. To publish another room, add a row. */
const ENTRIES = {
  '.': 'client/index',
  './properties': 'client/client-properties',
  './zpe': 'zpe/index',
  './zpe/express': 'zpe/express',
  './zpe/fastify': 'zpe/fastify',
} as const
/** Rooms that the entries need; of those, only files that are reached become part of the package. */
const ROOMS = ['client', 'core', 'zms/api', 'zpe', 'zts/api']
const NAME = 'athenz-client'
/** For `AbortSignal.any`, `Promise.withResolvers` and dates of certificates. */
const NODE_VERSIONS = '>=22.10'

/** What was built. */
export interface BuiltPackage {
  readonly name: string
  readonly version: string
  /** Number of files. */
  readonly files: number
}

/**
 * Compiles the client libraries with their declarations into a folder that can be published as it is. The folder is emptied
 * first. Rejects with the messages of the compiler.
 */
export async function buildClientPackage(folder: string): Promise<BuiltPackage> {
  const work = await mkdtemp(join(tmpdir(), 'athenz-build-'))
  try {
    for (const room of ROOMS) await cp(join(PROJECT_FOLDER, 'src', room), join(work, room), { recursive: true })
    for (const file of await filesBelow(work)) await useRelativeImports(work, file)
    await rm(folder, { recursive: true, force: true })
    await compile(work, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  const project = JSON.parse(await readFile(join(PROJECT_FOLDER, 'package.json'), 'utf8')) as ProjectPackage
  await writeFile(join(folder, 'package.json'), await packageText(folder, project))
  await cp(join(PROJECT_FOLDER, 'src', 'client', 'README.md'), join(folder, 'README.md'))
  return { name: NAME, version: project.version, files: (await filesBelow(folder)).length }
}

interface ProjectPackage {
  readonly version: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
}

/** Imports of sources: `#room/file.ts` and `./file.ts`. */
const IMPORT = /(?<=\b(?:from|import) '|\bimport\(')([#.][^']+)\.ts(?=')/g

/** Neither the names of rooms nor the endings of sources mean anything outside of the project. */
async function useRelativeImports(work: string, file: string): Promise<void> {
  const text = await readFile(join(work, file), 'utf8')
  const changed = text.replaceAll(IMPORT, (_, module: string) => {
    if (!module.startsWith('#')) return `${module}.js`
    const path = relative(dirname(file), module.slice(1))
    return `${path.startsWith('.') ? path : `./${path}`}.js`
  })
  await writeFile(join(work, file), changed)
}

async function compile(work: string, folder: string): Promise<void> {
  const settings = {
    extends: join(PROJECT_FOLDER, 'tsconfig.json'),
    include: [],
    files: Object.values(ENTRIES).map((entry) => `${entry}.ts`),
    compilerOptions: {
      noEmit: false,
      allowImportingTsExtensions: false,
      rootDir: '.',
      outDir: folder,
      declaration: true,
    },
  }
  await writeFile(join(work, 'tsconfig.json'), JSON.stringify(settings))
  await symlink(join(PROJECT_FOLDER, 'node_modules'), join(work, 'node_modules'))
  // What is compiled counts as modules because of this.
  await writeFile(join(work, 'package.json'), '{"type":"module"}')
  const tsc = join(PROJECT_FOLDER, 'node_modules', '.bin', 'tsc')
  const { status, stdout, stderr } = await runProgram(tsc, ['-p', work])
  if (status !== 0) throw new Error(`the client libraries do not compile:\n${stdout}${stderr}`)
}

async function packageText(folder: string, { version, license, dependencies }: ProjectPackage): Promise<string> {
  const used = await packagesImported(folder, '.js')
  const typed = await packagesImported(folder, '.d.ts')
  const listed = Object.entries(dependencies)
  const hosts = listed.filter(([name]) => typed.has(name) && !used.has(name))
  const content = {
    name: NAME,
    version,
    description:
      'Client libraries of Athenz: domains, roles and policies of ZMS, tokens and certificates of ZTS, and local decisions',
    license,
    type: 'module',
    engines: { node: NODE_VERSIONS },
    exports: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, entry]) => [name, { types: `./${entry}.d.ts`, default: `./${entry}.js` }]),
    ),
    dependencies: Object.fromEntries(listed.filter(([name]) => used.has(name))),
    // Those whose types are named, but that only the caller loads.
    peerDependencies: Object.fromEntries(hosts.map(([name, pinned]) => [name, `^${pinned}`])),
    peerDependenciesMeta: Object.fromEntries(hosts.map(([name]) => [name, { optional: true }])),
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

/** A package, or a part of one, as it is imported, or required by what `createRequire` gives. */
const PACKAGE = /(?:\bfrom |\bimport |\bimport\(|\)\()['"]([^.'"][^'"]*)['"]/g

async function packagesImported(folder: string, ending: '.js' | '.d.ts'): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const file of await filesBelow(folder)) {
    if (!file.endsWith(ending)) continue
    const text = await readFile(join(folder, file), 'utf8')
    for (const [, name = ''] of text.matchAll(PACKAGE)) {
      if (!name.startsWith('node:')) names.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
    }
  }
  return names
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
}
