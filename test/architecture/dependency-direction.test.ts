import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { wrongImports } from './direction.ts'
import { readSources, sourceOf } from './sources.ts'

test('dependencies point one way', async () => {
  assert.deepEqual(wrongImports(await readSources('src')), [])
})

describe('what points the wrong way is found', () => {
  const cases: readonly [string, string, string][] = [
    ['a pure room reads files', 'src/core/names/name.ts', "import { readFile } from 'node:fs/promises'"],
    ['a pure room reaches the database', 'src/core/rbac/evaluate.ts', "import { createPool } from 'mysql2/promise'"],
    ['names know tokens', 'src/core/names/name.ts', "import { x } from '../token/x.ts'"],
    ['a token knows HTTP', 'src/core/token/t.ts', "import { x } from '#core/http/x.ts'"],
    ['core knows a server', 'src/core/http/x.ts', "import { x } from '#zms/service/x.ts'"],
    ['a declaration knows a service', 'src/zms/api/role.ts', "import { x } from '../service/x.ts'"],
    ['a declaration uses a package', 'src/zms/api/role.ts', "import { x } from 'fastify'"],
    ['a service knows a back end', 'src/zms/service/role.ts', "import { x } from '../store/mysql/x.ts'"],
    ['a service knows the main program', 'src/zms/service/role.ts', "import { x } from '../main.ts'"],
    ['the contract knows a back end', 'src/zms/store/store.ts', "import { x } from './file/x.ts'"],
    ['a back end knows another', 'src/zms/store/file/x.ts', "import { x } from '../mysql/x.ts'"],
    ['a back end knows a service', 'src/zms/store/mysql/x.ts', "import { x } from '../../service/x.ts'"],
    ['a back end knows HTTP', 'src/zms/store/mysql/x.ts', "import { x } from '#core/http/x.ts'"],
    ['domains in memory know their source', 'src/zts/cache/domains.ts', "import { x } from '../sync/x.ts'"],
    ['the source of domains knows a service', 'src/zts/sync/x.ts', "import { x } from '../service/x.ts'"],
    ['a signer knows a declaration', 'src/zts/cert/signers/x.ts', "import { x } from '../../api/x.ts'"],
    ['a service knows the source of domains', 'src/zts/service/x.ts', "import { x } from '../sync/x.ts'"],
    ['a service knows a back end of records', 'src/zts/service/x.ts', "import { x } from '../store/memory/x.ts'"],
    ['ZTS knows ZMS', 'src/zts/service/x.ts', "import { x } from '#zms/api/x.ts'"],
    ['ZMS knows ZTS', 'src/zms/main.ts', "export * from '#zts/api/x.ts'"],
    ['the client knows a service', 'src/client/x.ts', "const x = await import('../zms/service/x.ts')"],
    ['a command knows a store', 'src/cli/x.ts', "import type { X } from '../zms/store/store.ts'"],
    ['a source knows a test', 'src/core/config/x.ts', "import '../../../test/support/x.ts'"],
  ]
  for (const [what, path, text] of cases) {
    test(what, () => {
      const found = wrongImports([sourceOf(path, text)])
      assert.equal(found.length, 1, JSON.stringify(found))
    })
  }
})

describe('what points the right way passes', () => {
  const cases: readonly [string, string, string][] = [
    ['a service and the store contract', 'src/zms/service/role.ts', "import type { Store } from '../store/store.ts'"],
    ['a service and its declaration', 'src/zms/service/role.ts', "import { x } from '../api/role.ts'"],
    ['a back end and the contract', 'src/zms/store/mysql/x.ts', "import type { Store } from '../store.ts'"],
    ['a main program and a back end', 'src/zms/main.ts', "import { x } from './store/mysql/x.ts'"],
    ['ZTS and the client', 'src/zts/main.ts', "import { x } from '../client/x.ts'"],
    ['a command and core', 'src/cli/x.ts', "import { x } from '#core/config/x.ts'"],
    ['a word in a comment', 'src/core/names/x.ts', "// import { x } from 'node:fs'\n/* import 'mysql2' */"],
    ['a word in a text', 'src/core/names/x.ts', "const text = `to import 'node:fs' is wrong`"],
  ]
  for (const [what, path, text] of cases) {
    test(what, () => assert.deepEqual(wrongImports([sourceOf(path, text)]), []))
  }
})
