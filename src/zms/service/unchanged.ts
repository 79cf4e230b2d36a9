import { conflict } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { timestamp } from './wire-form.ts'

/**
 * 409 unless an object has the `modified` that the caller read, where the caller asks for that: what it leaves out would
 * undo the changes of others. An object that is absent has none.
 */
export function requireUnchangedSince(
  { api }: Pick<RequestContext, 'api'>,
  { name, modified }: { readonly name: string; readonly modified: number | undefined },
  unchangedSince: string | undefined,
): void {
  if (unchangedSince === undefined || timestamp(modified) === unchangedSince) return
  throw conflict(`${api}: ${name} was changed after ${unchangedSince}`)
}
