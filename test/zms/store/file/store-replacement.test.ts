import assert from 'node:assert/strict'
import { access, cp, mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, test } from 'node:test'
import { openFileStore } from '#zms/store/file/file-store.ts'
import { stagingOf } from '#zms/store/file/store-replacement.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { emptyDomain } from '../suite/samples.ts'

const MARK = 'complete.json'

/** What a program that replaces a store leaves when it ends there. */
describe('new data of a store, left by a program that ended', () => {
  const parent = temporaryFolder()
  let folder: string
  let former: string
  let counter = 0

  const makeStore = async (path: string, domain: string) => {
    const store = await openFileStore({ folder: path })
    await store.transact([domain], (transaction) =>
      transaction.apply({ kind: 'createDomain', domain, value: emptyDomain(domain) }),
    )
    await store.close()
  }
  const domains = async (path = folder) => {
    const store = await openFileStore({ folder: path })
    const names = await store.domainNames()
    await store.close()
    return names
  }

  beforeEach(async () => {
    folder = join(parent, `case-${counter++}`, 'store')
    former = `${folder}.replaced`
    await makeStore(folder, 'old')
    const other = join(parent, `made-${counter}`)
    await makeStore(other, 'new')
    await cp(other, stagingOf(folder), { recursive: true })
  })
  const mark = () => writeFile(join(stagingOf(folder), MARK), JSON.stringify({ former: 'store.replaced' }))

  test('before they were complete: nothing has changed', async () => {
    assert.deepEqual(await domains(), ['old'])
    assert.deepEqual(await domains(), ['old'])
  })

  test('when they were complete: they take the place of the others', async () => {
    await mark()
    assert.deepEqual(await domains(), ['new'])
    assert.deepEqual(await domains(former), ['old'])
    assert.deepEqual((await readdir(folder)).includes(MARK), false)
    await assert.rejects(access(stagingOf(folder)))
  })

  test('when the former data were out of the way: they are put there', async () => {
    await mark()
    await rename(folder, former)
    assert.deepEqual(await domains(), ['new'])
    assert.deepEqual(await domains(former), ['old'])
  })

  test('when they were in place: they stay', async () => {
    await mark()
    await rename(folder, former)
    await rename(stagingOf(folder), folder)
    assert.deepEqual(await domains(), ['new'])
    assert.deepEqual(await domains(), ['new'])
  })

  test('when there was no store before: they are the first', async () => {
    await mark()
    await rename(folder, join(parent, `away-${counter}`))
    await mkdir(join(parent, `case-${counter}`), { recursive: true })
    assert.deepEqual(await domains(), ['new'])
  })
})
