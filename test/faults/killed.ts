import { until } from '../support/until.ts'
import { isAlive, workersOf } from '../support/worker-servers.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'

const WORKERS = 2

/** Both servers are killed again and again. */
export const killed: Fault = {
  name: 'kill',
  what: 'kill -9 of ZMS on its file store while clients write, and of ZTS, again and again, with and without workers',
  async attempt({ dir, size, report }) {
    const rounds = size === 'long' ? 40 : 3
    await using servers = await FaultServers.make(dir, { zts: true })
    let zms = await servers.start('zms')
    let zts = await servers.start('zts')
    let groups = 0
    const writes = new AcknowledgedWrites(8)
    await writes.prepare(zms)
    writes.start(() => zms)
    for (let round = 0; round < rounds; round++) {
      await writes.more(40)
      const leftBehind = [...(await killAll(zms)), ...(await killAll(zts))]
      if (leftBehind.length > 0) groups++
      await zms.becomes(0)
      // Workers end when their primary process is gone.
      await until(() => !leftBehind.some(isAlive), { timeoutMillis: 30_000, what: 'the end of all workers' })
      const form = round % 2 === 0 ? { workers: WORKERS } : {}
      // ZTS goes on with what it has, also after it was killed itself.
      zts = await servers.start('zts', form)
      await zts.becomes(200)
      zms = await servers.start('zms', form)
      await zms.becomes(200)
      await writes.assertKept(zms)
    }
    await writes.more(10)
    await writes.stop()
    await writes.assertKept(zms)
    report(`${rounds} kills of each, ${groups} of them with ${WORKERS} workers: ${writes.story}; none lost`)
  },
}

/** Kills the process of a server; the workers that it had. */
async function killAll(server: RunningFaultServer): Promise<readonly number[]> {
  const workers = await workersOf(server.pid)
  server.kill('SIGKILL')
  await server.ended
  return workers
}
