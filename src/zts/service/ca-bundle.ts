import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { caBundleEndpoints } from '../api/ca-bundle.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Certificates of authorities by the name of their bundle. */
export function caBundleService({ caBundles }: Pick<ZtsDependencies, 'caBundles'>): Handlers<typeof caBundleEndpoints> {
  return {
    getCertificateAuthorityBundle({ params: { name } }) {
      const certs = caBundles.get(name)
      if (certs === undefined) throw notFound(`getCertificateAuthorityBundle: No such bundle: ${name}`)
      return ok({ name, certs })
    },
  }
}
