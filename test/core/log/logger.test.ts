import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openLogger, silentLogger } from '#core/log/logger.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

function collected(options = {}) {
  const lines: string[] = []
  const log = openLogger({ sink: { write: (line) => lines.push(line) }, ...options })
  return { log, lines: () => lines.map((line) => JSON.parse(line)) }
}

describe('the log', () => {
  test('has a level by name, a time, the values of the server and the sentence', () => {
    const { log, lines } = collected({ base: { server: 'zms' } })
    log.warn({ domain: 'sports' }, 'it is full')
    const [{ time, ...line }] = lines() as [Record<string, string>]
    assert.deepEqual(line, { level: 'warn', server: 'zms', domain: 'sports', msg: 'it is full' })
    assert.ok(Math.abs(Date.parse(time ?? '') - Date.now()) < 60_000)
  })

  test('leaves out what is below its level', () => {
    const { log, lines } = collected({ level: 'error' })
    log.warn('no')
    log.error('yes')
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['yes'],
    )
  })

  test('tells an error with its causes', () => {
    const { log, lines } = collected()
    log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')
    const [{ err }] = lines()
    assert.match(JSON.stringify(err), /outer.*inner/s)
  })

  test('hides what is secret, at the top and one level below', () => {
    const { log, lines } = collected()
    log.info(
      { password: 'p', token: 't', headers: { authorization: 'a', 'athenz-principal-auth': 'n', accept: '*/*' } },
      'x',
    )
    const text = JSON.stringify(lines())
    assert.deepEqual(lines()[0].headers, {
      authorization: '[redacted]',
      'athenz-principal-auth': '[redacted]',
      accept: '*/*',
    })
    assert.ok(!/"[ptan]"/.test(text), text)
  })

  test('writes to a file whose folder it makes, and loses nothing when the process ends', () => {
    const file = join(temporaryFolder(), 'logs', 'zms.log')
    const module = new URL('../../../src/core/log/logger.ts', import.meta.url).href
    const script = `import { openLogger } from ${JSON.stringify(module)}
      const log = openLogger({ file: ${JSON.stringify(file)} })
      for (let index = 0; index < 1000; index++) log.info({ index }, 'line')
      process.exit(0)`
    execFileSync(process.execPath, ['--input-type=module', '--eval', script])
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).index),
      Array.from({ length: 1000 }, (_, index) => index),
    )
  })

  test('can be silent', () => {
    assert.equal(silentLogger().isLevelEnabled('fatal'), false)
  })
})
