import assert from 'node:assert/strict'
import { join } from 'node:path'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { FaultServers } from './fault-servers.ts'
import { SmallDisk } from './small-disk.ts'

/** The disk of ZMS's file store is full, and cannot be written, for real: a file system of its own. */
export const disk: Fault = {
  name: 'disk',
  what: 'the disk of the file store is full while clients write; it cannot be written when ZMS starts',
  async attempt({ dir, size, report }) {
    const rounds = size === 'long' ? 15 : 2
    await using servers = await FaultServers.make(dir)
    const mounted = await SmallDisk.mount(join(dir, 'disk'), 'memory')
    if (typeof mounted === 'string') return mounted
    await using small = mounted
    const options = small.withStore
    let zms = await servers.start('zms', options)
    const writes = new AcknowledgedWrites(4)
    await writes.prepare(zms)
    writes.start(() => zms)
    for (let round = 0; round < rounds; round++) {
      await writes.more(30)
      await small.fill()
      await writes.moreRefusals(5)
      await zms.becomes(503)
      assert.equal((await zms.ask('GET', '/domain/faults')).status, 200, 'reads go on')
      if (round % 2 === 1) {
        // It starts with what it has, without room for anything more.
        zms.kill('SIGKILL')
        await zms.ended
        zms = await servers.start('zms', options)
        await zms.becomes(503)
        assert.equal((await zms.ask('GET', '/domain/faults')).status, 200)
      }
      await small.empty()
      await zms.becomes(200)
      await writes.more(10)
      await writes.assertKept(zms)
    }
    await writes.stop()
    report(`full ${rounds} times: ${writes.story}; none lost, ready again as soon as there was room`)
    zms.kill('SIGTERM')
    await zms.ended
    await small.remount('ro')
    const refused = await servers.start('zms', { ...options, immediately: true })
    const [status] = await refused.ended
    assert.equal(status, 1)
    assert.match(refused.log, /EROFS|read-only file system/i)
    report(`read-only: does not start: ${lastLine(refused.log)}`)
    await small.remount('rw')
    zms = await servers.start('zms', options)
    await zms.becomes(200)
    await writes.assertKept(zms)
    return undefined
  },
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''
