import { runServer } from '#core/main/run-server.ts'
import { startUi } from './ui-server.ts'

await runServer({ name: 'ui', apiRoot: '', start: startUi })
