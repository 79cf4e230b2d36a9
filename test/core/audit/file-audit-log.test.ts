import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { keyedSeal } from '#core/audit/chain-seal.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { fileError, SimulatedFileSystem } from '../../support/simulated-file-system.ts'
import { randomFrom } from '../../zms/store/mysql/random-changes.ts'
import {
  contentOf,
  entitiesOf,
  entryOf,
  FOLDER,
  NOON,
  openLog,
  recordingLog,
  verifyContents,
  verifyLog,
} from './support.ts'

const DAY_MILLIS = 86_400_000
const newFileSystem = () => new SimulatedFileSystem(randomFrom(1))

/** Waits, without a time of its own, for something that the log does by itself. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await delay(1)
}

describe('a line', () => {
  test('has the fields of the original and its place in the chain', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem })
    await log.record(entryOf(7, { why: undefined, method: 'REJECT' }))
    await log.close()
    const [content] = (await contentOf(fileSystem)).values()
    const [begin, change, rest] = String(content).split('\n')
    assert.equal(rest, '')
    const { hash: beginHash, ...beginning } = JSON.parse(begin ?? '') as Record<string, unknown>
    assert.match(String(beginHash), /^[0-9a-f]{64}$/)
    assert.deepEqual(beginning, {
      seq: 1,
      type: 'begin',
      WHEN: '2030-01-02T12:00:00.000Z',
      server: 'zms',
      WHERE: 'zms.example.com',
      file: 1,
      oldest: 1,
      chain: 'sha256',
    })
    const { hash, UUID, ...fields } = JSON.parse(change ?? '') as Record<string, unknown>
    assert.match(String(hash), /^[0-9a-f]{64}$/)
    assert.match(String(UUID), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(Number.parseInt(String(UUID).replaceAll('-', '').slice(0, 12), 16), NOON + 7)
    assert.deepEqual(fields, {
      seq: 2,
      type: 'change',
      VERS: 'athenz-def-1.0',
      WHEN: '2030-01-02T12:00:00.007Z',
      WHO: 'v=U1;d=user;n=joe',
      WHY: null,
      WHERE: 'zms.example.com',
      'CLIENT-IP': '10.0.0.1',
      'WHAT-method': 'REJECT',
      'WHAT-api': 'putrole',
      'WHAT-domain': 'sports',
      'WHAT-entity': 'role7',
      'WHAT-details': [{ kind: 'putRole', number: 7 }],
      'WHO-fullname': 'user.joe',
      'WHEN-epoch': NOON + 7,
    })
  })

  test('cannot be forged by values with line ends, quotes or details that are no JSON', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem })
    const forged = '"}\n{"seq":3,"type":"change"}'
    await log.record(entryOf(1, { why: forged, entity: forged, who: '\u2028\u0000\ud800', details: forged }))
    await log.record(entryOf(2, { details: '' }))
    await log.close()
    const report = await verifyLog(fileSystem)
    assert.equal(report.changes, 2)
    assert.deepEqual(await entitiesOf(fileSystem), [forged, 'role2'])
  })
})

describe('record', () => {
  test('resolves when the line survives a crash', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem })
    await log.record(entryOf(1))
    const left = fileSystem.restart()
    assert.deepEqual(await entitiesOf(left), ['role1'])
  })

  test('writes together what comes together, in order', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem })
    let syncs = 0
    fileSystem.faultAt = (_, name) => void (syncs += name === 'sync' ? 1 : 0)
    await Promise.all(Array.from({ length: 100 }, (_, number) => log.record(entryOf(number))))
    assert.equal(syncs, 1)
    await log.close()
    assert.deepEqual(
      await entitiesOf(fileSystem),
      Array.from({ length: 100 }, (_, number) => `role${number}`),
    )
    assert.equal((await verifyLog(fileSystem)).changes, 100)
  })
})

describe('a log that is opened again', () => {
  test('goes on in the same file and chain', async () => {
    const fileSystem = newFileSystem()
    for (const number of [1, 2, 3]) {
      const { lines, log: serverLog } = recordingLog()
      const log = await openLog({ fileSystem, log: serverLog })
      await log.record(entryOf(number))
      await log.close()
      assert.deepEqual(lines, [])
    }
    const report = await verifyLog(fileSystem)
    assert.deepEqual([report.files, report.changes, report.end.seq, report.notes], [1, 3, 4, []])
  })

  test('is refused to a second server, until the first one ends', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem })
    await assert.rejects(openLog({ fileSystem }), { message: `the audit log ${FOLDER} is in use by another server` })
    await log.close()
    await (await openLog({ fileSystem })).close()
  })

  test('cuts off a line that a crash tore, and says so in the log and in the next file', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem })
    await log.record(entryOf(1))
    await log.close()
    const [name] = [...(await contentOf(fileSystem)).keys()]
    const path = `${FOLDER}/${name}`
    const whole = (await fileSystem.readFile(path)).toString()
    fileSystem.damage(path, (content) => Buffer.concat([content, Buffer.from('{"seq":3,"type":"change","VE')]))
    const { lines, log: serverLog } = recordingLog()
    const again = await openLog({ fileSystem, log: serverLog })
    await again.record(entryOf(2))
    await again.close()
    assert.equal((await fileSystem.readFile(path)).toString(), whole)
    assert.equal(lines.length, 1)
    const { level, msg, file, line, bytes } = (lines[0] ?? {}) as Record<string, unknown>
    assert.deepEqual(
      { level, msg, file, line, bytes },
      {
        level: 'warn',
        msg: 'the end of the audit log was torn by a crash and is cut off; the changes it was about were not acknowledged',
        file: name,
        line: 2,
        bytes: 28,
      },
    )
    const report = await verifyLog(fileSystem)
    assert.deepEqual([report.files, report.changes], [2, 2])
    assert.deepEqual(report.notes, [`${name}:2: a crash tore 28 bytes behind this line, which were cut off`])
  })

  const damages: readonly [string, (content: string) => string, RegExp][] = [
    ['its last line is missing', (text) => `${text.split('\n').slice(0, -2).join('\n')}\n`, /no longer holds line 3/],
    ['its last line was edited', (text) => text.replace('role2', 'role3'), /^$/],
    ['the file is empty', () => '', /lost its beginning/],
  ]
  for (const [what, change, damage] of damages) {
    test(`goes on when ${what}, and the log stays broken`, async () => {
      const fileSystem = newFileSystem()
      const log = await openLog({ fileSystem })
      await log.record(entryOf(1))
      await log.record(entryOf(2))
      await log.close()
      const [name] = [...(await contentOf(fileSystem)).keys()]
      fileSystem.damage(`${FOLDER}/${name}`, (content) => Buffer.from(change(content.toString())))
      const { lines, log: serverLog } = recordingLog()
      const again = await openLog({ fileSystem, log: serverLog })
      await again.record(entryOf(3))
      await again.close()
      if (damage.source === '^$') assert.deepEqual(lines, [])
      else {
        const [line] = lines
        assert.deepEqual([lines.length, line?.level], [1, 'error'])
        assert.match(String(line?.['damage']), damage)
      }
      await assert.rejects(verifyLog(fileSystem), { name: 'ChainBreak', file: name })
    })
  }

  test('says when files are missing, and goes on behind where it had been', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem })
    await log.record(entryOf(1))
    await log.close()
    for (const name of (await contentOf(fileSystem)).keys()) await fileSystem.remove(`${FOLDER}/${name}`)
    const { lines, log: serverLog } = recordingLog()
    const again = await openLog({ fileSystem, log: serverLog })
    await again.record(entryOf(2))
    await again.close()
    assert.deepEqual([lines[0]?.level, lines[0]?.['damage']], ['error', 'all its files are missing'])
    await assert.rejects(verifyLog(fileSystem), { name: 'ChainBreak', message: /files 1 to 1 are missing/ })
  })

  test('begins a new file under a new key, which the rest of the log stays tied to', async () => {
    const fileSystem = newFileSystem()
    const keys = [keyedSeal('k'.repeat(32)), keyedSeal('l'.repeat(32))] as const
    for (const [number, seal] of [undefined, ...keys].entries()) {
      const log = await openLog({ fileSystem, ...(seal && { seal }) })
      await log.record(entryOf(number))
      await log.close()
    }
    const contents = await contentOf(fileSystem)
    assert.equal(contents.size, 3)
    assert.equal((await verifyContents(contents, { keys })).changes, 3)
    await assert.rejects(verifyContents(contents), { name: 'MissingKey' })
    await assert.rejects(verifyContents(contents, { keys: [keys[0]] }), { name: 'MissingKey' })
  })
})

describe('rotation', () => {
  test('begins a new file before the size is exceeded, and keeps the chain', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem, maxFileBytes: 2000 })
    for (let number = 0; number < 20; number++) await log.record(entryOf(number))
    await log.close()
    const contents = await contentOf(fileSystem)
    assert.ok(contents.size >= 6, String(contents.size))
    for (const content of contents.values()) assert.ok(content.length <= 2000, String(content.length))
    assert.equal((await verifyLog(fileSystem)).changes, 20)
  })

  test('begins a new file with a new day, and deletes old ones', async () => {
    const fileSystem = newFileSystem()
    let now = NOON
    const log = await openLog({ fileSystem, retainDays: 2, now: () => now })
    const names: string[][] = []
    for (let day = 0; day < 5; day++) {
      await log.record(entryOf(day))
      names.push([...(await contentOf(fileSystem)).keys()].map((name) => name.slice(6, -6)))
      now += DAY_MILLIS
    }
    await log.close()
    assert.deepEqual(names, [
      ['00000001-20300102'],
      ['00000001-20300102', '00000002-20300103'],
      ['00000001-20300102', '00000002-20300103', '00000003-20300104'],
      ['00000001-20300102', '00000002-20300103', '00000003-20300104', '00000004-20300105'],
      ['00000002-20300103', '00000003-20300104', '00000004-20300105', '00000005-20300106'],
    ])
    assert.equal((await verifyLog(fileSystem)).changes, 4)
    await fileSystem.remove(`${FOLDER}/audit-00000002-20300103.jsonl`)
    await assert.rejects(verifyLog(fileSystem), { name: 'ChainBreak', message: /files 2 to 2 are missing/ })
  })

  test('deletes no file because of the name of another, nor forgets one that somebody else deleted', async () => {
    const fileSystem = newFileSystem()
    let now = NOON
    const { lines, log: serverLog } = recordingLog()
    const log = await openLog({ fileSystem, retainDays: 10, now: () => now, log: serverLog })
    for (let day = 0; day < 3; day++) {
      await log.record(entryOf(day))
      now += DAY_MILLIS
    }
    await fileSystem.rename(`${FOLDER}/audit-00000002-20300103.jsonl`, `${FOLDER}/audit-00000002-20200103.jsonl`)
    await log.record(entryOf(3))
    assert.equal((await contentOf(fileSystem)).size, 4)
    assert.deepEqual(lines, [])
    await fileSystem.remove(`${FOLDER}/audit-00000001-20300102.jsonl`)
    now += DAY_MILLIS
    await log.record(entryOf(4))
    await log.close()
    await assert.rejects(verifyLog(fileSystem), { name: 'ChainBreak', message: /files 1 to 1 are missing/ })
  })

  test('by day can be switched off', async () => {
    const fileSystem = newFileSystem()
    let now = NOON
    const log = await openLog({ fileSystem, daily: false, now: () => now })
    await log.record(entryOf(1))
    now += DAY_MILLIS
    await log.record(entryOf(2))
    await log.close()
    assert.equal((await contentOf(fileSystem)).size, 1)
  })
})

describe('a disk that fails', () => {
  const faults: readonly [string, string][] = [
    ['write', 'ENOSPC'],
    ['sync', 'EIO'],
  ]
  for (const [operation, code] of faults) {
    test(`to ${operation}: the change goes to the server's log and is recorded later (${code})`, async () => {
      const fileSystem = newFileSystem()
      const { lines, log: serverLog } = recordingLog()
      const log = await openLog({ fileSystem, log: serverLog, retryMillis: 1 })
      await log.record(entryOf(1))
      let failing = true
      fileSystem.faultAt = (_, name, path) => (failing && name === operation ? fileError(code, path) : undefined)
      await log.record(entryOf(2))
      await log.record(entryOf(3))
      assert.match(log.problem() ?? '', new RegExp(`^the audit log cannot be written: ${code}`))
      const told = lines.filter(({ msg }) => msg === 'a change is not in the audit log: it is held in memory')
      assert.deepEqual(
        told.map(({ level, audit }) => [level, /WHAT-entity=\((\w+)\)/.exec(String(audit))?.[1]]),
        [
          ['error', 'role2'],
          ['error', 'role3'],
        ],
      )
      failing = false
      await until(() => log.problem() === undefined)
      await log.record(entryOf(4))
      await log.close()
      assert.deepEqual(await entitiesOf(fileSystem.restart()), ['role1', 'role2', 'role3', 'role4'])
      const again = lines.at(-1)
      assert.deepEqual(
        [again?.level, again?.msg, again?.['changes']],
        ['info', 'the audit log is written again; it has the changes that were held in memory', 2],
      )
      assert.equal((await verifyLog(fileSystem.restart())).changes, 4)
    })
  }

  test('lets no change be acknowledged without its line when the log is required', async () => {
    const fileSystem = newFileSystem()
    const log = await openLog({ fileSystem, required: true })
    fileSystem.faultAt = (_, name, path) => (name === 'write' ? fileError('ENOSPC', path) : undefined)
    for (const number of [1, 2]) {
      await assert.rejects(
        log.record(entryOf(number)),
        (error) =>
          error instanceof ServiceError &&
          error.status === 503 &&
          error.message === 'The change was made but could not be recorded in the audit log',
      )
    }
    await log.close()
  })

  test('does not fill the memory: the log says how many changes it lacks', async () => {
    const fileSystem = newFileSystem()
    const { lines, log: serverLog } = recordingLog()
    const log = await openLog({ fileSystem, log: serverLog, retryMillis: 1, maxHeld: 1000 })
    let failing = true
    fileSystem.faultAt = (_, name, path) => (failing && name === 'write' ? fileError('ENOSPC', path) : undefined)
    for (let number = 0; number < 5; number++) await log.record(entryOf(number))
    failing = false
    await until(() => log.problem() === undefined)
    await log.close()
    const held = await entitiesOf(fileSystem)
    const lost = lines.filter(({ msg }) => msg === 'a change is not in the audit log: it is lost').length
    assert.ok(held.length > 0 && lost > 0)
    assert.equal(held.length + lost, 5)
    const [content] = (await contentOf(fileSystem)).values()
    assert.match(String(content), new RegExp(`"type":"lost","WHEN":"[^"]*","changes":${lost},`))
    assert.match((await verifyLog(fileSystem)).notes.join(), /changes are missing here/)
  })

  test('when the server stops, tries once more', async () => {
    const fileSystem = newFileSystem()
    const { lines, log: serverLog } = recordingLog()
    const log = await openLog({ fileSystem, log: serverLog })
    let failing = true
    fileSystem.faultAt = (_, name, path) => (failing && name === 'write' ? fileError('ENOSPC', path) : undefined)
    await log.record(entryOf(1))
    failing = false
    await log.close()
    assert.deepEqual(await entitiesOf(fileSystem), ['role1'])
    assert.equal(lines.at(-1)?.level, 'info')
  })

  test('at the start keeps the server from starting', async () => {
    const fileSystem = newFileSystem()
    fileSystem.faultAt = (_, name, path) => (name === 'open' ? fileError('EACCES', path) : undefined)
    await assert.rejects(openLog({ fileSystem }), { code: 'EACCES' })
  })
})
