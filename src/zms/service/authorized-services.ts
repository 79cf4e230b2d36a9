import { z } from 'zod'
import { forbidden } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'

/** What the file of authorized services looks like; unknown members are ignored. */
const AuthorizedServicesFile = z.object({
  services: z.record(
    z.string(),
    z.object({
      allowedOperations: z
        .array(z.object({ name: z.string(), items: z.record(z.string(), z.array(z.string())).nullish() }))
        .nullish(),
    }),
  ),
})

/** Kinds of items an allowed operation may be limited to. */
export type ItemKind = 'role' | 'group' | 'name'

/**
 * Services that may act for users with chained tokens, and which operations each may carry out. Applies to principals
 * with an authorized service only.
 */
export class AuthorizedServices {
  /** Service → lower-case operation → item kind → items; an operation without items is unrestricted. */
  readonly #services: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>>

  private constructor(services: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>>) {
    this.#services = services
  }

  /** Reads the JSON text of the file; throws an Error that says what is wrong with it. */
  static parse(text: string): AuthorizedServices {
    const file = AuthorizedServicesFile.parse(JSON.parse(text))
    return new AuthorizedServices(
      new Map(
        Object.entries(file.services).map(([service, { allowedOperations }]) => [
          service.toLowerCase(),
          new Map(
            (allowedOperations ?? []).map(({ name, items }) => [
              name.toLowerCase(),
              new Map(Object.entries(items ?? {})),
            ]),
          ),
        ]),
      ),
    )
  }

  /** No service is authorized. */
  static none(): AuthorizedServices {
    return new AuthorizedServices(new Map())
  }

  /** Whether the service is listed at all. */
  has(service: string): boolean {
    return this.#services.has(service.toLowerCase())
  }

  /**
   * 403 when the request comes through an authorized service that may not carry out this operation, or not on this
   * item. `item` is the short name of the role or group, or the name of a template.
   */
  check(context: RequestContext, kind?: ItemKind, item?: string): void {
    const service = context.principal?.authorizedService
    if (service === undefined) return
    const operations = this.#services.get(service.toLowerCase())
    if (!operations) throw forbidden(`Unauthorized Service ${service}`)
    const items = operations.get(context.api)
    const refusal = `Unauthorized Operation (${context.api}) for Service ${service}`
    if (!items) throw forbidden(refusal)
    if (items.size === 0) return
    if (kind !== undefined && item !== undefined && covers(items, kind, item)) return
    if (kind === 'role' || kind === 'group') throw forbidden(`${refusal} on ${kind} ${item}`)
    throw forbidden(kind === undefined ? refusal : `${refusal} on opItemKey ${kind} and opItemVal ${item ?? null}`)
  }
}

function covers(items: ReadonlyMap<string, readonly string[]>, kind: ItemKind, item: string): boolean {
  if (items.get(kind)?.includes(item)) return true
  return items.get(`${kind}-prefix`)?.some((prefix) => item.startsWith(prefix)) ?? false
}
