import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { declarationsOf } from '#core/config/declarations.ts'
import { DynamicValue } from '#core/config/dynamic.ts'
import { parseProperties } from '#core/config/properties.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import type { ServerName } from '#core/config/server-tables.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { CONF_FOLDER, EXAMPLE_FILES, renderExampleFile } from './example-files.ts'

const RECORDED_READS = join(import.meta.dirname, '../../database/reads.json')
const ENV = { USER: 'joe' }
const content = (path: string) => readFileSync(join(CONF_FOLDER, path), 'utf8')
const json = (path: string): unknown => JSON.parse(content(path))
const filesOf = (server: ServerName) => EXAMPLE_FILES.filter((file) => file.server === server)

/** The value with what dynamic settings hold, which a comparison would not look into. */
const plain = (value: unknown): unknown => {
  if (value instanceof DynamicValue) return { dynamic: value.value }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

for (const file of EXAMPLE_FILES) {
  it(`conf/${file.path} is what the tables say (bin/run test/core/config/example-files.ts writes it)`, () => {
    assert.equal(content(file.path), renderExampleFile(file))
  })
}

for (const server of ['zms', 'zts', 'ui'] as const) {
  describe(`the example files of ${server}`, () => {
    it('name every known key once', () => {
      const keys = filesOf(server).flatMap((file) =>
        content(file.path)
          .split('\n')
          .map((line) => /^#?([a-z][\w.-]*)=/i.exec(line)?.[1])
          .filter((key) => key !== undefined),
      )
      assert.deepEqual(keys.sort(), [...declarationsOf(server).keys()].sort())
    })

    it('load without problem or warning', async () => {
      const { warnings, properties } = await loadServerConfig({
        server,
        rootDir: join(CONF_FOLDER, '..'),
        env: ENV,
        hostname: 'h',
      })
      assert.deepEqual(warnings, [])
      for (const file of filesOf(server)) {
        for (const key of file.active.keys()) assert.notEqual(properties.origin(key), 'default', key)
      }
    })

    it('show the true defaults: with every line in force the configuration is that of an empty file', async () => {
      const folder = temporaryFolder()
      const options = { server, rootDir: folder, env: ENV, hostname: 'h' } as const
      const files = filesOf(server).map((file) => {
        const path = join(folder, file.kind)
        // Active lines go; of the comments those with a value become lines.
        const lines = content(file.path)
          .split('\n')
          .filter((line) => line.startsWith('#'))
          .map((line) => line.replace(/^#(?=[a-z][\w.-]*=)/i, ''))
        writeFileSync(path, lines.join('\n'))
        const empty = [...parseProperties(Buffer.from(lines.join('\n')), path, ENV).entries].filter(
          ([, entry]) => entry.value !== '',
        )
        assert.ok(empty.length > 20)
        return path
      })
      const uncommented = await loadServerConfig({ ...options, files })
      const defaults = await loadServerConfig({ ...options, files: [] })
      assert.deepEqual(plain(uncommented.config), plain(defaults.config))
      assert.deepEqual(
        uncommented.warnings.filter((line) => !line.includes('has no effect: ')),
        [],
      )
    })
  })
}

describe('conf/zms_server/solution_templates.json', () => {
  const { templates } = json('zms_server/solution_templates.json') as {
    templates: Record<string, { metadata?: object; roles: { name: string }[]; policies: { name: string }[] }>
  }

  it('has the templates of the original, as the original gives them out', () => {
    const recorded = (JSON.parse(readFileSync(RECORDED_READS, 'utf8')) as { path: string; body: unknown }[]).filter(
      ({ path }) => /^\/template(\/|$)/.test(path),
    )
    const body = (path: string) => recorded.find((read) => read.path === path)?.body
    assert.deepEqual(body('/template'), { templateNames: Object.keys(templates) })
    for (const [name, template] of Object.entries(templates)) assert.deepEqual(template, body(`/template/${name}`))
  })

  it('has in each template policies about its own roles', () => {
    for (const template of Object.values(templates)) {
      const roles = template.roles.map(({ name }) => name.replace('_domain_:role.', ''))
      assert.deepEqual(
        template.policies.map(({ name }) => name.replace('_domain_:policy.', '')),
        roles,
      )
    }
  })
})

describe('conf/zms_server/authorized_services.json', () => {
  it('authorizes the user interface and an example', () => {
    const { services } = json('zms_server/authorized_services.json') as {
      services: Record<string, { allowedOperations: { name: string; items?: object }[] }>
    }
    const counts = Object.entries(services).map(([name, { allowedOperations }]) => [name, allowedOperations.length])
    const names = Object.keys(zmsEndpoints).map((operation) => operation.toLowerCase())
    // The file knows one operation by another name, as the original does.
    const operations = new Set([...names, 'putservicesystemmeta'])
    assert.deepEqual(counts, [
      ['athenz.ci-test', 2],
      ['athenz.ui-server', 24],
      ['sys.auth.ui-server', 46],
    ])
    for (const { allowedOperations } of Object.values(services)) {
      for (const { name } of allowedOperations) assert.ok(operations.has(name), name)
    }
  })
})

describe('conf/zts_server/athenz.conf', () => {
  it('has the members that readers expect', () => {
    assert.deepEqual(Object.keys(json('zts_server/athenz.conf') as object), [
      'zmsUrl',
      'ztsUrl',
      'zmsPublicKeys',
      'ztsPublicKeys',
    ])
  })
})
