import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { type Program, programInfo } from '#core/http/program-info.ts'
import { type StatusChecker, serverStatus } from '#core/http/server-status.ts'
import { ztsRdlSchema } from '../api/rdl-schema.ts'
import type { systemEndpoints } from '../api/system.ts'
import type { CertificateSigner } from '../cert/certificate-signer.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** What the operations about the server itself look at. */
export interface SystemParts {
  readonly program: Program
  /** A plug-in that has a say in the status. */
  readonly statusChecker?: StatusChecker | undefined
  /** Asked for the certificate of its authority by those who want to know whether the server works, if that is configured. */
  readonly certificateSigner?: Pick<CertificateSigner, 'caCertificate'> | undefined
}

/** The server itself. */
export function systemService(
  { config, log }: Pick<ZtsDependencies, 'config' | 'log'>,
  { program, statusChecker, certificateSigner }: SystemParts,
): Handlers<typeof systemEndpoints> {
  const { healthCheckPath: healthFile, statusCertSigner } = config.zts
  const schema = ztsRdlSchema()
  let schemaText: string | undefined

  /** Whether the signer has a certificate of its authority to show, as it has when it works. */
  async function isSignerAnswering(): Promise<boolean> {
    try {
      return (await certificateSigner?.caCertificate(undefined, undefined)) !== undefined
    } catch (error) {
      log('warn', `status: the certificate signer does not answer: ${String(error)}`)
      return false
    }
  }

  return {
    async getStatus() {
      if (statusCertSigner && !(await isSignerAnswering())) throw notFound('Unable to communicate with cert signer')
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
