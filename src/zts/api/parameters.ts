import { header } from '#core/http/endpoint.ts'
import { lowered, maybe } from '#core/http/scalar-types.ts'

/** A domain, as `{domainName}` of the path. */
export const inDomain = { domainName: lowered.domain }
/** Headers of reads that answer 304 to those who have the data already. */
export const conditional = { matchingTag: header('If-None-Match', maybe.text) }

/** Published errors of operations that check rights. */
export const checkedErrors = [400, 401, 403, 404, 429] as const
/** Published errors of reads open to every authenticated principal. */
export const openReadErrors = [400, 401, 404, 429] as const
/** Published errors of operations on the identity of services. */
export const identityErrors = [400, 401, 403, 404, 429, 500] as const
