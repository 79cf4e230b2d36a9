import assert from 'node:assert/strict'
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { makeFolders } from '#core/seam/make-folders.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const permissions = (path: string) => statSync(path).mode & 0o777

describe('makeFolders', () => {
  test('makes what is missing and gives the highest of it', async () => {
    const top = temporaryFolder()
    assert.equal(await makeFolders(join(top, 'a/b/c'), 0o700), join(top, 'a'))
    assert.deepEqual(
      ['a', 'a/b', 'a/b/c'].map((name) => permissions(join(top, name))),
      [0o700, 0o700, 0o700],
    )
    assert.equal(await makeFolders(relative(process.cwd(), join(top, 'a/b/d'))), join(top, 'a/b/d'))
  })

  test('leaves alone what is there, also behind a link', async () => {
    const top = temporaryFolder()
    assert.equal(await makeFolders(top), undefined)
    symlinkSync(top, join(top, 'link'))
    assert.equal(await makeFolders(join(top, 'link')), undefined)
    assert.equal(await makeFolders('/'), undefined)
  })

  test('makes a folder once when many ask', async () => {
    const folder = join(temporaryFolder(), 'a/b')
    await Promise.all(Array.from({ length: 8 }, () => makeFolders(folder)))
    assert.ok(statSync(folder).isDirectory())
  })

  test('refuses what is no folder', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await assert.rejects(makeFolders(file), { code: 'EEXIST' })
    await assert.rejects(makeFolders(join(file, 'below')), { code: 'ENOTDIR' })
  })

  test('ends where the system makes no folders', {
    skip: !existsSync('/proc/self') && 'there is no /proc',
  }, async () => {
    await assert.rejects(makeFolders('/proc/none'), { code: 'EPERM' })
    await assert.rejects(makeFolders('/proc/none/below'), { code: 'EPERM' })
  })
})
