import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { nodeFileSystem } from '#core/seam/file-system.ts'
import { runProgram, startProgram } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const permissions = (path: string) => (statSync(path).mode & 0o777).toString(8)

describe('the file system of this machine', () => {
  test('makes folders with those above them, for this user only', async () => {
    const folder = join(temporaryFolder(), 'a', 'b', 'c')
    await nodeFileSystem.makeFolder(folder)
    await nodeFileSystem.makeFolder(folder)
    assert.deepEqual([permissions(folder), permissions(join(folder, '..'))], ['700', '700'])
    assert.deepEqual(await nodeFileSystem.list(folder), [])
  })

  test('opens new, existing and replaced files', async () => {
    const path = join(temporaryFolder(), 'file')
    await assert.rejects(nodeFileSystem.open(path, 'existing'), { code: 'ENOENT' })
    const file = await nodeFileSystem.open(path, 'new')
    await file.write(Buffer.from('hello world'), 0)
    await file.write(Buffer.from('W'), 6)
    await file.sync()
    await file.close()
    assert.equal(permissions(path), '600')
    await assert.rejects(nodeFileSystem.open(path, 'new'), { code: 'EEXIST' })
    const again = await nodeFileSystem.open(path, 'existing')
    await again.truncate(8)
    await again.write(Buffer.from('!'), 8)
    await again.close()
    assert.equal((await nodeFileSystem.readFile(path)).toString(), 'hello Wo!')
    await (await nodeFileSystem.open(path, 'replace')).close()
    assert.equal(readFileSync(path, 'utf8'), '')
  })

  test('renames over a file, removes and syncs folders', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'old'), 'old')
    writeFileSync(join(folder, 'new'), 'new')
    await nodeFileSystem.rename(join(folder, 'new'), join(folder, 'old'))
    await nodeFileSystem.syncFolder(folder)
    assert.equal(readFileSync(join(folder, 'old'), 'utf8'), 'new')
    await nodeFileSystem.remove(join(folder, 'old'))
    assert.deepEqual(await nodeFileSystem.list(folder), [])
    await assert.rejects(nodeFileSystem.remove(join(folder, 'old')), { code: 'ENOENT' })
  })
})

describe('a lock', () => {
  test('is held once, and again when it was released', async () => {
    const path = join(temporaryFolder(), 'lock')
    const lock = await nodeFileSystem.lock(path)
    assert.ok(lock)
    assert.equal(await nodeFileSystem.lock(path), undefined)
    lock.release()
    const again = await nodeFileSystem.lock(path)
    assert.ok(again)
    again.release()
  })

  test('keeps other processes out and leaves nothing behind when its process is killed', async () => {
    const path = join(temporaryFolder(), 'lock')
    const script = `
      import { nodeFileSystem } from '#core/seam/file-system.ts'
      const lock = await nodeFileSystem.lock(${JSON.stringify(path)})
      console.log(lock ? 'held' : 'refused')
      if (lock) setInterval(() => lock, 1000)`
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script]
    await using holder = startProgram(process.execPath, args, { cwd: import.meta.dirname })
    assert.equal(await holder.line(), 'held')
    assert.equal(await nodeFileSystem.lock(path), undefined)
    assert.equal((await runProgram(process.execPath, args, { cwd: import.meta.dirname })).stdout, 'refused\n')
    holder.kill('SIGKILL')
    await holder.ended
    const lock = await nodeFileSystem.lock(path)
    assert.ok(lock)
    assert.equal(existsSync(`${path}-journal`), false)
    lock.release()
  })

  test('says which file cannot be locked', async () => {
    const path = join(temporaryFolder(), 'missing', 'lock')
    const reason = `ENOENT: no such file or directory, access '${join(path, '..')}'`
    await assert.rejects(nodeFileSystem.lock(path), { message: `cannot lock ${path}: ${reason}` })
  })
})
