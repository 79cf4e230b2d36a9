import type { MutableService } from '../change.ts'
import type { ServiceBase } from '../model.ts'
import { SmallMap } from '../small-map.ts'
import { ensureNames, HOSTS, insertRows } from './bulk.ts'
import { assignmentsOf, columnsOf, identityOf, namesOf, places, type Row, readObject, valuesOf } from './columns.ts'
import { type LoadStep, readTags } from './draft.ts'
import type { Run, WriteScope } from './scope.ts'
import { sameTags, writeTags } from './tags.ts'

const column = columnsOf<ServiceBase>()

/** Columns of the settings of a service. */
export const SERVICE_COLUMNS = [
  column.text('description', 'description'),
  column.text('provider_endpoint', 'providerEndpoint'),
  column.text('executable', 'executable'),
  column.text('svc_user', 'user'),
  column.text('svc_group', 'group'),
  column.ownership('resource_owner', 'resourceOwnership'),
  column.text('x509_cert_signer_keyid', 'x509CertSignerKeyId'),
  column.text('ssh_cert_signer_keyid', 'sshCertSignerKeyId'),
  column.text('creds', 'creds'),
  column.text('client_id', 'clientId'),
  column.number('feature_flags', 'featureFlags'),
]

const SERVICE_TAGS = { table: 'service_tags', id: 'service_id' }

const KEY_OF_SERVICE = 'SELECT service_id AS id FROM service WHERE domain_id = ? AND name = ?'
const UPDATE_SERVICE = `UPDATE service SET ${assignmentsOf(SERVICE_COLUMNS)}, modified = ? WHERE domain_id = ? AND name = ?`
const INSERT_SERVICE = `INSERT INTO service (${namesOf(SERVICE_COLUMNS)}, modified, created, domain_id, name)
  VALUES (${places(SERVICE_COLUMNS.length + 4)})`
const PUT_PUBLIC_KEY = `INSERT INTO public_key (service_id, key_id, key_value)
  SELECT service_id, ?, ? FROM service WHERE domain_id = ? AND name = ?
  ON DUPLICATE KEY UPDATE key_value = VALUES(key_value)`
const DELETE_PUBLIC_KEY = `DELETE FROM public_key
  WHERE service_id = (SELECT service_id FROM service WHERE domain_id = ? AND name = ?) AND key_id = ?`

interface KeyRow {
  id: number
  key_id: string
  key_value: string
}

/** Queries for all services of a domain, with their keys and hosts. */
export const serviceLoadSteps: LoadStep[] = [
  {
    sql: `SELECT service_id, name, modified, created, ${namesOf(SERVICE_COLUMNS)} FROM service WHERE domain_id = ?`,
    read(rows, { services, domain }) {
      for (const row of rows as readonly Row[]) {
        const identity = identityOf(row)
        const held = { publicKeys: new SmallMap<string, string>(), hosts: new Set<string>() }
        const service: MutableService = { ...readObject(SERVICE_COLUMNS, row), ...identity, ...held }
        services.set(row['service_id'] as number, service)
        domain.services.set(identity.name, service)
      }
    },
  },
  {
    sql: `SELECT t.service_id AS id, t.\`key\`, t.value FROM service s JOIN service_tags t ON t.service_id = s.service_id
          WHERE s.domain_id = ?`,
    read: (rows, { services }) => readTags(rows, (id) => services.get(id)),
  },
  {
    sql: `SELECT k.service_id AS id, k.key_id, k.key_value FROM service s JOIN public_key k ON k.service_id = s.service_id
          WHERE s.domain_id = ?`,
    read(rows, { services }) {
      for (const { id, key_id: keyId, key_value: key } of rows as readonly KeyRow[]) {
        services.get(id)?.publicKeys.set(keyId, key)
      }
    },
  },
  {
    sql: `SELECT sh.service_id AS id, h.name FROM service s JOIN service_host sh ON sh.service_id = s.service_id
          JOIN host h ON h.host_id = sh.host_id WHERE s.domain_id = ?`,
    read(rows, { services }) {
      for (const { id, name } of rows as readonly { id: number; name: string }[]) {
        const service = services.get(id)
        if (service) (service.hosts as Set<string>).add(name)
      }
    },
  },
]

async function keyOf(scope: WriteScope, domain: string, service: string): Promise<number | undefined> {
  const [row] = await scope.connection.rows<{ id: number }>(KEY_OF_SERVICE, [scope.domainId(domain), service])
  return row?.id
}

/** Writers of changes of services. */
export const serviceWriters = {
  async putService(scope: WriteScope, run: Run<'putService'>) {
    for (const { domain, value } of run) {
      const key = [scope.domainId(domain), value.name]
      const values = valuesOf(SERVICE_COLUMNS, value)
      scope.settle('service', domain, value.name)
      const { found } = await scope.connection.change(UPDATE_SERVICE, [...values, scope.at, ...key])
      const stored = scope.storedTags(`service:${value.name}`, domain, ({ services }) => services.get(value.name))
      if (found === 0) {
        const { insertId } = await scope.connection.change(INSERT_SERVICE, [...values, scope.at, scope.at, ...key])
        if (value.tags?.size) await writeTags(scope, SERVICE_TAGS, insertId, value.tags)
      } else if (!sameTags(value.tags, stored)) {
        const id = await keyOf(scope, domain, value.name)
        if (id !== undefined) await writeTags(scope, SERVICE_TAGS, id, value.tags)
      }
    }
  },
  async deleteService(scope: WriteScope, run: Run<'deleteService'>) {
    for (const { domain, service } of run) {
      await scope.connection.change('DELETE FROM service WHERE domain_id = ? AND name = ?', [
        scope.domainId(domain),
        service,
      ])
    }
  },
  async putPublicKey(scope: WriteScope, run: Run<'putPublicKey'>) {
    for (const { domain, service, keyId, key } of run) {
      scope.touch('service', domain, service)
      await scope.connection.change(PUT_PUBLIC_KEY, [keyId, key, scope.domainId(domain), service])
    }
  },
  async deletePublicKey(scope: WriteScope, run: Run<'deletePublicKey'>) {
    for (const { domain, service, keyId } of run) {
      scope.touch('service', domain, service)
      await scope.connection.change(DELETE_PUBLIC_KEY, [scope.domainId(domain), service, keyId])
    }
  },
  async putHosts(scope: WriteScope, run: Run<'putHosts'>) {
    for (const { domain, service, hosts } of run) {
      scope.touch('service', domain, service)
      const id = await keyOf(scope, domain, service)
      if (id === undefined) continue
      await scope.connection.change('DELETE FROM service_host WHERE service_id = ?', [id])
      const hostIds = await ensureNames(scope.connection, HOSTS, [...hosts])
      const rows = [...new Set(hostIds.values())].map((hostId) => [id, hostId])
      await insertRows(scope.connection, 'service_host (service_id, host_id)', rows)
    }
  },
}
