import type { Authority } from '../authority/authority.ts'
import type { SharedConfig } from '../config/server-tables.ts'
import { badRequest, unauthorized } from '../error/service-error.ts'
import { isSpecialPort } from './container.ts'
import type { Endpoint, RequestContext } from './endpoint.ts'

type Ports = SharedConfig['container']

/** 400 for an operation that read-only mode refuses while that is on. */
export function requireWritable({ writes }: Endpoint, readOnly: { readonly value: boolean }): void {
  if (writes && readOnly.value) {
    throw badRequest('Server in Maintenance Read-Only mode. Please try your request later')
  }
}

/** 400 when the status operation is asked for elsewhere than on the status port, or another one there. */
export function requireStatusPort({ operation }: Endpoint, ports: Ports, { localPort }: RequestContext): void {
  if (localPort === undefined || !isSpecialPort(ports.statusPort, ports)) return
  const isStatus = operation === 'getStatus'
  if (isStatus === (localPort === ports.statusPort)) return
  throw badRequest(`incorrect port number for a ${isStatus ? 'status' : 'non-status'} request`)
}

/** 401 when the user authority does not know a user any more, or has locked the user out. */
export async function requireValidUser(authority: Authority, user: string): Promise<void> {
  if (((await authority.userType?.(user)) ?? 'active') !== 'active') throw unauthorized('user is not valid')
}
