import { access } from 'node:fs/promises'
import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { zmsRdlSchema } from '../api/rdl-schema.ts'
import type { systemEndpoints } from '../api/system.ts'
import type { ZmsDependencies } from './dependencies.ts'

/** What the operations about the server itself look at. */
export interface SystemParts {
  /** Whether the store answers. */
  readonly health: { readonly healthy: boolean }
  /** The program that is running. */
  readonly program: { readonly name: string; readonly version: string; readonly vendor?: string }
  /** A plug-in that has a say in the status. */
  readonly statusChecker?: StatusChecker | undefined
}

/** Says whether the server may be sent requests, beyond what it finds out itself. */
export interface StatusChecker {
  /** Throws a ServiceError, which is answered, when it may not. */
  check(): Promise<void> | void
}

/** The server itself. */
export function systemService(deps: ZmsDependencies, parts: SystemParts): Handlers<typeof systemEndpoints> {
  const { healthCheckPath } = deps.config.zms
  const schema = zmsRdlSchema()
  let schemaText: string | undefined
  return {
    async getStatus() {
      if (!parts.health.healthy) throw notFound('Error - no domains available')
      if (healthCheckPath !== undefined && !(await exists(healthCheckPath))) {
        throw notFound('Error - no status available')
      }
      await parts.statusChecker?.check()
      return ok({ code: 200, message: 'OK' })
    },

    getInfo() {
      const { name, version, vendor } = parts.program
      return ok({
        buildJdkSpec: process.version,
        implementationTitle: name,
        implementationVersion: version,
        ...(vendor !== undefined && { implementationVendor: vendor }),
      })
    },

    getUserAuthorityAttributeMap() {
      const { userAuthority } = deps
      const kinds = [
        ['bool', userAuthority?.booleanAttributes?.()],
        ['date', userAuthority?.dateAttributes?.()],
      ] as const
      const known = kinds.flatMap(([kind, names]) =>
        names && names.size > 0 ? [[kind, { values: [...names].sort() }] as const] : [],
      )
      return ok({ attributes: Object.fromEntries(known) })
    },

    getRdlSchema() {
      // Anybody may ask for it, so that it must not cost much.
      schemaText ??= JSON.stringify(schema())
      return ok(schemaText)
    },
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}
