import { ZTS_API_ROOT, ztsEndpoints } from '#zts/api/index.ts'
import { ApiClient, type ApiClientOptions } from './api-client.ts'

/** Calls ZTS, which issues tokens and certificates. */
export class ZtsClient extends ApiClient<typeof ztsEndpoints> {
  constructor(options: ApiClientOptions = {}) {
    super(ztsEndpoints, ZTS_API_ROOT, options)
  }
}
