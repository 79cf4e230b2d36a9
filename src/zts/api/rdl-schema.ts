import { type RdlSchema, rdlSchema } from '#core/http/rdl-schema.ts'
import { ZTS_API_ROOT, ztsEndpoints } from './index.ts'

/** Gives the description of ZTS's interface, built when it is first asked for. */
export function ztsRdlSchema(): () => RdlSchema {
  let schema: RdlSchema | undefined
  return () => {
    schema ??= rdlSchema({ name: 'ZTS', version: 1, base: ZTS_API_ROOT }, ztsEndpoints)
    return schema
  }
}
