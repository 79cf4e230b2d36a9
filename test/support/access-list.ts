import type { Endpoint } from '#core/http/endpoint.ts'

const rule = ({ access }: Endpoint): string => {
  if (access.kind === 'authorize') return `${access.action} @ ${access.resource}`
  return access.kind === 'authenticate' ? 'authenticated' : `anonymous: ${access.reason}`
}

/** Who may call what, one line per operation in the order of the names. */
export const accessList = (endpoints: Readonly<Record<string, Endpoint>>): string =>
  Object.values(endpoints)
    .map((endpoint) => `${endpoint.operation} ${endpoint.method} ${endpoint.path} ${rule(endpoint)}\n`)
    .sort()
    .join('')
