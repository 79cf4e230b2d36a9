import type { Authority } from '#core/authority/authority.ts'
import { badRequest } from '#core/error/service-error.ts'
import { attributesOf } from './member-rules.ts'

/** 400 when a filter names an attribute that the user authority does not know, or there is no such authority. */
export function requireUserAuthorityFilter(userAuthority: Authority | undefined, filter: string | undefined): void {
  if (!filter) return
  if (!userAuthority) throw badRequest('User Authority filter specified without a valid user authority')
  const known = userAuthority.booleanAttributes?.() ?? new Set()
  for (const attribute of attributesOf(filter)) {
    if (!known.has(attribute)) throw badRequest(`${attribute} is not a valid user authority attribute`)
  }
}

/** 400 when an expiration names a date attribute that the user authority does not know, or there is no such authority. */
export function requireUserAuthorityExpiration(
  userAuthority: Authority | undefined,
  attribute: string | undefined,
): void {
  if (!attribute) return
  if (!userAuthority) throw badRequest('User Authority expiry specified without a valid user authority')
  if (!userAuthority.dateAttributes?.().has(attribute)) {
    throw badRequest(`${attribute} is not a valid user authority date attribute`)
  }
}
