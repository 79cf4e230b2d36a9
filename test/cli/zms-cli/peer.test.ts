import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { ADMIN } from '../../acceptance/describe-zms-cli.ts'
import { walkLines } from '../../acceptance/zms-cli-walk.ts'
import { athenzTools } from '../../support/athenz-tools.ts'
import { type DevServers, startDevServers } from '../../support/dev-servers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { OURS, type ToolAnswer, ZmsCli } from '../../support/zms-cli.ts'

/** What we do otherwise on purpose, by the beginning of the command, and why. */
const DIFFERENCES: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^version/, 'it is another tool'],
  [/^get-user-token/, 'the words for a caller without a token are ours'],
  [/ add-policy bad grant read readers$/, 'words for what the tool itself refuses are ours'],
  [
    / show-domain$|^show-domain sports$|^show-domain-attrs/,
    'the original clears the Slack channel and other settings with set-application-id and set-business-service',
  ],
  [/ show-roles(?: |$)/, 'the original clears the description of a role with every other setting'],
  [/^import-domain /, 'progress is told in our words'],
]

/** Commands with which the original ends in a panic, or does nothing; ours answer. */
const CRASHES: readonly (readonly [command: string, answer: RegExp])[] = [
  ['list-roles-for-review user.owner', /^list: \[\]$/m],
  ['list-groups-for-review user.owner', /^list: \[\]$/m],
  ['-d lonely search-services ap true', /^services:\n {4}- name: lonely\.api$/m],
  ['show-server-template bare', /^template:\n {4}roles:\n {4}policies:$/m],
]

const READS = /^(?:show-|list-|get-|check-|lookup-|overdue-)/
const COMMAND = /^(?:-[drao] \S+ |-v )*(\S+)/

/** What differs between two servers, and between two runs on one. */
const steady = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '<time>')
    .replaceAll(/(?<="id": |\bid: )\d+/g, '<number>')
    .replaceAll(/(?<=(?:ETag|signature|keyId): ).*/g, '<of the server>')
    // The original writes what an entity holds in another order each time.
    .replaceAll(/(?: +- key: .*\n +data: .*\n)+/g, (pairs) => (pairs.match(/.*\n.*\n/g) ?? []).sort().join(''))

/** JSON and YAML for programs have no order of members, and the original does not know the newest of them. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const known = Object.entries(value).filter(([name]) => name.toLowerCase() !== 'clientidselfupdate')
  return Object.fromEntries(known.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]))
}

const forPrograms = ({ output }: ToolAnswer): unknown => {
  try {
    return sorted(parse(steady(output)))
  } catch {
    return output
  }
}

const original = await athenzTools(['zms-cli'])

describe("zms-cli beside the original's", { skip: 'skipped' in original && original.skipped }, () => {
  const folder = temporaryFolder()
  const [key, yaml] = [join(folder, 'key.pem'), join(folder, 'domain.yaml')]
  const running: { servers: DevServers; tool: ZmsCli }[] = []

  before(async () => {
    const templates = join(folder, 'templates.json')
    await writeFile(templates, JSON.stringify({ templates: { bare: { roles: [], policies: [] } } }))
    const settings = {
      'athenz.ts.further_templates_fname': templates,
      'athenz.zms.domain_contact_types': 'security-contact,product-owner',
    }
    for (const tools of ['folder' in original ? original.folder : '', OURS]) {
      const place = join(folder, String(running.length))
      const servers = await startDevServers({ dir: join(place, 'servers'), zts: false, settings })
      running.push({ servers, tool: new ZmsCli(tools, servers.summary, place) })
    }
    const { key: privateKey } = await ours().certificate(ADMIN)
    await writeFile(key, createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }))
  })
  after(async () => {
    for (const { servers } of running) await servers[Symbol.asyncDispose]()
  })

  const ours = (): ZmsCli => {
    const [, second] = running
    assert.ok(second)
    return second.tool
  }

  /** Runs a command with both tools, each on its own server: first the original's, then ours. */
  const both = async (command: string): Promise<[theirs: ToolAnswer, own: ToolAnswer]> => {
    const answers = running.map(({ tool }, index) => tool.run(ADMIN, command.replace('{yaml}', `${yaml}${index}`)))
    return (await Promise.all(answers)) as [ToolAnswer, ToolAnswer]
  }

  test('has the same commands', async () => {
    const [theirs, own] = (await both('help')).map(
      ({ output }) => new Set(Array.from(output.matchAll(/^ {3}([a-z][a-z0-9-]+)/gm), ([, command]) => command)),
    )
    assert.deepEqual(own, theirs)
  })

  test('answers every command alike, in every form, and ends alike', async () => {
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString()
    const problems: string[] = []
    const compare = (command: string, theirs: unknown, own: unknown) => {
      try {
        assert.deepEqual(own, theirs)
      } catch (error) {
        problems.push(`${command}: ${(error as Error).message}`)
      }
    }
    const inForms = new Set<string>()
    for (const { command } of walkLines()) {
      const line = command.replace('{soon}', soon).replace('{key}', key)
      const [theirs, own] = await both(line)
      compare(`status of ${line}`, theirs.status, own.status)
      if (DIFFERENCES.some(([pattern]) => pattern.test(line))) continue
      if (/-o (?:json|yaml)/.test(line)) compare(line, forPrograms(theirs), forPrograms(own))
      else compare(line, steady(theirs.output), steady(own.output))
      const name = COMMAND.exec(line)?.[1] ?? ''
      if (theirs.status !== 0 || !READS.test(name) || inForms.has(name) || /-o |-v /.test(line)) continue
      inForms.add(name)
      const compareForm = async (form: string) => {
        const [formed, ownFormed] = await both(`${form} ${line}`)
        const plain = form === '-v' ? ({ output }: ToolAnswer) => steady(output) : forPrograms
        compare(`${form} ${line}`, plain(formed), plain(ownFormed))
      }
      await Promise.all(['-o json', '-o yaml', '-v'].map(compareForm))
    }
    assert.deepEqual(problems, [])
  })

  test('answers where the original gives up', async () => {
    await ours().prints(ADMIN, 'add-domain lonely 9', '[domain created: lonely]')
    assert.equal((await ours().run(ADMIN, `-d lonely add-service api v0 ${key}`)).status, 0)
    for (const [command, answer] of CRASHES) {
      const { status, output } = await ours().run(ADMIN, command)
      assert.match(output, answer, command)
      assert.equal(status, 0, command)
    }
  })
})
