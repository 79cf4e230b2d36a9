import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { DatabaseError } from '#core/database/database-error.ts'
import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import { emptyDomain } from '#zms/store/empty-domain.ts'
import { DomainCache } from '#zms/store/mysql/domain-cache.ts'
import { DomainReader } from '#zms/store/mysql/domain-reader.ts'
import { Sequence, StampReader } from '#zms/store/mysql/stamps.ts'
import { plainSettings } from '../suite/samples.ts'

/** A question on its way, as the database sees it. */
interface Sent {
  readonly sql: string
  readonly values: readonly unknown[]
  answer(rows: readonly object[]): Promise<void>
  fail(error: Error): Promise<void>
}

/** Lets everything happen that can. */
async function settle(): Promise<void> {
  for (let index = 0; index < 20; index++) await turn()
}

describe('the reader of stamps', () => {
  let sent: Sent[]
  let opened: number
  let sequence: Sequence
  let reader: StampReader

  const connect = (): MySqlConnection => {
    opened++
    const connection = {
      usable: true,
      close: () => (connection.usable = false),
      rows: (sql: string, values: readonly unknown[]) =>
        new Promise((resolve, reject) => {
          const after = async (act: () => void) => {
            act()
            await settle()
          }
          const answer = (rows: readonly object[]) => after(() => resolve(rows))
          sent.push({ sql, values, answer, fail: (error) => after(() => reject(error)) })
        }),
    }
    return connection as unknown as MySqlConnection
  }

  beforeEach(() => {
    sent = []
    opened = 0
    sequence = new Sequence()
    const open = async () => ({ connection: connect(), isReplica: false })
    reader = new StampReader({ sequence, open, isRight: () => true, onReadOnly: () => {} })
  })

  const at = (modified: number) => [{ id: 7, modified: new Date(modified) }]

  test('asks together what is asked in one turn', async () => {
    const answers = [reader.readRow(7), reader.readRow(8), reader.readRow(7)]
    await settle()
    assert.deepEqual(
      sent.map(({ values }) => values),
      [[7, 8]],
    )
    await sent[0]?.answer(at(1000))
    for (const answer of answers) assert.deepEqual([...(await answer).modifiedOf], [[7, 1000]])
  })

  test('sends a question of its own for whoever asks after one was sent', async () => {
    const first = reader.readRow(7)
    await settle()
    const second = reader.readRow(7)
    await settle()
    assert.equal(sent.length, 2)
    const third = reader.readRow(7)
    await settle()
    assert.equal(sent.length, 2, 'two are on their way at most')
    await sent[1]?.answer(at(2000))
    assert.equal(sent.length, 3)
    await sent[2]?.answer(at(3000))
    await sent[0]?.answer(at(1000))
    const answers = await Promise.all([first, second, third])
    assert.deepEqual(
      answers.map(({ modifiedOf }) => modifiedOf.get(7)),
      [1000, 2000, 3000],
    )
    const places = answers.map(({ sentAt }) => sentAt)
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
    assert.equal(opened, 2)
  })

  test('asks again on a new connection when the one it has breaks, and passes on what does not end', async () => {
    const answer = reader.readRow(7)
    await settle()
    for (let attempt = 0; attempt < 2; attempt++) await sent[attempt]?.fail(new DatabaseError('lost', 'broken'))
    await sent[2]?.answer(at(1000))
    assert.equal((await answer).modifiedOf.get(7), 1000)
    const refused = assert.rejects(reader.readRow(7), { fault: 'timeout' })
    await settle()
    await sent[3]?.fail(new DatabaseError('timeout', 'slow'))
    await refused
    const goesOn = reader.readRow(7)
    await settle()
    await sent[4]?.answer(at(2000))
    assert.equal((await goesOn).modifiedOf.get(7), 2000)
  })

  describe('and that of domains', () => {
    let cache: DomainCache
    let loads: number
    let domains: DomainReader

    const domainAt = (modified: number) => emptyDomain({ ...plainSettings('sports'), rowId: 7, modified })

    beforeEach(() => {
      cache = new DomainCache(1000, sequence)
      loads = 0
      const source = {
        use: () => {
          loads++
          return Promise.reject(new DatabaseError('unreachable', 'no load was expected'))
        },
        fromReplica: () => Promise.resolve(undefined),
      }
      domains = new DomainReader(cache, reader, sequence, source)
    })

    test('takes a newer state that was loaded meanwhile for the answer to an older question', async () => {
      const kept = cache.keep(domainAt(1000), sequence.next())
      const older = domains.domain('sports')
      await settle()
      assert.equal(cache.keep(domainAt(2000), sequence.next()), kept)
      await sent[0]?.answer(at(1000))
      assert.equal(await older, kept)
      assert.equal(kept.modified, 2000)
      assert.equal(loads, 0)
    })

    test('does not take a state that was loaded before the question for a newer one', async () => {
      cache.keep(domainAt(2000), sequence.next())
      const answer = assert.rejects(domains.domain('sports'), { fault: 'unreachable' })
      await settle()
      await sent[0]?.answer(at(3000))
      await answer
      assert.equal(loads, 1)
    })

    test('does not take what comes of a copy of the database for newer than the question', async () => {
      cache.keep(domainAt(1000), sequence.next())
      const answer = assert.rejects(domains.domain('sports'), { fault: 'unreachable' })
      await settle()
      cache.keep(domainAt(2000), sequence.next(), true)
      await sent[0]?.answer(at(3000))
      await answer
      assert.equal(loads, 1)
    })

    test('keeps the newer one of two states that are loaded at the same time', async () => {
      const [first, second] = [sequence.next(), sequence.next()]
      const kept = cache.keep(domainAt(2000), first)
      const older = cache.keep(domainAt(1000), second)
      assert.deepEqual([kept.modified, older.modified], [2000, 1000])
      assert.equal(cache.keep(domainAt(1500), sequence.next()), kept)
      assert.equal(kept.modified, 1500, 'a database that was put back')
    })

    test('keeps the newer state when a copy of the database was asked for an older one', async () => {
      const answered = sequence.next()
      const kept = cache.keep(domainAt(2000), 0)
      assert.equal(cache.keep(domainAt(1000), answered, true).modified, 1000)
      assert.equal(kept.modified, 2000)
    })

    test('looks for another domain of the name when the row is gone', async () => {
      cache.keep(domainAt(1000), sequence.next())
      const answer = domains.domain('sports')
      await settle()
      await sent[0]?.answer([])
      assert.deepEqual(sent[1]?.values, ['sports'])
      await sent[1]?.answer([])
      assert.equal(await answer, undefined)
    })

    test('hands every failure to whoever may try again', async () => {
      const failures: unknown[] = []
      const recover = async (error: unknown) => {
        failures.push((error as DatabaseError).fault)
        return undefined
      }
      cache.keep(domainAt(1000), sequence.next())
      for (const [rows, error] of [
        [undefined, new DatabaseError('timeout', 'slow')],
        [at(2000), undefined],
      ] as const) {
        const answer = domains.domain('sports', recover)
        await settle()
        if (rows) await sent.at(-1)?.answer(rows)
        else await sent.at(-1)?.fail(error)
        assert.equal(await answer, undefined)
      }
      cache.forget('sports')
      const unknown = domains.domain('sports', recover)
      await settle()
      await sent.at(-1)?.fail(new DatabaseError('contention', 'busy'))
      assert.equal(await unknown, undefined)
      assert.deepEqual(failures, ['timeout', 'unreachable', 'contention'])
    })
  })
})
