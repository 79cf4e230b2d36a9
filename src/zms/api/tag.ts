import { kept, shown } from '#core/http/scalar-types.ts'
import { list, mapOf, optional, record, struct, type ValueOf } from '#core/http/wire.ts'

/** Tags in a request: key → values, letters as sent. */
export const TagsInput = optional(mapOf(kept.tagKey, struct('TagValueList', { list: list(kept.tagValue) })))

/** Values of one tag in a reply. */
export const TagValueList = struct('TagValueList', { list: list(shown.tagValue) })
export type TagValueList = ValueOf<typeof TagValueList>

/** Tags in a reply. */
export const Tags = optional(record(shown.tagKey, TagValueList))
