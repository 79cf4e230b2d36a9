import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PROJECT_FOLDER, readSources, withoutComments } from './sources.ts'

const TOP_LEVEL = [
  'README.md',
  'bin',
  'conf',
  'keys',
  'package-lock.json',
  'package.json',
  'schema',
  'src',
  'test',
  'tsconfig.json',
]

/** Started as processes of their own. */
const PROGRAMS = ['src/core/authority/kerberos-worker.ts', 'src/core/authority/pam-worker.ts']

/** Commands, main programs of servers, and other programs: they may touch their process. */
const isProgram = (path: string): boolean =>
  path.startsWith('src/cli/') || /^src\/[a-z]+\/main(\.ts|\/)/.test(path) || PROGRAMS.includes(path)

/** Names at the top of the project: those under version control where that is known, otherwise those in the folder. */
function topLevelNames(): string[] {
  if (!existsSync(join(PROJECT_FOLDER, '.git'))) {
    return readdirSync(PROJECT_FOLDER).filter((name) => !['node_modules', 'var', 'dist'].includes(name))
  }
  const paths = execFileSync('git', ['ls-files', '-z'], { cwd: PROJECT_FOLDER, encoding: 'utf8' }).split('\0')
  return [...new Set(paths.map((path) => path.split('/')[0] ?? ''))].filter((name) => name !== '')
}

test('the top level holds what belongs there', () => {
  const names = topLevelNames().filter((name) => !name.startsWith('.'))
  assert.deepEqual(names.toSorted(), TOP_LEVEL)
})

test('only programs touch the process they run in', async () => {
  const forbidden = /\bprocess\.(env|exit|exitCode|argv|abort|chdir)\b/
  const found = (await readSources('src'))
    .filter(({ path }) => !isProgram(path))
    .filter(({ text }) => forbidden.test(withoutComments(text)))
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
  )
})

test('no module outside programs keeps state in a variable of its own', async () => {
  const found = (await readSources('src'))
    .filter(({ path }) => !isProgram(path))
    .filter(({ text }) => /^(export )?(let|var) /m.test(withoutComments(text)))
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
  )
})

test("values of Node's http come from core/http/node-http.ts, which does not load what nobody uses", async () => {
  const found = (await readSources('src')).filter(({ text }) => /^import (?!type )[^'"]*from 'node:http'/m.test(text))
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
  )
})

test('files are named in kebab case', async () => {
  const sources = [...(await readSources('src')), ...(await readSources('test'))]
  const found = sources.filter(
    ({ path }) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)+[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(path),
  )
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
  )
})
