import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { FaultServers } from './fault-servers.ts'

/** Both servers are killed again and again. */
export const killed: Fault = {
  name: 'kill',
  what: 'kill -9 of ZMS on its file store while clients write, and of ZTS, again and again',
  async attempt({ dir, size, report }) {
    const rounds = size === 'long' ? 40 : 3
    await using servers = await FaultServers.make(dir, { zts: true })
    let zms = await servers.start('zms')
    let zts = await servers.start('zts')
    const writes = new AcknowledgedWrites(8)
    await writes.prepare(zms)
    writes.start(() => zms)
    for (let round = 0; round < rounds; round++) {
      await writes.more(40)
      zms.kill('SIGKILL')
      await zms.ended
      await zms.becomes(0)
      // ZTS goes on with what it has, also after it was killed itself.
      zts.kill('SIGKILL')
      await zts.ended
      zts = await servers.start('zts')
      await zts.becomes(200)
      zms = await servers.start('zms')
      await zms.becomes(200)
      await writes.assertKept(zms)
    }
    await writes.more(10)
    await writes.stop()
    await writes.assertKept(zms)
    report(`${rounds} kills of each: ${writes.story}; none lost`)
  },
}
