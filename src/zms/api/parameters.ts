import { header, query } from '#core/http/endpoint.ts'
import { kept, lowered, maybe, off, queried } from '#core/http/scalar-types.ts'
import { unlessEmpty } from '#core/http/wire.ts'

const auditRef = header('Y-Audit-Ref', maybe.text)
const returnObj = header('Athenz-Return-Object', off)
const resourceOwner = header('Athenz-Resource-Owner', unlessEmpty(kept.resourceOwner))

/** Headers of writes: why the change is made. */
export const audited = { auditRef }
/** Headers of writes to objects that may have an owner. */
export const owned = { auditRef, resourceOwner }
/** Headers of writes that answer 204, or 200 with the object when asked for. */
export const returning = { auditRef, returnObj, resourceOwner }
/** Headers of writes to objects without owners that answer 204, or 200 with the object when asked for. */
export const auditedReturning = { auditRef, returnObj }

/** Part of a list of names: `limit` names after the name `skip`. */
export const page = { limit: query('limit', maybe.int32), skip: query('skip', maybe.loweredText) }
/**
 * Part of a list for people: those whose name contains the text `filter` in any letter case, and of them the `limit` (1 to
 * 500, otherwise 50) after the key `skip`. These operations are ours, as are all below `/sys` that the published API lacks.
 */
export const filteredPage = {
  filter: query('filter', queried.text),
  limit: query('limit', maybe.int32),
  skip: query('skip', unlessEmpty(kept.text)),
}
/** Objects that carry a tag, with this value when one is given. Tags keep their letter case. */
export const tagged = {
  tagKey: query('tagKey', queried.tagKey),
  tagValue: query('tagValue', queried.tagValue),
}
/** A review that leaves members for later: nothing is noted yet. This parameter is ours. */
export const reviewed = { partial: query('partial', off) }
/**
 * Writes that replace what they leave out, after it was read: the `modified` that was read. 409 when it is another one by
 * now. This parameter is ours.
 */
export const unchanged = { unchangedSince: query('unchangedSince', unlessEmpty(kept.text)) }
/** A domain, as `{domainName}` of the path. */
export const inDomain = { domainName: lowered.domain }

/** Published errors of reads that check rights. */
export const readErrors = [400, 401, 403, 404, 429] as const
/** Published errors of reads open to every authenticated principal. */
export const openReadErrors = [400, 401, 404, 429] as const
/** Published errors of writes. */
export const writeErrors = [400, 401, 403, 404, 409, 429] as const
