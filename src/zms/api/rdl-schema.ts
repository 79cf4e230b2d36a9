import { type RdlSchema, rdlSchema } from '#core/http/rdl-schema.ts'
import { publishedEndpoints, ZMS_API_ROOT } from './index.ts'

/** Gives the description of ZMS's interface as it is published, without what is ours, built when it is first asked for. */
export function zmsRdlSchema(): () => RdlSchema {
  let schema: RdlSchema | undefined
  return () => {
    schema ??= rdlSchema({ name: 'ZMS', version: 1, base: ZMS_API_ROOT }, publishedEndpoints)
    return schema
  }
}
