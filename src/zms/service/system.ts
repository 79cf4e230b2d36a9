import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { type Program, programInfo } from '#core/http/program-info.ts'
import { type StatusChecker, serverStatus } from '#core/http/server-status.ts'
import { zmsRdlSchema } from '../api/rdl-schema.ts'
import type { systemEndpoints } from '../api/system.ts'
import type { ZmsDependencies } from './dependencies.ts'

/** What the operations about the server itself look at. */
export interface SystemParts {
  /** Whether the store answers. */
  readonly health: { readonly healthy: boolean }
  readonly program: Program
  /** A plug-in that has a say in the status. */
  readonly statusChecker?: StatusChecker | undefined
}

/** The server itself. */
export function systemService(deps: ZmsDependencies, parts: SystemParts): Handlers<typeof systemEndpoints> {
  const { healthCheckPath: healthFile } = deps.config.zms
  const schema = zmsRdlSchema()
  let schemaText: string | undefined
  return {
    async getStatus() {
      if (!parts.health.healthy) throw notFound('Error - no domains available')
      return serverStatus({ healthFile, statusChecker: parts.statusChecker })
    },

    getInfo: () => ok(programInfo(parts.program)),

    getUserAuthorityAttributeMap() {
      const { userAuthority } = deps
      if (!userAuthority) return ok({ attributes: {} })
      const bool = attributesReply(userAuthority.booleanAttributes?.())
      const date = attributesReply(userAuthority.dateAttributes?.())
      return ok({ attributes: { bool, date } })
    },

    getRdlSchema() {
      // Anybody may ask for it, so that it must not cost much.
      schemaText ??= JSON.stringify(schema())
      return ok(schemaText)
    },
  }
}

const attributesReply = (names: ReadonlySet<string> = new Set()) => ({ values: [...names].sort() })
