import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type AuditHead, encodeHead, headFile, readHead } from '#core/audit/audit-files.ts'
import { keyedSeal, openSeal } from '#core/audit/chain-seal.ts'
import { ChainBreak } from '#core/audit/verify-chain.ts'
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts'
import { randomFrom } from '../../zms/store/mysql/random-changes.ts'
import { contentOf, entryOf, FOLDER, openLog, verifyContents } from './support.ts'

const KEY = keyedSeal('a secret of more than 32 characters')

/** A log of several files, and the note of how far it reaches. */
async function writtenLog(seal = openSeal): Promise<{ contents: Map<string, Buffer>; head: AuditHead }> {
  const fileSystem = new SimulatedFileSystem(randomFrom(1))
  const log = await openLog({ fileSystem, seal, maxFileBytes: 3000 })
  for (let number = 0; number < 25; number++) await log.record(entryOf(number))
  await log.close()
  const head = readHead(seal, await fileSystem.readFile(headFile(FOLDER)))
  assert.ok(head)
  return { contents: await contentOf(fileSystem), head }
}

const PLAIN = await writtenLog()
const KEYED = await writtenLog(KEY)

/** The lines of a log, with the file of each. */
const linesOf = (contents: ReadonlyMap<string, Buffer>): { file: string; text: string }[] =>
  [...contents].flatMap(([file, content]) =>
    content
      .toString('latin1')
      .split('\n')
      .slice(0, -1)
      .map((text) => ({ file, text })),
  )

/** Files again; those of the original stay even when they are left without lines. */
function filesOf(contents: ReadonlyMap<string, Buffer>, lines: readonly { file: string; text: string }[]) {
  const texts = new Map([...contents.keys()].map((name) => [name, '']))
  for (const { file, text } of lines) texts.set(file, `${texts.get(file) ?? ''}${text}\n`)
  return new Map([...texts].map(([name, text]) => [name, Buffer.from(text, 'latin1')]))
}

const LINES = linesOf(PLAIN.contents)
const anyLine = fc.nat({ max: LINES.length - 1 })

/** The line at which verification ends, as an index of all lines; fails when there is no break. */
async function breakOf(contents: ReadonlyMap<string, Buffer>, head = PLAIN.head): Promise<number> {
  const error = await verifyContents(contents, { head }).then(
    () => assert.fail('the change was not noticed'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ChainBreak, String(error))
  const inFile = LINES.findIndex(({ file }) => file === error.file)
  return inFile + error.line - 1
}

describe('a log as it was written', () => {
  test('verifies, with and without a key', async () => {
    assert.ok(PLAIN.contents.size >= 5)
    for (const [{ contents, head }, keys] of [
      [PLAIN, []],
      [KEYED, [KEY]],
    ] as const) {
      const report = await verifyContents(contents, { head, keys })
      assert.deepEqual(
        [report.files, report.changes, report.lines, report.notes],
        [contents.size, 25, 25 + contents.size, []],
      )
      assert.deepEqual(report.end, { seq: head.seq, hash: head.hash })
    }
  })

  test('verifies from any of its files on, when that is asked for', async () => {
    for (let from = 1; from < PLAIN.contents.size; from++) {
      const contents = new Map([...PLAIN.contents].slice(from))
      await verifyContents(contents, { complete: false, head: PLAIN.head })
      await assert.rejects(verifyContents(contents), { message: /files 1 to \d+ are missing/ })
    }
  })

  test('contains the lines that it contains', async () => {
    const { seq, hash } = JSON.parse(LINES[7]?.text ?? '') as { seq: number; hash: string }
    await verifyContents(PLAIN.contents, { contains: { seq, hash } })
    await assert.rejects(verifyContents(PLAIN.contents, { contains: { seq: seq + 1, hash } }), { name: 'ChainBreak' })
  })

  test('may end in a line that is being written', async () => {
    const name = [...PLAIN.contents.keys()].at(-1) ?? ''
    const content = Buffer.concat([PLAIN.contents.get(name) as Buffer, Buffer.from('{"seq":99,"ty')])
    const report = await verifyContents(new Map([...PLAIN.contents, [name, content]]), { head: PLAIN.head })
    assert.match(report.notes.join(), /the last line is not complete/)
  })
})

describe('whoever can write the files, but does not compute hashes anew, cannot', () => {
  test('change a byte of a line', async () => {
    await fc.assert(
      fc.asyncProperty(anyLine, fc.nat(), fc.integer({ min: 1, max: 255 }), async (index, place, flip) => {
        const lines = LINES.map((line) => ({ ...line }))
        const bytes = Buffer.from(LINES[index]?.text ?? '', 'latin1')
        const at = place % bytes.length
        bytes[at] = (bytes[at] as number) ^ flip
        lines[index] = { file: LINES[index]?.file ?? '', text: bytes.toString('latin1') }
        const found = await breakOf(filesOf(PLAIN.contents, lines))
        // What a first line says of the file before shows there already.
        assert.ok(found === index || (found === index - 1 && LINES[index]?.text.includes('"begin"')), `${found}`)
      }),
      { numRuns: 300 },
    )
  })

  test('replace a line by another text', async () => {
    await fc.assert(
      fc.asyncProperty(anyLine, fc.string(), async (index, text) => {
        fc.pre(text !== LINES[index]?.text)
        const lines = LINES.with(index, { file: LINES[index]?.file ?? '', text: Buffer.from(text).toString('latin1') })
        await breakOf(filesOf(PLAIN.contents, lines))
      }),
    )
  })

  test('remove lines', async () => {
    await fc.assert(
      fc.asyncProperty(anyLine, fc.integer({ min: 1, max: 5 }), async (index, count) => {
        const lines = LINES.toSpliced(index, count)
        await breakOf(filesOf(PLAIN.contents, lines))
      }),
      { numRuns: 200 },
    )
  })

  test('swap two lines', async () => {
    await fc.assert(
      fc.asyncProperty(anyLine, anyLine, async (one, other) => {
        fc.pre(one !== other)
        const [a, b] = [LINES[one], LINES[other]]
        assert.ok(a && b)
        const lines = LINES.with(one, { ...a, text: b.text }).with(other, { ...b, text: a.text })
        await breakOf(filesOf(PLAIN.contents, lines))
      }),
      { numRuns: 200 },
    )
  })

  test('add a line, or repeat one', async () => {
    await fc.assert(
      fc.asyncProperty(anyLine, anyLine, fc.option(fc.string()), async (after, repeated, text) => {
        const file = LINES[after]?.file ?? ''
        const lines = LINES.toSpliced(after + 1, 0, { file, text: text ?? LINES[repeated]?.text ?? '' })
        await breakOf(filesOf(PLAIN.contents, lines))
      }),
      { numRuns: 200 },
    )
  })

  test('cut a file off anywhere, or take it away', async () => {
    const names = [...PLAIN.contents.keys()]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), async (name, place) => {
        const content = PLAIN.contents.get(name) as Buffer
        await breakOf(new Map([...PLAIN.contents, [name, content.subarray(0, place % content.length)]]))
      }),
      { numRuns: 200 },
    )
    for (const name of names) await breakOf(new Map([...PLAIN.contents].filter(([other]) => other !== name)))
  })

  test('exchange two files', async () => {
    const names = [...PLAIN.contents.keys()]
    for (const one of names) {
      for (const other of names) {
        if (one === other) continue
        const swapped = new Map(PLAIN.contents)
        swapped.set(one, PLAIN.contents.get(other) as Buffer).set(other, PLAIN.contents.get(one) as Buffer)
        await breakOf(swapped)
      }
    }
  })
})

describe('a log with a key', () => {
  /** Writes the same log as the server would, but with changes of one's own and the hashes that go with them. */
  async function forged(seal = openSeal) {
    const fileSystem = new SimulatedFileSystem(randomFrom(1))
    const log = await openLog({ fileSystem, seal, maxFileBytes: 3000 })
    for (let number = 0; number < 25; number++) await log.record(entryOf(number, { whoFullName: 'user.somebody' }))
    await log.close()
    return contentOf(fileSystem)
  }

  test('cannot be replaced by one without, nor by one under another key', async () => {
    await assert.rejects(verifyContents(await forged(), { keys: [KEY] }), {
      name: 'ChainBreak',
      message: /without a key at its end/,
    })
    const other = keyedSeal('another secret of more than 32 characters')
    await assert.rejects(verifyContents(await forged(other), { keys: [KEY] }), { name: 'MissingKey' })
  })

  test('cannot go on without one', async () => {
    const first = new Map([...KEYED.contents].slice(0, 1))
    const rest = new Map([...(await forged())].slice(1))
    await assert.rejects(verifyContents(new Map([...first, ...rest]), { keys: [KEY] }), { name: 'ChainBreak' })
  })

  test('cannot be judged without the key', async () => {
    await assert.rejects(verifyContents(KEYED.contents), {
      name: 'MissingKey',
      message: /the log is under key [0-9a-f]{16}/,
    })
  })

  test('has a note of its head that nobody else can write', () => {
    const { head } = KEYED
    assert.deepEqual(readHead(KEY, encodeHead(KEY, head)), head)
    assert.equal(readHead(KEY, encodeHead(openSeal, head)), undefined)
    const older = encodeHead(KEY, head)
      .toString()
      .replace(`"seq":${head.seq}`, `"seq":${head.seq - 1}`)
    assert.equal(readHead(KEY, Buffer.from(older)), undefined)
    for (const text of ['', 'x', '{}', 'null', '{"file":1,"bytes":1,"seq":1,"hash":5,"check":"x"}']) {
      assert.equal(readHead(KEY, Buffer.from(text)), undefined)
    }
  })

  test('needs a secret that cannot be guessed', () => {
    assert.throws(() => keyedSeal('short'), { message: 'the secret has 5 characters, fewer than 32' })
  })
})
