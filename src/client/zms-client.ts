import { ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'
import { ApiClient, type ApiClientOptions } from './api-client.ts'

/** Calls ZMS, where domains, roles, policies and services are managed. */
export class ZmsClient extends ApiClient<typeof zmsEndpoints> {
  constructor(options: ApiClientOptions = {}) {
    super(zmsEndpoints, ZMS_API_ROOT, options)
  }
}
