import { runServer } from '#core/main/run-server.ts'
import { ZMS_API_ROOT } from './api/index.ts'
import { openSharedParts } from './shared-parts.ts'
import { startZms } from './zms-server.ts'

await runServer({
  name: 'zms',
  apiRoot: ZMS_API_ROOT,
  start: startZms,
  workers: { count: ({ zms }) => zms.workers, openShared: openSharedParts },
})
