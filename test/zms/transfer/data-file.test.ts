import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { readDataFile, writeDataFile } from '#zms/transfer/data-file.ts'
import type { TableRow } from '#zms/transfer/tables.ts'
import { inPieces } from './portable.ts'

const STATE = { lastAssertionId: 100_007, lastModified: 1_700_000_000_123 }
const ROWS: readonly TableRow[] = [
  { table: 'principal', row: { principal_id: 1, name: 'user.jane', system_suspended: 4 } },
  { table: 'host', row: { host_id: 9, name: 'höst\n"1"\u2028' } },
  { table: 'service_domain_dependency', row: { domain: 'sports', service: 'provider.api' } },
]

async function* inOne<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  yield items
}

async function written(rows: readonly TableRow[] = ROWS): Promise<string> {
  let text = ''
  for await (const bytes of writeDataFile(STATE, inOne(rows))) text += bytes.toString()
  return text
}

async function readAll(text: string) {
  const file = await readDataFile(inPieces(Buffer.from(text)))
  const rows: TableRow[] = []
  for await (const piece of file.rows()) rows.push(...piece)
  return { state: file.state, rows }
}

/** Lines with a digest that is right for them. */
function sealed(lines: readonly string[]): string {
  const text = `${lines.join('\n')}\n`
  const sha256 = createHash('sha256').update(text).digest('hex')
  return `${text}${JSON.stringify({ rows: lines.length - 1, sha256 })}\n`
}

describe('a portable file', () => {
  test('has a header, a line for each row, and a digest of all of it', async () => {
    const lines = (await written()).split('\n')
    assert.equal(
      lines[0],
      '{"format":"athenz-zms-data","version":1,"lastAssertionId":100007,"lastModified":1700000000123}',
    )
    assert.equal(lines[1], '{"principal":{"principal_id":1,"name":"user.jane","system_suspended":4}}')
    assert.equal(await written(), sealed(lines.slice(0, -2)))
  })

  test('gives back what was written', async () => {
    assert.deepEqual(await readAll(await written()), { state: STATE, rows: ROWS })
    assert.deepEqual(await readAll(await written([])), { state: STATE, rows: [] })
  })

  test('is refused when any byte of it was altered', async () => {
    const text = await written()
    const length = Buffer.byteLength(text)
    for (let at = 0; at < length; at += 7) {
      const bytes = Buffer.from(text)
      bytes[at] = (bytes[at] as number) ^ 1
      await assert.rejects(readAll(bytes.toString('latin1')), { name: 'TransferError' }, `byte ${at}`)
    }
  })

  test('is refused when it was cut short anywhere', async () => {
    const text = await written()
    for (let length = 0; length < text.length - 1; length++) {
      await assert.rejects(readAll(text.slice(0, length)), { name: 'TransferError' }, `${length} characters`)
    }
  })

  const [header, principal] = [
    '{"format":"athenz-zms-data","version":1,"lastAssertionId":1,"lastModified":1}',
    '{"principal":{"principal_id":1,"name":"user.jane","system_suspended":0}}',
  ] as const
  const refusals: readonly [string, string, RegExp][] = [
    ['nothing', '', /^the file is empty$/],
    ['something else', 'INSERT INTO domain', /^this is no file that athenz export wrote$/],
    ['other JSON', '{"format":"other"}\n', /^this is no file that athenz export wrote$/],
    [
      'a newer version',
      sealed([header.replace('"version":1', '"version":2')]),
      /format version 2, this program knows 1$/,
    ],
    [
      'a header without state',
      sealed(['{"format":"athenz-zms-data","version":1}']),
      /^line 1: the state is not complete$/,
    ],
    ['an unknown table', sealed([header, '{"planet":{}}']), /^line 2: planet is no table$/],
    ['an inherited name', sealed([header, '{"constructor":{}}']), /^line 2: constructor is no table$/],
    ['two tables in a line', sealed([header, '{"host":{},"role":{}}']), /^line 2: host is no table$/],
    ['a line that is no object', sealed([header, '[1]']), /^line 2 is not readable$/],
    ['a row without a column', sealed([header, '{"host":{"host_id":1}}']), /^line 2: host\.name is missing$/],
    ['an unknown column', sealed([header, '{"host":{"host_id":1,"name":"a","size":1}}']), /host has no column size$/],
    ['a prototype', sealed([header, '{"host":{"host_id":1,"name":"a","__proto__":{}}}']), /no column __proto__$/],
    [
      'a number as text',
      sealed([header, principal.replace('1', '"1"')]),
      /^line 2: principal\.principal_id is no whole number/,
    ],
    [
      'a number that is not whole',
      sealed([header, principal.replace('0}', '0.5}')]),
      /system_suspended is no whole number: 0\.5$/,
    ],
    ['null for a text', sealed([header, principal.replace('"user.jane"', 'null')]), /name is no text: null$/],
    [
      'something behind the end',
      `${sealed([header, principal])}${principal}\n`,
      /^line 4: there is something behind the end$/,
    ],
    [
      'a wrong number of rows',
      sealed([header, principal]).replace('"rows":1', '"rows":2'),
      /^the file was altered: its digest at the end is another$/,
    ],
  ]
  for (const [what, text, reason] of refusals) {
    test(`is refused with ${what}`, async () => {
      await assert.rejects(readAll(text), (error: Error) => {
        assert.equal(error.name, 'TransferError')
        assert.match(error.message, reason)
        return true
      })
    })
  }

  for (const time of [
    '2026-13-01T00:00:00.000Z',
    '2026-02-30T00:00:00.000Z',
    '2026-01-01 00:00:00.000Z',
    '2026-01-01T00:00:00Z',
    5,
  ]) {
    test(`is refused with the time ${time}`, async () => {
      const row = { domain_id: 1, name: 'a', value: '1', modified: time, created: '2026-01-01T00:00:00.000Z' }
      await assert.rejects(readAll(sealed([header, JSON.stringify({ entity: row })])), /entity\.modified is no time/)
    })
  }
})
