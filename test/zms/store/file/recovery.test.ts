import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DamageError } from '#core/journal/damage-error.ts'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Store } from '#zms/store/store.ts'
import { SimulatedFileSystem } from '../../../support/simulated-file-system.ts'
import { randomFrom } from '../mysql/random-changes.ts'
import { everything } from '../suite/everything.ts'
import { emptyDomain, fullDomain } from '../suite/samples.ts'
import { steadyClock } from './workload.ts'

const FOLDER = '/data/store'
const JOURNAL = `${FOLDER}/journal/00000001.journal`

const openOn = (fileSystem: SimulatedFileSystem, lines: string[] = [], checkpointBytes?: number) =>
  openFileStore({
    folder: FOLDER,
    fileSystem,
    clock: steadyClock(),
    log: (level, message) => lines.push(`${level} ${message}`),
    ...(checkpointBytes !== undefined && { checkpointBytes }),
  })

const createDomain = (store: Store, domain: string) =>
  store.transact([domain], (transaction) =>
    transaction.apply({ kind: 'createDomain', domain, value: emptyDomain(domain) }),
  )
const put = (store: Store, domain: string, name: string) =>
  store.transact([domain], (transaction) =>
    transaction.apply({ kind: 'putEntity', domain, value: { name, value: '"ü"' } }),
  )

/** Bytes of a file without the room behind its records. */
async function bytesOf(fileSystem: SimulatedFileSystem, path: string): Promise<number> {
  return (await fileSystem.readFile(path)).findLastIndex((byte) => byte !== 0) + 1
}

/** A journal of a domain and two entities, the states before the last and after it, where the last record begins and ends. */
async function journal(options: { closed: boolean }) {
  const fileSystem = new SimulatedFileSystem(randomFrom(5))
  const store = await openOn(fileSystem)
  await createDomain(store, 'sports')
  await put(store, 'sports', 'first')
  const before = await everything(store)
  const start = await bytesOf(fileSystem, JOURNAL)
  await put(store, 'sports', 'last')
  const after = await everything(store)
  const length = await bytesOf(fileSystem, JOURNAL)
  if (options.closed) await store.close()
  return { fileSystem, before, after, start, length }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

const pairs = <A, B>(ones: readonly A[], others: readonly B[]): [A, B][] =>
  ones.flatMap((one) => others.map((other): [A, B] => [one, other]))

const isDamage = (file: string, offset: number) => (error: unknown) => {
  assert.ok(error instanceof DamageError, String(error))
  assert.deepEqual([error.file, error.offset], [file, offset])
  assert.match(error.message, new RegExp(`^${file.replaceAll('.', '\\.')} is damaged at byte ${offset}: .*Restore`))
  return true
}

describe('the journal of a file store', () => {
  test('is cut where the last write was torn, at any byte, and goes on', async () => {
    const { fileSystem, before, after, start, length } = await journal({ closed: false })
    for (const [size, room] of pairs(range(start, length), [0, 700])) {
      const torn = fileSystem.copy()
      torn.damage(JOURNAL, (content) => Buffer.concat([content.subarray(0, size), Buffer.alloc(room)]))
      const lines: string[] = []
      const store = await openOn(torn, lines)
      assert.deepEqual(await everything(store), size === length ? after : before, `${size} bytes`)
      assert.deepEqual(
        lines,
        size === start || size === length
          ? []
          : [`warn recovered: ${JOURNAL}: an incomplete write of ${size - start} bytes at byte ${start} is cut off`],
      )
      // A shorter record, which must not leave the rest of the torn one behind it.
      await store.transact(['sports'], (transaction) => transaction.apply({ kind: 'touchDomain', domain: 'sports' }))
      const live = await everything(store)
      const later: string[] = []
      const again = await openOn(torn.copy(), later)
      assert.deepEqual(await everything(again), live)
      assert.deepEqual(later, [])
      await again.close()
    }
  })

  test('is cut where the last write has a wrong byte anywhere', async () => {
    const { fileSystem, before, start, length } = await journal({ closed: false })
    for (let at = start; at < length; at++) {
      const torn = fileSystem.copy()
      torn.damage(JOURNAL, (content) => flipped(content, at))
      const lines: string[] = []
      const store = await openOn(torn, lines)
      assert.deepEqual(await everything(store), before, `byte ${at}`)
      assert.equal(lines.length, 1)
      await store.close()
    }
  })

  test('stops the start when any other byte is wrong, and is left as it is', async () => {
    const { fileSystem, start } = await journal({ closed: false })
    const content = await fileSystem.readFile(JOURNAL)
    const starts = [...content.toString('latin1').matchAll(/^(journal|batch|end) /gm)].map(({ index }) => index)
    for (let at = 0; at < start; at++) {
      const damaged = fileSystem.copy()
      damaged.damage(JOURNAL, (whole) => flipped(whole, at))
      const record = starts.findLast((each) => each <= at) ?? 0
      await assert.rejects(openOn(damaged), isDamage(JOURNAL, record), `byte ${at}`)
      assert.deepEqual(await damaged.readFile(JOURNAL), flipped(content, at))
    }
  })

  test('of a store that was closed is damaged when its last transaction is', async () => {
    const { fileSystem, start, length } = await journal({ closed: true })
    for (let at = start; at < length; at++) {
      const damaged = fileSystem.copy()
      damaged.damage(JOURNAL, (whole) => flipped(whole, at))
      await assert.rejects(openOn(damaged), isDamage(JOURNAL, start), `byte ${at}`)
    }
  })

  test('begins with a file that may be torn itself', async () => {
    const fileSystem = new SimulatedFileSystem(randomFrom(5))
    await (await openOn(fileSystem)).close()
    const whole = await fileSystem.readFile(JOURNAL)
    const header = whole.indexOf('\n', whole.indexOf('\n') + 1) + 1
    for (let size = 0; size < header; size++) {
      const torn = fileSystem.copy()
      torn.damage(JOURNAL, (content) => content.subarray(0, size))
      const lines: string[] = []
      const store = await openOn(torn, lines)
      assert.match(lines.join('\n'), /^warn recovered: .*00000001\.journal was just being created and is removed$/)
      await createDomain(store, 'sports')
      await store.close()
    }
  })

  test('stops the start when one of its files is missing', async () => {
    const fileSystem = new SimulatedFileSystem(randomFrom(5))
    const store = await openOn(fileSystem)
    await createDomain(store, 'sports')
    // Every failure of a sync begins a new file; documents, which would take the place of all files, cannot be written.
    for (let index = 0; index < 3; index++) {
      fileSystem.faultAt = (_, name) => (name === 'sync' ? new Error('EIO') : undefined)
      await assert.rejects(put(store, 'sports', `refused${index}`))
      fileSystem.faultAt = (_, name, path) => (path.endsWith('.tmp') ? new Error(`EIO ${name}`) : undefined)
      await put(store, 'sports', `e${index}`)
      await store.settled()
    }
    await store.close()
    fileSystem.faultAt = () => undefined
    const files = (await fileSystem.list(`${FOLDER}/journal`)).toSorted()
    assert.ok(files.length > 3)
    for (const [index, file] of files.slice(0, -1).entries()) {
      const damaged = fileSystem.copy()
      await damaged.remove(`${FOLDER}/journal/${file}`)
      const expected = index === 0 ? /from 1 on are missing/ : new RegExp(`the journal file ${index + 1} before it is`)
      await assert.rejects(openOn(damaged), expected)
      await assert.rejects(openOn(damaged), isDamage(`${FOLDER}/journal/${files[index + 1]}`, 0))
    }
    const whole = await openOn(fileSystem.copy())
    assert.deepEqual([...(whole.domain('sports')?.entities.keys() ?? [])], ['e0', 'e1', 'e2'])
    await whole.close()
  })

  test('that was written by a newer program is not touched', async () => {
    const { fileSystem } = await journal({ closed: true })
    const damaged = fileSystem.copy()
    damaged.damage(`${FOLDER}/format.json`, () => Buffer.from('{"format":"zms-store","version":2}\n'))
    await assert.rejects(openOn(damaged), /has format version 2, this program knows 1/)
  })
})

/** A store whose documents hold two domains with a history, and a domain in the journal. */
async function withDocuments() {
  const fileSystem = new SimulatedFileSystem(randomFrom(6))
  const entry = { admin: 'user.admin', member: 'user.joe', created: 1_800_000_000_000, action: 'ADD' } as const
  for (const domain of ['sports', 'weather']) {
    const store = await openOn(fileSystem, [], 1)
    await store.transact([domain], (transaction) =>
      transaction.apply(
        { kind: 'createDomain', domain, value: fullDomain(domain) },
        { kind: 'addRoleAudit', domain, role: 'readers', value: entry },
      ),
    )
    // Which waits for the documents.
    await store.close()
  }
  const again = await openOn(fileSystem)
  await createDomain(again, 'news')
  const state = await everything(again)
  await again.close()
  const files: string[] = []
  for (const shard of await fileSystem.list(`${FOLDER}/domains`)) {
    const names = await fileSystem.list(`${FOLDER}/domains/${shard}`)
    files.push(...names.map((name) => `${FOLDER}/domains/${shard}/${name}`))
  }
  return { fileSystem, state, files: files.toSorted() }
}

describe('the documents of a file store', () => {
  test('are read with the journal that follows them', async () => {
    const { fileSystem, state, files } = await withDocuments()
    assert.deepEqual(
      files.map((file) => file.split('/').at(-1)),
      ['sports.1.history', 'sports.json', 'weather.2.history', 'weather.json'].toSorted(),
    )
    const store = await openOn(fileSystem.copy())
    assert.deepEqual(await everything(store), state)
    await store.close()
  })

  test('stop the start when any byte is wrong or missing', async () => {
    const { fileSystem, files } = await withDocuments()
    for (const file of [...files.filter((each) => each.endsWith('.json')), `${FOLDER}/global.json`]) {
      const { length } = await fileSystem.readFile(file)
      for (let at = 0; at < length; at += 1 + (at % 53)) {
        for (const change of [
          (content: Buffer) => flipped(content, at),
          (content: Buffer) => content.subarray(0, at),
        ]) {
          const damaged = fileSystem.copy()
          damaged.damage(file, change)
          await assert.rejects(openOn(damaged), (error) => error instanceof DamageError && error.file === file)
        }
      }
    }
  })

  test('stop the start when a history is missing; a damaged one is not answered from', async () => {
    const { fileSystem, files } = await withDocuments()
    const history = files.find((file) => file.endsWith('.history')) as string
    const missing = fileSystem.copy()
    await missing.remove(history)
    await assert.rejects(openOn(missing), isDamage(history, 0))
    const damaged = fileSystem.copy()
    damaged.damage(history, (content) => flipped(content, 3))
    const store = await openOn(damaged)
    const domain = history.includes('sports') ? 'sports' : 'weather'
    await assert.rejects(store.roleAudit(domain, 'readers'), /the history of domain \w+ is damaged/)
    await store.close()
  })

  test('stop the start when the journal behind them is missing', async () => {
    const { fileSystem } = await withDocuments()
    const damaged = fileSystem.copy()
    for (const name of await damaged.list(`${FOLDER}/journal`)) await damaged.remove(`${FOLDER}/journal/${name}`)
    await assert.rejects(openOn(damaged), /journal is damaged at byte 0: the transactions from 1 to 2 are missing/)
  })

  test('leave nothing behind that was half written', async () => {
    const { fileSystem, state, files } = await withDocuments()
    const left = fileSystem.copy()
    const folder = (files[0] as string).slice(0, (files[0] as string).lastIndexOf('/'))
    for (const name of ['sports.json.tmp', 'sports.99.history']) {
      await (await left.open(`${folder}/${name}`, 'new')).write(Buffer.from('{"half'), 0)
    }
    const store = await openOn(left)
    assert.deepEqual(await everything(store), state)
    await store.close()
    const names = await left.list(folder)
    assert.ok(!names.includes('sports.json.tmp') && !names.includes('sports.99.history'))
  })

  test('are not written into a folder that holds something else', async () => {
    const fileSystem = new SimulatedFileSystem(randomFrom(6))
    await fileSystem.makeFolder(FOLDER)
    await fileSystem.open(`${FOLDER}/thesis.txt`, 'new')
    await assert.rejects(
      openOn(fileSystem),
      /is no data store: it holds thesis\.txt but no format\.json; name an empty/,
    )
    assert.deepEqual(await fileSystem.list(FOLDER), ['thesis.txt'])
  })
})

/** The content with one bit changed. */
function flipped(content: Buffer, at: number): Buffer {
  const changed = Buffer.from(content)
  changed[at] = (changed[at] as number) ^ 1
  return changed
}
