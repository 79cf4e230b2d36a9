import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ServiceError } from '#core/error/service-error.ts'
import { DamageError } from '#core/journal/damage-error.ts'
import { JournaledFolder, type JournaledFolderOptions } from '#zts/store/file/journaled-folder.ts'
import { RecordFolder } from '#zts/store/file/record-folder.ts'
import { fileError, SimulatedFileSystem } from '../../../support/simulated-file-system.ts'
import { randomFrom } from '../../../zms/store/mysql/random-changes.ts'

const FOLDER = '/var/records'
const JOURNAL = `${FOLDER}.journal`

const open = (fileSystem: SimulatedFileSystem, options: Partial<JournaledFolderOptions> = {}) =>
  JournaledFolder.open({ folder: FOLDER, fileSystem, log: () => {}, ...options })

const readable = async (folder: Pick<JournaledFolder, 'read'>, name: string) => (await folder.read(name))?.get('value')

/** What is in the files, whatever the journal says. */
async function inFiles(fileSystem: SimulatedFileSystem, name: string): Promise<unknown> {
  const left = fileSystem.copy()
  return readable(await RecordFolder.open(FOLDER, left), name)
}

/** One change of a record; null removes it. */
type Step = { readonly name: string; readonly value: number | null } | 'settle'

const STEPS: readonly Step[] = [
  { name: 'a', value: 1 },
  { name: 'b', value: 2 },
  'settle',
  { name: 'a', value: 3 },
  { name: 'b', value: null },
  { name: 'c', value: 4 },
  { name: 'a', value: 5 },
  'settle',
  { name: 'b', value: 6 },
  'settle',
  { name: 'c', value: null },
]

/** What each record may be after a crash: its last acknowledged value, or the one that was on its way. */
type Possible = Map<string, unknown[]>

async function run(fileSystem: SimulatedFileSystem, possible: Possible): Promise<void> {
  const folder = await open(fileSystem)
  for (const step of STEPS) {
    if (step === 'settle') {
      await folder.settle()
      continue
    }
    const { name, value } = step
    const given = value ?? undefined
    possible.set(name, [...(possible.get(name) ?? [undefined]), given])
    await (value === null ? folder.remove(name) : folder.write(name, { value }))
    possible.set(name, [given])
  }
  await folder.close()
}

async function assertHolds(fileSystem: SimulatedFileSystem, possible: Possible, what: string): Promise<void> {
  const folder = await open(fileSystem)
  const names = await folder.names()
  for (const [name, values] of possible) {
    const found = await readable(folder, name)
    assert.ok(values.includes(found), `${what}: ${name} is ${String(found)} instead of ${values.join(' or ')}`)
    assert.equal(names.includes(name), found !== undefined, what)
  }
  await folder.close()
}

suite('a folder of records with a journal', () => {
  test('has all acknowledged changes after a crash at any moment, also of the start after it', async () => {
    for (const seed of [1, 2, 3]) {
      for (let crashAt = 1, over = false; !over; crashAt++) {
        const random = randomFrom(seed * 1000 + crashAt)
        const what = `seed ${seed}, crash at operation ${crashAt}`
        const fileSystem = new SimulatedFileSystem(random)
        fileSystem.faultAt = (operation) => (operation === crashAt ? 'crash' : undefined)
        const possible: Possible = new Map()
        over = await run(fileSystem, possible).then(
          () => true,
          () => false,
        )
        const left = fileSystem.restart()
        const second = 1 + Math.floor(random() * 20)
        left.faultAt = (operation) => (operation === second ? 'crash' : undefined)
        await assertHolds(left, possible, what).catch((error: unknown) => {
          if (error instanceof assert.AssertionError) throw error
        })
        await assertHolds(left.restart(), possible, what)
      }
    }
  })

  test('leaves everything in the files when it is closed', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const folder = await open(fileSystem)
    await folder.write('a', { value: 1 })
    await folder.write('b', { value: 2 })
    await folder.remove('b')
    assert.equal(await inFiles(fileSystem, 'a'), undefined)
    await folder.close()
    assert.equal(await inFiles(fileSystem, 'a'), 1)
    assert.equal(await inFiles(fileSystem, 'b'), undefined)
    await fileSystem.remove(`${FOLDER}/a`)
    const next = await open(fileSystem)
    assert.deepEqual(await next.names(), [], 'the journal has nothing left to say')
    await next.close()
  })

  test('brings changes into the files after a while, each record once', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const folder = await open(fileSystem, { delayMillis: 1 })
    const written: string[] = []
    fileSystem.faultAt = (_operation, name, path) => {
      if (name === 'rename') written.push(path)
      return undefined
    }
    await Promise.all([1, 2, 3].map((value) => folder.write('a', { value })))
    while ((await inFiles(fileSystem, 'a')) !== 3) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(written.length, 1)
    await folder.close()
  })

  test('brings them at once when the journal is long', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const folder = await open(fileSystem, { journalBytes: 100 })
    await folder.write('a', { value: 1 })
    while ((await inFiles(fileSystem, 'a')) !== 1) await new Promise((resolve) => setImmediate(resolve))
    await folder.close()
  })

  test('lets changes wait while too many records are not in their files', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const folder = await open(fileSystem, { limit: 2 })
    await folder.write('a', { value: 1 })
    await folder.write('b', { value: 2 })
    assert.equal(await inFiles(fileSystem, 'a'), undefined)
    await folder.write('c', { value: 3 })
    assert.deepEqual([await inFiles(fileSystem, 'a'), await inFiles(fileSystem, 'b')], [1, 2])
    assert.equal(await readable(folder, 'c'), 3)
    await folder.close()
  })

  test('keeps changes in the journal while the files cannot be written, and says so', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const lines: string[] = []
    const folder = await open(fileSystem, {
      delayMillis: 1,
      limit: 2,
      log: (level, message) => lines.push(`${level}: ${message}`),
    })
    fileSystem.faultAt = (_operation, name, path) =>
      name === 'sync' && path.startsWith(`${FOLDER}/`) ? fileError('EIO', path) : undefined
    await folder.write('a', { value: 1 })
    while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.match(lines[0] ?? '', /^error: \/var\/records: changes are kept in the journal only: EIO/)
    assert.match((await folder.check()) ?? '', /^changes are kept in \/var\/records\.journal only/)
    await folder.write('b', { value: 2 })
    assert.deepEqual([await readable(folder, 'a'), await readable(folder, 'b')], [1, 2])
    await assert.rejects(folder.write('c', { value: 3 }), (error: unknown) => {
      assert.ok(error instanceof ServiceError, String(error))
      assert.deepEqual([error.code, error.message], ['unavailable', 'The change could not be stored'])
      return true
    })
    await assertHolds(
      fileSystem.copy(),
      new Map([
        ['a', [1]],
        ['b', [2]],
        ['c', [undefined]],
      ]),
      'as the journal has it',
    )
    fileSystem.faultAt = () => undefined
    await folder.write('c', { value: 3 })
    assert.deepEqual([await inFiles(fileSystem, 'a'), await inFiles(fileSystem, 'b')], [1, 2])
    while ((await folder.check()) !== undefined) await new Promise((resolve) => setImmediate(resolve))
    await folder.close()
  })

  test('refuses changes that a full disk cannot take, and goes on when there is space', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const folder = await open(fileSystem)
    await folder.write('a', { value: 1 })
    fileSystem.capacity = 0
    await assert.rejects(folder.write('a', { value: 2 }), (error: unknown) => {
      assert.ok(error instanceof ServiceError, String(error))
      assert.equal(error.code, 'unavailable')
      return true
    })
    assert.equal(await readable(folder, 'a'), 1)
    assert.equal(await folder.check(), 'changes cannot be stored in /var/records.journal')
    fileSystem.capacity = Number.POSITIVE_INFINITY
    assert.equal(await folder.check(), undefined)
    await folder.write('a', { value: 3 })
    await folder.close()
    assert.equal(await inFiles(fileSystem, 'a'), 3)
  })

  test('does not open when the journal is damaged before its end', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const folder = await open(fileSystem)
    await folder.write('a', { value: 1 })
    await folder.write('b', { value: 2 })
    const left = fileSystem.copy()
    left.damage(`${JOURNAL}/00000001.journal`, (content) => {
      content[content.indexOf('"value":1')] = 0
      return content
    })
    await assert.rejects(open(left), DamageError)
    await folder.close()
  })
})
