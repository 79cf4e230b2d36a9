import { entityResourceName } from '#core/names/resource-name.ts'
import type { Entity } from '../store/model.ts'

/** An entity as the API writes it: its full name and the JSON value that was put. */
export function entityReply(domain: string, entity: Entity): Record<string, unknown> {
  return { name: entityResourceName(domain, entity.name), value: JSON.parse(entity.value) as unknown }
}
