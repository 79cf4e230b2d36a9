import { parseYBase64 } from '#core/crypto/ybase64.ts'
import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { formatTimestamp } from '#core/http/wire.ts'
import { requireName } from '#core/names/require-name.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { ServiceIdentity, serviceIdentityEndpoints } from '../api/service-identity.ts'
import type { CachedDomain, CachedService } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Services and their public keys. */
export function serviceIdentityService({
  domains,
}: Pick<ZtsDependencies, 'domains'>): Handlers<typeof serviceIdentityEndpoints> {
  function domainOf(name: string): CachedDomain {
    const domain = domains.get(name)
    if (domain === undefined) throw notFound(`Domain not found: '${name}'`)
    return domain
  }

  return {
    getServiceIdentity({ params: { domainName, serviceName } }) {
      // The published type allows periods.
      requireName('SimpleName', serviceName)
      const service = domainOf(domainName).services.get(serviceName)
      const fullName = serviceFullName(domainName, serviceName)
      if (service === undefined) throw notFound(`Service not found: '${fullName}'`)
      return ok(serviceReply(fullName, service))
    },

    getServiceIdentityList({ params: { domainName } }) {
      return ok({ names: [...domainOf(domainName).services.keys()] })
    },

    getPublicKeyEntry({ params: { domainName, serviceName, keyId } }) {
      const key = domains.get(domainName)?.services.get(serviceName)?.publicKeys.get(keyId)
      if (key === undefined || typeof parseYBase64(key) === 'string') throw notFound('Public Key not found')
      return ok({ key, id: keyId })
    },
  }
}

/** What there is of it: as everywhere in the API, empty texts and lists are left out. */
function serviceReply(name: string, service: CachedService): ServiceIdentity {
  const { publicKeys, modified, hosts } = service
  return {
    name,
    publicKeys: publicKeys.size > 0 ? [...publicKeys].map(([id, key]) => ({ key, id })) : undefined,
    providerEndpoint: unlessEmpty(service.providerEndpoint),
    modified: modified === undefined ? undefined : formatTimestamp(modified),
    executable: unlessEmpty(service.executable),
    hosts: hosts !== undefined && hosts.length > 0 ? [...hosts] : undefined,
    user: unlessEmpty(service.user),
    group: unlessEmpty(service.group),
  }
}

const unlessEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)
