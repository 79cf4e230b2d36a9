import { serviceFullName } from '#core/names/resource-name.ts'
import type { Service } from '../store/model.ts'
import { filled } from './role-reply.ts'
import { compact, ownershipReply, tagsReply, timestamp } from './wire-form.ts'

/** Which of the lists that a service holds are shown. */
export interface ServiceParts {
  publicKeys: boolean
  hosts: boolean
}

/** A service as the API writes it. Credentials are never among it: whoever may see them adds them. */
export function serviceReply(
  domain: string,
  service: Service,
  { publicKeys, hosts }: ServiceParts = { publicKeys: true, hosts: true },
): Record<string, unknown> {
  return compact({
    name: serviceFullName(domain, service.name),
    description: service.description,
    publicKeys: publicKeys ? filled([...service.publicKeys].map(([id, key]) => ({ key, id }))) : undefined,
    providerEndpoint: service.providerEndpoint,
    modified: timestamp(service.modified),
    executable: service.executable,
    hosts: hosts ? filled([...service.hosts]) : undefined,
    user: service.user,
    group: service.group,
    tags: tagsReply(service.tags),
    resourceOwnership: ownershipReply(service.resourceOwnership),
    x509CertSignerKeyId: service.x509CertSignerKeyId,
    sshCertSignerKeyId: service.sshCertSignerKeyId,
    clientId: service.clientId,
    featureFlags: service.featureFlags,
  })
}
