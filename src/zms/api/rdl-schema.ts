import { type RdlSchema, rdlSchema } from '#core/http/rdl-schema.ts'
import { ZMS_API_ROOT, zmsEndpoints } from './index.ts'

/** Gives the description of ZMS's interface, built when it is first asked for. */
export function zmsRdlSchema(): () => RdlSchema {
  let schema: RdlSchema | undefined
  return () => {
    schema ??= rdlSchema({ name: 'ZMS', version: 1, base: ZMS_API_ROOT }, zmsEndpoints)
    return schema
  }
}
