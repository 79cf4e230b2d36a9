import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { lowered, shown } from '#core/http/scalar-types.ts'
import { enumeration, int32, list, struct, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors, inDomain } from './parameters.ts'

/** Connections that a policy allows; the end point is an address, the ports are those of the service. */
export const TransportRule = struct('TransportRule', {
  endPoint: shown.text,
  sourcePortRange: shown.text,
  port: int32(),
  protocol: shown.text,
  direction: enumeration('TransportDirection', ['IN', 'OUT']),
})
export type TransportRule = ValueOf<typeof TransportRule>

/** Connections to and from a service. */
export const TransportRules = struct('TransportRules', {
  ingressRules: list(TransportRule),
  egressRules: list(TransportRule),
})
export type TransportRules = ValueOf<typeof TransportRules>

/** Rules for firewalls. Read-only mode refuses these, too. */
export const transportRulesEndpoints = {
  getTransportRules: endpoint({
    operation: 'getTransportRules',
    method: 'GET',
    path: '/domain/{domainName}/service/{serviceName}/transportRules',
    group: 'TransportRule',
    summary: 'Lists the connections that the policies of a domain allow to and from a service.',
    params: { ...inDomain, serviceName: lowered.entity },
    access: authenticate,
    responses: { 200: TransportRules },
    errors: checkedErrors,
    writes: true,
  }),
}
