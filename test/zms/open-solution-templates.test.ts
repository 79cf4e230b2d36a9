import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { openSolutionTemplates } from '#zms/open-solution-templates.ts'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const SHIPPED_FOLDER = join(PROJECT_FOLDER, 'conf/zms_server')
const MAIN = 'conf/zms_server/solution_templates.json'

/** Opens the templates of a server with these files, by path below its folder, and this further file. */
async function open(files: Readonly<Record<string, string>>, further?: string) {
  const rootDir = temporaryFolder()
  mkdirSync(join(rootDir, 'conf/zms_server'), { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(join(rootDir, path), text)
  const { config } = await loadServerConfig({
    server: 'zms',
    rootDir,
    files: [],
    overrides: further === undefined ? [] : [['athenz.ts.further_templates_fname', further]],
    env: {},
    hostname: 'h',
  })
  const warnings: string[] = []
  const templates = await openSolutionTemplates(config, (message) => warnings.push(message))
  return { names: templates.names, warnings, rootDir }
}

/** Why the server does not start. */
async function problem(files: Readonly<Record<string, string>>, further?: string): Promise<string> {
  try {
    await open(files, further)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  throw new assert.AssertionError({ message: 'the server would start' })
}

test('a file that is absent has no templates, and that is said', async () => {
  const { names, warnings, rootDir } = await open({})
  assert.deepEqual(names, [])
  assert.equal(warnings.length, 1)
  assert.ok(
    warnings[0]?.startsWith(
      `athenz.zms.solution_templates_fname: ${join(rootDir, MAIN)} cannot be read and is taken as empty: ENOENT`,
    ),
  )
})

test('a further file adds to those of the first', async () => {
  const files = { [MAIN]: '{"templates":{"a":{}}}', 'more.json': '{"templates":{"b":{}}}' }
  for (const [further, expected] of [
    [undefined, ['a']],
    ['more.json', ['a', 'b']],
  ] as const) {
    const { names, warnings } = await open(files, further)
    assert.deepEqual([names, warnings], [expected, []])
  }
})

test('the shipped ones go together; the further ones say what they are and which parameters they need', async () => {
  const { config } = await loadServerConfig({
    server: 'zms',
    rootDir: PROJECT_FOLDER,
    files: [],
    overrides: [['athenz.ts.further_templates_fname', join(SHIPPED_FOLDER, 'further_templates.json')]],
    env: {},
    hostname: 'h',
  })
  const templates = await openSolutionTemplates(config, assert.fail)
  assert.ok(templates.names.length > 7)
  for (const name of templates.names) {
    if (name === 'user_provisioning') continue
    const { metadata, ...content } = JSON.parse(JSON.stringify(templates.get(name)?.reply)) as {
      metadata: { description: string; latestVersion: number; keywordsToReplace?: string; timestamp: string }
    }
    assert.ok(metadata.description && metadata.latestVersion > 0 && Date.parse(metadata.timestamp), name)
    const used = new Set(JSON.stringify(content).match(/(?<=[^a-z])_[a-z]+_(?=[^a-z])/g))
    used.delete('_domain_')
    assert.deepEqual([...used].sort(), metadata.keywordsToReplace?.split(',').sort() ?? [], name)
  }
})

const broken: readonly (readonly [string, string, string | undefined, RegExp])[] = [
  [
    'no JSON',
    '{"templates":{\n"a":{]}}',
    undefined,
    /^athenz\.zms\.solution_templates_fname: .*templates\.json: .*\(line 2 column 6\)$/,
  ],
  [
    'no template',
    '{"templates":{"a":{"roles":[{}]}}}',
    undefined,
    /^athenz\.zms\.solution_templates_fname: .*templates\.json: \$\.templates\.a\.roles\[0\]\.name: missing$/,
  ],
  [
    'a further file without templates',
    '{}',
    '{"a":1}',
    /^athenz\.ts\.further_templates_fname: .*more\.json: \$\.templates: missing$/,
  ],
  [
    'the same template in both files',
    '{"templates":{"a":{}}}',
    '{"templates":{"A":{}}}',
    /^athenz\.ts\.further_templates_fname: .*more\.json: \$\.templates\.A: there is a template a already$/,
  ],
]
for (const [what, main, further, message] of broken) {
  test(`${what} stops the start with property, file, place and reason`, async () => {
    const files = { [MAIN]: main, ...(further !== undefined && { 'more.json': further }) }
    assert.match(await problem(files, further && 'more.json'), message)
  })
}

test('a further file that is named must be there', async () => {
  const message = await problem({ [MAIN]: '{}' }, 'none.json')
  assert.match(message, /^athenz\.ts\.further_templates_fname: .*none\.json cannot be read: ENOENT/)
})
