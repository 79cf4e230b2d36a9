import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'
import { SmallDisk } from './small-disk.ts'

const FAILURES = { EROFS: /Read-only file system/, EIO: /Input\/output error/ }

/**
 * The disk of ZMS's file store fails under the running server: ext4 on a block device stops, or becomes read-only, for real;
 * and for a while the kernel's answers to `fdatasync` are replaced.
 */
export const diskErrors: Fault = {
  name: 'disk-errors',
  what: 'the disk of the file store becomes read-only (EROFS), or fails with what it has not written (EIO), or fails for a while, while clients write',
  async attempt({ dir, size, report }) {
    const rounds = size === 'long' ? 10 : 1
    await using servers = await FaultServers.make(dir)
    const mounted = await SmallDisk.mount(join(dir, 'disk'), 'ext4')
    if (typeof mounted === 'string') return mounted
    await using disk = mounted
    const options = disk.withStore
    let zms = await servers.start('zms', options)
    const writes = new AcknowledgedWrites(4)
    await writes.prepare(zms)
    writes.start(() => zms)
    for (let round = 0; round < rounds; round++) {
      for (const how of ['EROFS', 'EIO'] as const) {
        await writes.more(30)
        await disk.fail(how)
        await writes.moreRefusals(5)
        await zms.becomes(503)
        assert.deepEqual((await zms.readiness()).body, {
          status: 'not ready',
          reasons: { store: 'the data cannot be reached' },
        })
        await assert.rejects(disk.run('touch', join(disk.folder, 'probe')), FAILURES[how])
        // What is under way when a file system becomes read-only may fail with either.
        assert.match(zms.log, /is left and a new journal file begun: (EIO|EROFS)/)
        assert.equal((await zms.ask('GET', '/domain/faults')).status, 200, 'reads go on')
        zms.kill('SIGKILL')
        await zms.ended
        await disk.repair()
        zms = await servers.start('zms', options)
        await zms.becomes(200)
        await writes.more(10)
        await writes.assertKept(zms)
      }
    }
    report(await failsForAWhile(zms, writes))
    zms.kill('SIGKILL')
    await zms.ended
    zms = await servers.start('zms', options)
    await zms.becomes(200)
    await writes.more(10)
    await writes.stop()
    await writes.assertKept(zms)
    report(`EROFS and EIO, ${rounds} × each, and repaired: ${writes.story}; none lost`)
    return undefined
  },
}

/** What a write is made durable with fails for a while: the server has to go on alone. Gives what came of it. */
async function failsForAWhile(zms: RunningFaultServer, writes: AcknowledgedWrites): Promise<string> {
  await writes.more(10)
  const tracer = await breakSyncs(zms.pid)
  if (typeof tracer === 'string') return `EIO for a while: not tried: ${tracer}`
  await writes.moreRefusals(5)
  await zms.becomes(503)
  await tracer.end()
  await zms.becomes(200)
  await writes.more(10)
  await writes.assertKept(zms)
  return 'EIO for a while: refused, told in /readyz, ready again as soon as it was over'
}

/** Every `fdatasync` of a process fails with EIO until the end; the reason when this machine does not let us. */
async function breakSyncs(pid: number): Promise<{ end(): Promise<void> } | string> {
  const injection = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO', '-o', '/dev/null']
  const tracer = spawn('strace', ['-f', '-p', String(pid), ...injection], { stdio: ['ignore', 'ignore', 'pipe'] })
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  let text = ''
  tracer.once('error', (error) => resolve(error.message))
  tracer.once('close', () => resolve(`it cannot be traced: ${text.trim()}`))
  tracer.stderr.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (/ attached/.test(text)) resolve(undefined)
  })
  const reason = await promise
  if (reason !== undefined) return reason
  return {
    async end() {
      const ended = once(tracer, 'close')
      tracer.kill('SIGINT')
      await ended
    },
  }
}
