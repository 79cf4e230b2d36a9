import type { ztsEndpoints } from '#zts/api/index.ts'
import type { ApiClient } from './api-client.ts'

/** Calls of the operations of ZTS. */
export type ZtsCalls = Pick<ApiClient<typeof ztsEndpoints>, 'call'>
