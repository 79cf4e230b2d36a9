import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DomainFiles } from '#zts/sync/domain-files.ts'
import { fileError, SimulatedFileSystem } from '../../support/simulated-file-system.ts'

/** Numbers that look random and are the same each time. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

const text = async (files: DomainFiles, name: string): Promise<string> => (await files.read(name)).toString()
const OLD = 'old '.repeat(500)
const NEW = 'new '.repeat(700)

describe('a file of a domain', () => {
  test('is written by one process; who only reads changes nothing, and disturbs no write', async () => {
    const fileSystem = new SimulatedFileSystem(randomOf(1))
    const files = await DomainFiles.open('/data', fileSystem)
    await files.save('sports', Buffer.from(OLD))
    const unfinished = await fileSystem.open('/data/.weather.tmp', 'new')
    const readers = await DomainFiles.openToRead('/data', fileSystem)
    assert.equal(await text(readers, 'sports'), OLD)
    await readers.save('sports', Buffer.from(NEW))
    await readers.saveTag('1')
    await readers.remove('sports')
    assert.deepEqual([await text(files, 'sports'), await files.names()], [OLD, ['sports']])
    assert.deepEqual((await fileSystem.list('/data')).toSorted(), ['.weather.tmp', 'sports'])
    await unfinished.close()
  })

  test('holds the former or the new content after a crash at any moment, the new one once it was saved', async () => {
    let wasNew = 0
    for (let crashAt = 1; ; crashAt++) {
      const fileSystem = new SimulatedFileSystem(randomOf(crashAt))
      const files = await DomainFiles.open('/data/zts_store', fileSystem)
      await files.save('sports', Buffer.from(OLD))
      const first = fileSystem.operations
      fileSystem.faultAt = (operation) => (operation === first + crashAt ? 'crash' : undefined)
      const isSaved = await files.save('sports', Buffer.from(NEW)).then(
        () => true,
        () => false,
      )
      const reopened = await DomainFiles.open('/data/zts_store', fileSystem.restart())
      assert.deepEqual(await reopened.names(), ['sports'])
      const content = await text(reopened, 'sports')
      assert.ok(content === NEW || (content === OLD && !isSaved), `crash at operation ${crashAt}`)
      if (content === NEW) wasNew++
      if (isSaved) break
    }
    assert.ok(wasNew > 0)
  })

  test('stays as it was when a new one cannot be written', async () => {
    for (const failing of ['open', 'write', 'sync', 'rename']) {
      const fileSystem = new SimulatedFileSystem(randomOf(1))
      const files = await DomainFiles.open('/data', fileSystem)
      await files.save('sports', Buffer.from(OLD))
      fileSystem.faultAt = (_, name, path) => (name === failing ? fileError('EIO', path) : undefined)
      await assert.rejects(files.save('sports', Buffer.from(NEW)), { code: 'EIO' }, failing)
      fileSystem.faultAt = () => undefined
      assert.equal(await text(files, 'sports'), OLD)
      assert.deepEqual(await files.names(), ['sports'])
    }
  })

  test('is read although what an interrupted write has left cannot be cleared away', async () => {
    const fileSystem = new SimulatedFileSystem(randomOf(1))
    const files = await DomainFiles.open('/data', fileSystem)
    await files.save('sports', Buffer.from(OLD))
    await (await fileSystem.open('/data/.sports.tmp', 'new')).close()
    fileSystem.faultAt = (_, name, path) => (name === 'remove' ? fileError('EROFS', path) : undefined)
    const reopened = await DomainFiles.open('/data', fileSystem)
    assert.deepEqual([await text(reopened, 'sports'), await reopened.names()], [OLD, ['sports']])
  })

  test('that was removed stays so; removing it again is no error', async () => {
    const fileSystem = new SimulatedFileSystem(randomOf(1))
    const files = await DomainFiles.open('/data', fileSystem)
    await files.save('sports', Buffer.from(OLD))
    await files.remove('sports')
    await files.remove('sports')
    const reopened = await DomainFiles.open('/data', fileSystem.restart())
    assert.deepEqual(await reopened.names(), [])
  })

  test('is never one outside of the folder', async () => {
    const files = await DomainFiles.open('/data', new SimulatedFileSystem(randomOf(1)))
    for (const name of ['../x', '/etc/passwd', '.lastModTime', 'a/b', '', '.', 'a\0']) {
      await assert.rejects(files.save(name, Buffer.from('x')), /is no domain name/)
      await assert.rejects(async () => files.read(name), /is no domain name/)
      await assert.rejects(files.remove(name), /is no domain name/)
    }
  })
})

test('the tag is written as the original does', async () => {
  const fileSystem = new SimulatedFileSystem(randomOf(1))
  const files = await DomainFiles.open('/data', fileSystem)
  await files.saveTag('"2026-02-01T00:00:00.000Z"')
  assert.equal(
    (await fileSystem.readFile('/data/.lastModTime')).toString(),
    '{"lastModTime":"\\"2026-02-01T00:00:00.000Z\\""}',
  )
  assert.deepEqual(await files.names(), [])
})

test('what an interrupted write has left is cleared away', async () => {
  const fileSystem = new SimulatedFileSystem(randomOf(1))
  const files = await DomainFiles.open('/data', fileSystem)
  fileSystem.faultAt = (_, name, path) => (name === 'rename' ? fileError('EIO', path) : undefined)
  await assert.rejects(files.save('sports', Buffer.from(OLD)))
  assert.deepEqual(await fileSystem.list('/data'), ['.sports.tmp'])
  fileSystem.faultAt = () => undefined
  await DomainFiles.open('/data', fileSystem)
  assert.deepEqual(await fileSystem.list('/data'), [])
})
