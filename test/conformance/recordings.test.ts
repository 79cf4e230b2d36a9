import { test } from 'node:test'
import { replay } from './replay.ts'

for (const store of ['file', 'mysql'] as const) {
  test(`ZMS on the ${store} store answers and decides as recorded`, (context) =>
    replay(context, ['zms', 'decisions'], store))
}

// Some of each kind: members, pending ones, versions, lists over all domains, signed data, ownership, decisions.
const SEVERAL_SERVERS = [
  'access',
  'domain-meta',
  'group-pending',
  'policy-versions',
  'principal-roles',
  'quota',
  'resource-ownership',
  'role-membership',
  'service-public-keys',
  'signed-domains',
  'template',
  'tenancy',
]

test('two ZMS on one database, asked in turn, answer as recorded', (context) =>
  replay(context, ['zms'], 'mysql', ['--servers', '2', '--only', ...SEVERAL_SERVERS]))
