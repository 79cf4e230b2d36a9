import type { ServiceIdentity } from '#zms/api/service-identity.ts'
import { fields, indented, item } from './lines.ts'

/** A service as the lines of a list item. */
export function serviceLines(service: ServiceIdentity): string[] {
  const { publicKeys = [], hosts } = service
  const keys = publicKeys.flatMap(({ id, key }) => item([`keyId: ${id}`, `value: ${key}`]))
  return item([
    `name: ${service.name}`,
    ...fields([
      ['modified', service.modified],
      ['executable', service.executable],
      ['user', service.user],
      ['group', service.group],
      ['providerEndpoint', service.providerEndpoint],
      ['hosts', hosts && `[${hosts.join(', ')}]`],
    ]),
    ...(keys.length === 0 ? ['publicKeys: []'] : ['publicKeys: ', ...indented(2, keys)]),
  ])
}
