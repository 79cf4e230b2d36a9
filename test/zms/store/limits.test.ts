import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BYTE_LIMITS, TEXT_LIMITS } from '#zms/store/limits.ts'

interface Columns {
  readonly zms: Readonly<Record<string, { columns: readonly { name: string; type: string }[] }>>
}

const { zms: tables } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../database/columns.json'), 'utf8'),
) as Columns

/** Tables in which the texts of each type of object are, with the columns that are not named after the member. */
const PLACES: Readonly<Record<keyof typeof TEXT_LIMITS, [tables: string[], columns?: Record<string, string>]>> = {
  domain: [
    ['domain'],
    { id: 'uuid', x509CertSignerKeyId: 'x509_cert_signer_keyid', sshCertSignerKeyId: 'ssh_cert_signer_keyid' },
  ],
  role: [['role']],
  group: [['principal_group']],
  member: [
    ['role_member', 'principal_group_member', 'principal'],
    { memberName: 'name', requestPrincipal: 'req_principal' },
  ],
  pendingMember: [
    ['pending_role_member', 'pending_principal_group_member', 'principal'],
    { memberName: 'name', requestPrincipal: 'req_principal' },
  ],
  audit: [['role_audit_log', 'principal_group_audit_log']],
  policy: [['policy']],
  assertion: [['assertion']],
  service: [
    ['service'],
    {
      user: 'svc_user',
      group: 'svc_group',
      x509CertSignerKeyId: 'x509_cert_signer_keyid',
      sshCertSignerKeyId: 'ssh_cert_signer_keyid',
    },
  ],
  entity: [['entity']],
  condition: [['assertion_condition']],
  tag: [['domain_tags', 'role_tags', 'group_tags', 'policy_tags', 'service_tags']],
  contact: [['domain_contacts']],
  publicKey: [['public_key']],
  host: [['host']],
  template: [['domain_template']],
  dependency: [['service_domain_dependency']],
  principal: [['principal']],
  resourceOwnership: [['domain', 'role', 'principal_group', 'policy', 'service'], { text: 'resource_owner' }],
}

const snakeCase = (text: string) => text.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Sizes of the columns of that name in the tables; those of text columns of any size are left out. */
const sizesOf = (names: readonly string[], column: string) =>
  names.flatMap((name) => {
    const type = tables[name]?.columns.find((each) => each.name === column)?.type
    const size = /^varchar\((\d+)\)$/.exec(type ?? '')?.[1]
    return size === undefined ? [] : [Number(size)]
  })

describe('limits of texts', () => {
  for (const [object, limits] of Object.entries(TEXT_LIMITS) as [keyof typeof TEXT_LIMITS, object][]) {
    test(`of a ${object} are the sizes of the columns`, () => {
      const [names, columns = {}] = PLACES[object]
      for (const [member, limit] of Object.entries(limits)) {
        const sizes = new Set(sizesOf(names, columns[member] ?? snakeCase(member)))
        assert.deepEqual([member, ...sizes], [member, limit])
      }
    })

    test(`of a ${object} leave out no text column`, () => {
      const [names, columns = {}] = PLACES[object]
      const limited = new Set(Object.keys(limits).map((member) => columns[member] ?? snakeCase(member)))
      const all = names.flatMap((name) =>
        (tables[name]?.columns ?? []).filter(({ type }) => type.startsWith('varchar')),
      )
      const missing = all.map(({ name }) => name).filter((name) => !limited.has(name))
      const expected = object === 'resourceOwnership' ? missing : missing.filter((name) => name === 'resource_owner')
      assert.deepEqual(missing, expected)
    })
  }

  test('of keys and entities are those of their columns in bytes', () => {
    const typeOf = (table: string, column: string) => tables[table]?.columns.find(({ name }) => name === column)?.type
    assert.equal(typeOf('public_key', 'key_value'), 'mediumtext')
    assert.equal(typeOf('entity', 'value'), 'mediumtext')
    assert.deepEqual(BYTE_LIMITS, { publicKey: 2 ** 24 - 1, entity: 2 ** 24 - 1 })
  })
})
