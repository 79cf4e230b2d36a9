import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { FileAuthHistory, type FileAuthHistoryOptions } from '#core/history/file-auth-history.ts'
import { nodeFileSystem } from '#core/seam/file-system.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { use } from './uses.ts'

const NOW_SECONDS = 1_800_000_000

const open = (folder: string, more: Partial<FileAuthHistoryOptions> = {}) =>
  FileAuthHistory.open({
    folder,
    name: 'zms-4443',
    maxUses: 1000,
    retentionSeconds: 1000,
    now: () => NOW_SECONDS * 1000,
    ...more,
  })

const recent = (principal: string, ago = 1) => use('sports', principal, NOW_SECONDS - ago)

suite('the history in files', () => {
  test('survives a restart', async () => {
    const folder = temporaryFolder()
    const first = await open(folder)
    await first.record([recent('weather.api', 5), recent('news.api')])
    await first.record([recent('weather.api', 2)])
    await first.close()
    const second = await open(folder)
    assert.deepEqual((await second.ofDomain('sports')).incoming, [recent('news.api'), recent('weather.api', 2)])
    assert.deepEqual((await second.ofDomain('weather')).outgoing, [recent('weather.api', 2)])
    await second.close()
  })

  test('passes over torn and foreign lines', async () => {
    const folder = temporaryFolder()
    const first = await open(folder)
    await first.record([recent('weather.api')])
    await first.close()
    appendFileSync(join(folder, 'zms-4443.uses'), 'null\n{"a":1}\n["x",1,2,3,4]\n["sports","news","a')
    const second = await open(folder)
    await second.record([recent('news.api')])
    assert.deepEqual((await second.ofDomain('sports')).incoming, [recent('weather.api'), recent('news.api')])
    await second.close()
    const lines = readFileSync(join(folder, 'zms-4443.uses'), 'utf8').trim().split('\n')
    assert.equal(lines.length, 2)
  })

  test('is that of all servers that share the folder, the latest use counts', async () => {
    const folder = temporaryFolder()
    const zms = await open(folder)
    const zts = await open(folder, { name: 'zts-8443' })
    await zms.record([recent('weather.api', 9)])
    await zts.record([recent('weather.api', 3), recent('news.api')])
    assert.deepEqual((await zms.ofDomain('sports')).incoming, [recent('weather.api', 3), recent('news.api')])
    // What was added meanwhile is read on, and a file that was replaced is read anew.
    await zts.record([recent('weather.web', 2)])
    assert.equal((await zms.ofDomain('sports')).incoming.length, 3)
    await zts.close()
    const again = await open(folder, { name: 'zts-8443' })
    await again.record([recent('weather.batch', 1)])
    const asked = await Promise.all([zms.ofDomain('sports'), zms.ofDomain('sports')])
    assert.deepEqual(
      asked.map(({ incoming }) => incoming.length),
      [4, 4],
    )
    await Promise.all([zms.close(), again.close()])
  })

  test('forgets what is too old', async () => {
    const folder = temporaryFolder()
    const clock = { millis: NOW_SECONDS * 1000 }
    const history = await open(folder, { now: () => clock.millis })
    await history.record([recent('weather.api', 900), recent('news.api', 1)])
    clock.millis += 500_000
    assert.deepEqual((await history.ofDomain('sports')).incoming, [recent('news.api', 1)])
    await history.close()
    const later = await open(folder, { now: () => clock.millis })
    assert.equal(readFileSync(join(folder, 'zms-4443.uses'), 'utf8').trim().split('\n').length, 1)
    await later.close()
  })

  test('does not grow with the number of uses of the same', async () => {
    const folder = temporaryFolder()
    const history = await open(folder)
    for (let round = 0; round < 50; round++) {
      await history.record(Array.from({ length: 100 }, (_, at) => recent(`weather.s${at}`, 100 - round)))
    }
    const { size } = statSync(join(folder, 'zms-4443.uses'))
    assert.ok(size < 1400 * 120, String(size))
    assert.equal((await history.ofDomain('sports')).incoming.length, 100)
    await history.close()
  })

  test('is written by one process at a time', async () => {
    const folder = temporaryFolder()
    const first = await open(folder)
    await assert.rejects(open(folder), /another process writes .*zms-4443\.uses/)
    await first.close()
    await (await open(folder)).close()
  })

  test('refuses a batch that the disk does not take, and goes on in a file that is whole', async () => {
    const folder = temporaryFolder()
    let full = false
    const history = await open(folder, {
      fileSystem: {
        ...nodeFileSystem,
        async open(path, mode) {
          const file = await nodeFileSystem.open(path, mode)
          return {
            async write(data, position) {
              if (!full) return file.write(data, position)
              await file.write(data.subarray(0, 10), position)
              throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
            },
            truncate: (bytes) => file.truncate(bytes),
            sync: () => file.sync(),
            close: () => file.close(),
          }
        },
      },
    })
    await history.record([recent('weather.api')])
    full = true
    await assert.rejects(history.record([recent('news.api')]), /no space left/)
    await assert.rejects(history.record([recent('news.api')]), /no space left/)
    full = false
    await history.record([recent('news.api')])
    await history.close()
    const again = await open(folder)
    assert.equal((await again.ofDomain('sports')).incoming.length, 2)
    await again.close()
  })

  test('keeps no more in memory than its limit, of others neither', async () => {
    const folder = temporaryFolder()
    const big = await open(folder, { name: 'zts-8443' })
    await big.record(Array.from({ length: 50 }, (_, at) => recent(`weather.s${at}`)))
    const small = await open(folder, { maxUses: 10 })
    await small.record(Array.from({ length: 50 }, (_, at) => recent(`news.s${at}`)))
    const { incoming } = await small.ofDomain('sports')
    assert.equal(incoming.length, 20)
    await Promise.all([small.close(), big.close()])
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.new')),
      [],
    )
  })

  test('does not start on a folder that is none', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    await assert.rejects(open(join(folder, 'file')))
  })
})
