import { runServer } from '#core/main/run-server.ts'
import { ZTS_API_ROOT } from './api/index.ts'
import { openSharedParts } from './shared-parts.ts'
import { startZts } from './zts-server.ts'

await runServer({
  name: 'zts',
  apiRoot: ZTS_API_ROOT,
  start: startZts,
  workers: { count: ({ zts }) => zts.workers, openShared: openSharedParts },
})
