import { kept } from '#core/http/scalar-types.ts'
import { list, mapOf, optional, record, struct, type ValueOf } from '#core/http/wire.ts'

/** Values of one tag. */
export const TagValueList = struct('TagValueList', { list: list(kept.tagValue) })
export type TagValueList = ValueOf<typeof TagValueList>

/** Tags in a request: key → values, letters as sent. */
export const TagsInput = optional(mapOf(kept.tagKey, TagValueList))
/** Tags in a reply. */
export const Tags = optional(record(kept.tagKey, TagValueList))
