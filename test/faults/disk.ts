import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { FaultServers } from './fault-servers.ts'

const run = promisify(execFile)

/** The disk of ZMS's file store is full, and cannot be written, for real: a file system of its own. */
export const disk: Fault = {
  name: 'disk',
  what: 'the disk of the file store is full while clients write; it cannot be written when ZMS starts',
  async attempt({ dir, size, report }) {
    const rounds = size === 'long' ? 15 : 2
    await using servers = await FaultServers.make(dir)
    const mounted = await mountDisk(join(dir, 'disk'))
    if (typeof mounted === 'string') return mounted
    await using small = mounted
    const options = {
      settings: { 'athenz.ts.store_dir': join(small.folder, 'store') },
      wrapper: small.inside,
    }
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

/** A small disk, which only the programs behind `inside` see. */
interface SmallDisk extends AsyncDisposable {
  readonly folder: string
  readonly inside: readonly string[]
  fill(): Promise<void>
  empty(): Promise<void>
  remount(mode: 'ro' | 'rw'): Promise<void>
}

/** Mounts one in a namespace of its own; the reason when this machine does not let us. */
async function mountDisk(folder: string): Promise<SmallDisk | string> {
  await mkdir(folder, { recursive: true })
  const holder = spawn(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      'mount -t tmpfs -o size=4m tmpfs "$1" && echo mounted && exec sleep infinity',
      'sh',
      folder,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const failure = new Promise<string>((resolve) => {
    let text = ''
    holder.once('error', (error) => resolve(error.message))
    holder.stderr?.setEncoding('utf8').on('data', (part: string) => (text += part))
    holder.once('close', () => resolve(`a file system cannot be mounted: ${text.trim()}`))
  })
  const mounted = once(holder.stdout as NodeJS.ReadableStream, 'data').then(() => undefined)
  const reason = await Promise.race([mounted, failure])
  if (reason !== undefined) return reason
  const inside = ['nsenter', `--target=${holder.pid}`, '--mount', '--']
  const [command = '', ...args] = inside
  const filler = join(folder, 'filler')
  const within = (...program: string[]) => run(command, [...args, ...program])
  return {
    folder,
    inside,
    // It ends with an error: there is no room for all of it.
    fill: () =>
      within('dd', 'if=/dev/zero', `of=${filler}`, 'bs=4k').then(
        () => undefined,
        () => undefined,
      ),
    empty: async () => void (await within('rm', '-f', filler)),
    remount: async (mode) => void (await within('mount', '-o', `remount,${mode}`, folder)),
    async [Symbol.asyncDispose]() {
      const ended = once(holder, 'close')
      holder.kill('SIGKILL')
      await ended
    },
  }
}
