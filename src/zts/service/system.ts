import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { type Program, programInfo } from '#core/http/program-info.ts'
import { type StatusChecker, serverStatus } from '#core/http/server-status.ts'
import { ztsRdlSchema } from '../api/rdl-schema.ts'
import type { systemEndpoints } from '../api/system.ts'
import type { CertificateIssuer } from '../cert/certificate-issuer.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** What the operations about the server itself look at. */
export interface SystemParts {
  readonly program: Program
  /** A plug-in that has a say in the status. */
  readonly statusChecker?: StatusChecker | undefined
}

/** The server itself; the issuer of certificates is asked for those of its authority when the status shall tell whether it works. */
export function systemService(
  {
    config,
    certificateIssuer,
  }: Pick<ZtsDependencies, 'config'> & { readonly certificateIssuer: Pick<CertificateIssuer, 'caCertificate'> },
  { program, statusChecker }: SystemParts,
): Handlers<typeof systemEndpoints> {
  const { healthCheckPath: healthFile, statusCertSigner } = config.zts
  const schema = ztsRdlSchema()
  let schemaText: string | undefined

  return {
    async getStatus() {
      if (statusCertSigner && (await certificateIssuer.caCertificate(undefined, undefined)) === undefined) {
        throw notFound('Unable to communicate with cert signer')
      }
      return serverStatus({ healthFile, statusChecker })
    },

    getInfo: () => ok(programInfo(program)),

    getRdlSchema() {
      // Anybody may ask for it, so that it must not cost much.
      schemaText ??= JSON.stringify(schema())
      return ok(schemaText)
    },
  }
}
