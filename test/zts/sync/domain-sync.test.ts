import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { nodeFileSystem } from '#core/seam/file-system.ts'
import { newSigner } from '../../core/authority/support.ts'
import { fileError } from '../../support/simulated-file-system.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import type { DomainJson } from '../../support/zts-domains.ts'
import { FakeZms, type FakeZmsOptions, type Interception, send, signedDomain } from './fake-zms.ts'
import { domainsUntil, openShort, readers, sports, sysAuth, timeOf, until } from './synchronization.ts'

async function startZms(options?: FakeZmsOptions) {
  const folder = temporaryFolder()
  const zms = await FakeZms.start(folder, options)
  zms.put(sysAuth, sports(1, 'user.joe'))
  return { folder, zms }
}

/** Whether a question is one for that domain. */
const isAbout =
  (name: string, answer: (response: ServerResponse) => void): Interception =>
  ({ query }, response) => {
    if (query.get('domain') !== name) return false
    answer(response)
    return true
  }

/** Whether a question is one for a list. */
const isList =
  (answer: (response: ServerResponse) => void): Interception =>
  ({ query }, response) => {
    if (query.get('metaonly') !== 'true') return false
    answer(response)
    return true
  }

/** What the file of the domain sports holds, without its signature, which differs from time to time. */
const savedDomain = (copy: string): unknown => JSON.parse(readFileSync(join(copy, 'sports'), 'utf8')).domain

/** A copy on disk, made by a synchronization that has ended. */
async function copyOnDisk(zms: FakeZms, folder: string) {
  const { sync, copy } = await openShort(zms, folder)
  await sync.close()
  return copy
}

describe('while ZMS does not answer', () => {
  test('starts with the local copy, says so, and goes on when ZMS is back', async () => {
    const { folder, zms } = await startZms()
    await copyOnDisk(zms, folder)
    const { port } = zms
    await zms.stop()
    const { sync, log } = await openShort(zms, folder)
    assert.deepEqual(readers(sync), ['user.joe'])
    assert.equal(sync.check(), undefined)
    assert.match(sync.health.reason ?? '', /cannot be reached/)
    assert.equal(sync.health.ageMillis, undefined)
    assert.equal(log.count('warn domains: started with the 2 domains of the local copy'), 1)
    zms.put(sports(2, 'user.jane'))
    await until(() => sync.counters.failures > 2)
    await zms.listen(port)
    await domainsUntil(sync, () => readers(sync).includes('user.jane'))
    assert.equal(log.count('there is no news'), 1)
    assert.equal(log.count('info domains: the source answers again'), 1)
    assert.equal(sync.health.reason, undefined)
  })

  test('keeps all domains however long it lasts, with one line in the log', async () => {
    const { folder, zms } = await startZms()
    const { sync, log } = await openShort(zms, folder)
    await zms.stop()
    await until(() => sync.counters.failures > 5)
    assert.deepEqual(readers(sync), ['user.joe'])
    assert.equal(log.count('there is no news'), 1)
  })

  test('is stale after some time and no longer when there is an answer', async () => {
    const { folder, zms } = await startZms()
    let elapsed = 0
    const { sync } = await openShort(zms, folder, { elapsed: () => elapsed })
    assert.equal(sync.health.state, 'ready')
    elapsed = 120_000
    assert.equal(sync.health.state, 'stale')
    assert.equal(sync.health.ageMillis, 120_000)
    assert.equal(sync.check(), 'no news of the domains for 120 s: the source has not answered')
    zms.put(sports(2))
    await domainsUntil(sync, () => readers(sync).length === 0)
    assert.equal(sync.health.state, 'ready')
    assert.equal(sync.check(), undefined)
  })

  const answers: readonly [string, string, (response: ServerResponse) => void][] = [
    ['nothing at all', 'timeout', () => {}],
    ['in drops', 'timeout', (response) => void drip(response)],
    ['a page in HTML', 'garbage', (response) => send(response, 200, '<html>It works!</html>')],
    ['another object', 'garbage', (response) => send(response, 200, '{"names":[]}')],
    ['half of a list', 'unreachable', (response) => half(response)],
    ['a list cut short', 'garbage', (response) => send(response, 200, '{"domains":[{"domain":{"name":"sys.auth"')],
    ['a list with something else in it', 'garbage', (response) => send(response, 200, '{"domains":[{"domain":null}]}')],
    [
      'a domain without time',
      'garbage',
      (response) => send(response, 200, '{"domains":[{"domain":{"name":"sports"}}]}'),
    ],
    ['a name that is a path', 'garbage', (response) => send(response, 200, pathList)],
    ['an error', 'status', (response) => send(response, 500, '{"code":500,"message":"out of order"}')],
    ['that access is forbidden', 'status', (response) => send(response, 403, '{"code":403,"message":"no"}')],
    ['that nothing has changed, unasked', 'garbage', (response) => send(response, 304, '')],
  ]
  for (const [what, code, answer] of answers) {
    test(`keeps all domains when it answers ${what}`, async () => {
      const { folder, zms } = await startZms()
      await copyOnDisk(zms, folder)
      zms.intercept = isList(answer)
      const times = { listMillis: 100, domainMillis: 100 }
      const { sync, log } = await openShort(zms, folder, {
        times,
        patience: { withCopyMillis: 150, withoutCopyMillis: 1 },
      })
      assert.deepEqual(readers(sync), ['user.joe'])
      assert.equal(log.count('there is no news'), 1, log.lines.join('\n'))
      assert.ok(codes.get(code)?.test(sync.health.reason ?? ''), sync.health.reason)
      zms.intercept = () => false
      await until(() => sync.health.reason === undefined)
      assert.deepEqual(readers(sync), ['user.joe'])
    })
  }

  test('refuses to start without a local copy', async () => {
    const { folder, zms } = await startZms()
    await zms.stop()
    await assert.rejects(
      openShort(zms, folder),
      /cannot be loaded: ZMS at \S+ cannot be reached: .*; there is no local copy/,
    )
  })

  test('refuses to start when more than a quarter of the local copy is damaged', async () => {
    const { folder, zms } = await startZms()
    const copy = await copyOnDisk(zms, folder)
    writeFileSync(join(copy, 'sports'), '')
    await zms.stop()
    await assert.rejects(openShort(zms, folder), /the local copy is not enough \(1 of 2 files damaged\)/)
  })

  test('refuses to start with a copy that has no system domain', async () => {
    const { folder, zms } = await startZms()
    const copy = await copyOnDisk(zms, folder)
    for (const index of [1, 2, 3, 4]) {
      writeFileSync(join(copy, `d${index}`), await signedDomain(zms.signer, { name: `d${index}` }))
    }
    writeFileSync(join(copy, 'sys.auth'), '{"domain":')
    await zms.stop()
    await assert.rejects(openShort(zms, folder), /the local copy is not enough \(1 of 6 files damaged\)/)
  })
})

const codes: ReadonlyMap<string, RegExp> = new Map([
  ['timeout', /does not answer in time/],
  ['garbage', /^ZMS answers /],
  ['unreachable', /cannot be reached/],
  ['status', /answers with status/],
])
const pathList = '{"domains":[{"domain":{"name":"../../etc/passwd","modified":"2026-01-01T00:00:00.000Z"}}]}'

/** An answer that never ends although something comes all the time. */
async function drip(response: ServerResponse) {
  response.writeHead(200)
  while (!response.closed && response.writable) {
    response.write(' ')
    await setTimeout(10)
  }
}

/** An answer that breaks off. */
function half(response: ServerResponse) {
  response.writeHead(200, { 'content-length': '1000' })
  response.write('{"domains":[', () => response.destroy())
}

describe('a domain', () => {
  const refused: readonly [string, RegExp, (zms: FakeZms) => Promise<string>][] = [
    ['signed by somebody else', /its signature is wrong/, async () => signedDomain(newSigner(), sports(2, 'user.eve'))],
    [
      'signed with an unknown key',
      /signed with the key "9", which is not among the zmsPublicKeys of .*athenz\.conf/,
      async () => signedDomain(newSigner('9'), sports(2, 'user.eve')),
    ],
    [
      'changed on its way',
      /its signature is wrong/,
      async (zms) => (await signedDomain(zms.signer, sports(2, 'user.bob'))).replace('user.bob', 'user.eve'),
    ],
    [
      'without signature',
      /no domain or no signature/,
      async (zms) => JSON.stringify({ domain: JSON.parse(await signedDomain(zms.signer, sports(2))).domain }),
    ],
    [
      'cut short',
      /no JSON object, or not all of it/,
      async (zms) => (await signedDomain(zms.signer, sports(2))).slice(0, -20),
    ],
    ['that is another one', /it is another domain, sys\.auth/, async (zms) => signedDomain(zms.signer, sysAuth)],
    [
      'older than the copy',
      /it is older \(2026-02-01T00:00:00.000Z\) than the copy \(2026-02-01T00:01:00.000Z\)/,
      async (zms) => signedDomain(zms.signer, sports(0, 'user.eve')),
    ],
    [
      'older than listed',
      /older version of it than it lists/,
      async (zms) => signedDomain(zms.signer, sports(1, 'user.joe')),
    ],
    [
      'with something in it that cannot be read',
      /expiration is no timestamp/,
      async (zms) =>
        signedDomain(zms.signer, {
          ...sports(2),
          roles: [{ name: 'sports:role.readers', roleMembers: [{ memberName: 'user.eve', expiration: 'tomorrow' }] }],
        }),
    ],
    [
      'and another one',
      /no JSON object/,
      async (zms) =>
        Array(2)
          .fill(await signedDomain(zms.signer, sports(2)))
          .join(','),
    ],
  ]
  for (const [what, reason, answer] of refused) {
    test(`${what} is not taken over, is told of once and tried again`, async () => {
      const { folder, zms } = await startZms()
      const { sync, log, copy } = await openShort(zms, folder)
      const before = savedDomain(copy)
      const text = await answer(zms)
      let asked = 0
      zms.intercept = isAbout('sports', (response) => {
        asked++
        send(response, 200, `{"domains":[${text}]}`)
      })
      zms.put(sports(2, 'user.jane'))
      await until(() => asked > 2)
      assert.deepEqual(readers(sync), ['user.joe'])
      assert.deepEqual(savedDomain(copy), before)
      assert.equal(log.count('domain sports: its new version is not taken over'), 1, log.lines.join('\n'))
      assert.match(log.lines.join('\n'), reason)
      assert.equal(sync.health.failingDomains, 1)
      assert.match(sync.check() ?? '', /^domains that are not up to date: 1 \(sports: /)
      // The others are not held up.
      zms.put({ name: 'news', modified: timeOf(3) })
      await domainsUntil(sync, () => sync.domains.get('news') !== undefined)
      zms.intercept = () => false
      await domainsUntil(sync, () => readers(sync).includes('user.jane'))
      await log.line('info domain sports: it is up to date again')
      assert.equal(sync.health.failingDomains, 0)
    })
  }

  test('is taken over as a whole: with the roles that it no longer has', async () => {
    const { folder, zms } = await startZms()
    const { sync } = await openShort(zms, folder)
    zms.put({ name: 'sports', modified: timeOf(2), groups: [{ name: 'sports:group.all' }] })
    await domainsUntil(sync, () => sync.domains.get('sports')?.groups.has('all') === true)
    assert.equal(sync.domains.get('sports')?.roles.size, 0)
  })

  test('that is disabled is no longer in memory, but in its file; enabled again it is back', async () => {
    const { folder, zms } = await startZms()
    const { sync, copy } = await openShort(zms, folder)
    zms.put({ ...sports(2, 'user.joe'), enabled: false })
    await domainsUntil(sync, () => sync.domains.get('sports') === undefined)
    assert.equal(JSON.parse(readFileSync(join(copy, 'sports'), 'utf8')).domain.enabled, false)
    await sync.close()
    const next = await openShort(zms, folder)
    assert.equal(next.sync.domains.get('sports'), undefined)
    zms.put(sports(3, 'user.joe'))
    await domainsUntil(next.sync, () => readers(next.sync).length === 1)
  })

  test('that fails again and again holds up neither others nor the processor', async () => {
    const { folder, zms } = await startZms()
    const { sync } = await openShort(zms, folder, { intervals: { updateMillis: 100 } })
    zms.intercept = isAbout('sports', (response) => response.destroy())
    zms.put(sports(2))
    await until(() => sync.counters.failures > 2)
    const before = zms.seen.length
    await setTimeout(500)
    assert.ok(zms.seen.length - before < 30, `${zms.seen.length - before} questions in half a second`)
  })

  test('that ZMS has in an older version than the copy stays, and is told of once', async () => {
    const { folder, zms } = await startZms()
    zms.put(sports(5, 'user.joe'))
    const { sync, log } = await openShort(zms, folder, { intervals: { checkMillis: 20 } })
    zms.put(sports(4, 'user.joe', 'user.fired'))
    await log.line('ZMS has 1 domains in an older version than the copy (one is sports)')
    const { length } = zms.lists
    await until(() => zms.lists.length > length + 3)
    assert.deepEqual(readers(sync), ['user.joe'])
    assert.equal(log.count('older version than the copy'), 1)
    zms.put(sports(6, 'user.jane'))
    await domainsUntil(sync, () => readers(sync).includes('user.jane'))
    await log.line('info domains: no longer: ZMS has 1 domains in an older version')
  })

  test('signed with a new key is taken over once athenz.conf has the key', async () => {
    const { folder, zms } = await startZms()
    const { sync, log } = await openShort(zms, folder)
    const next = newSigner('1')
    const text = await signedDomain(next, sports(2, 'user.jane'))
    zms.intercept = isAbout('sports', (response) => send(response, 200, `{"domains":[${text}]}`))
    zms.put(sports(2, 'user.jane'))
    await log.line('its new version is not taken over')
    const keys = [zms.signer, next].map(({ keyId, publicKeyPem }) => ({ id: keyId, key: encodeYBase64(publicKeyPem) }))
    zms.writeConf(folder, { zmsPublicKeys: keys })
    await domainsUntil(sync, () => readers(sync).includes('user.jane'))
  })
})

describe('deleted domains', () => {
  const often = { intervals: { deleteMillis: 20 } }

  test('go from memory and disk', async () => {
    const { folder, zms } = await startZms()
    const { sync, log, copy } = await openShort(zms, folder, often)
    zms.delete('sports')
    await domainsUntil(sync, () => sync.domains.get('sports') === undefined)
    await log.line('info domain sports: removed')
    assert.equal(existsSync(join(copy, 'sports')), false)
    assert.equal(sync.counters.removals, 1)
  })

  test('go at the start, too', async () => {
    const { folder, zms } = await startZms()
    await copyOnDisk(zms, folder)
    zms.delete('sports')
    const { sync, copy } = await openShort(zms, folder)
    assert.equal(sync.domains.get('sports'), undefined)
    assert.equal(existsSync(join(copy, 'sports')), false)
  })

  test('are not those that a ZMS restored from a backup may have lost', async () => {
    const { folder, zms } = await startZms()
    const named = (name: string, minute: number): DomainJson => ({ name, modified: timeOf(minute) })
    zms.put(sports(5, 'user.joe'), named('before', 1), named('after', 3))
    const { sync, log } = await openShort(zms, folder, { intervals: { checkMillis: 20, deleteMillis: 20 } })
    zms.delete('before')
    zms.delete('after')
    zms.put(sports(2, 'user.joe', 'user.fired'))
    await log.line(
      'ZMS does not have 1 domains that may be younger than the backup it was restored from (one is after)',
    )
    await log.line('info domain before: removed')
    assert.deepEqual([...sync.domains.names()].sort(), ['after', 'sports', 'sys.auth'])
    assert.match(sync.check() ?? '', /backup/)
    zms.put(sports(6, 'user.joe'))
    await log.line('info domain after: removed')
    await log.line('info domains: no longer: ZMS has 1 domains in an older version')
    assert.equal(log.count('warn domains: ZMS does not have'), 1)
    assert.equal(log.count('no longer: ZMS does not have'), 1)
    assert.equal(sync.check(), undefined)
  })

  test('go though another one changes while it is fetched', async () => {
    const { folder, zms } = await startZms()
    zms.put({ name: 'gone', modified: timeOf(3) })
    await copyOnDisk(zms, folder)
    zms.delete('gone')
    zms.put(sports(2, 'user.joe'))
    // The list, which is older, is no sign of a backup then.
    zms.intercept = ({ query }) => {
      if (query.get('domain') === 'sports') zms.put(sports(5, 'user.jane'))
      return false
    }
    const { sync, log } = await openShort(zms, folder)
    assert.deepEqual(readers(sync), ['user.jane'])
    assert.equal(sync.domains.get('gone'), undefined)
    assert.equal(log.count('backup'), 0)
  })

  const incredible: readonly [string, string][] = [
    ['is empty', '{"domains":[]}'],
    ['has no system domain', `{"domains":[{"domain":{"name":"news","modified":"${timeOf(1)}","enabled":false}}]}`],
  ]
  for (const [what, list] of incredible) {
    test(`stay when the list ${what}`, async () => {
      const { folder, zms } = await startZms()
      const { sync, log } = await openShort(zms, folder, often)
      zms.delete('sports')
      zms.intercept = isList((response) => send(response, 200, list))
      await log.line('the list of ZMS is not believed')
      const { length } = zms.lists
      await until(() => zms.lists.length > length + 3)
      assert.deepEqual([...sync.domains.names()].sort(), ['sports', 'sys.auth'])
      assert.equal(log.count('is not believed'), 1)
    })
  }

  test('are not those that only a list lacks', async () => {
    const { folder, zms } = await startZms()
    const { sync } = await openShort(zms, folder, often)
    const sysAuthOnly = `{"domains":[{"domain":{"name":"sys.auth","modified":"${sysAuth.modified}"}}]}`
    zms.intercept = isList((response) => send(response, 200, sysAuthOnly))
    const { length } = zms.lists
    await until(() => zms.lists.length > length + 3)
    assert.deepEqual(readers(sync), ['user.joe'])
  })
})

describe('the local copy', () => {
  const damage: readonly [string, (text: string, zms: FakeZms) => string | Promise<string>][] = [
    ['is empty', () => ''],
    ['is torn', (text) => text.slice(0, text.length / 2)],
    ['is changed', (text) => text.replace('user.joe', 'user.eve')],
    ['is another domain', (_, zms) => signedDomain(zms.signer, { name: 'news', modified: timeOf(9) })],
  ]
  for (const [what, change] of damage) {
    test(`is replaced where a file ${what}`, async () => {
      const { folder, zms } = await startZms()
      for (const index of [1, 2, 3]) zms.put({ name: `d${index}` })
      const copy = await copyOnDisk(zms, folder)
      const before = savedDomain(copy)
      const text = readFileSync(join(copy, 'sports'), 'utf8')
      writeFileSync(join(copy, 'sports'), await change(text, zms))
      const { port } = zms
      await zms.stop()
      const { sync, log } = await openShort(zms, folder)
      assert.equal(sync.domains.get('sports'), undefined)
      assert.equal(log.count('domain sports: its new version is not taken over: its local copy cannot be used'), 1)
      await zms.listen(port)
      await domainsUntil(sync, () => readers(sync).includes('user.joe'))
      assert.deepEqual(savedDomain(copy), before)
    })
  }

  test('keeps files that are not its own out, and clears away what was not finished', async () => {
    const { folder, zms } = await startZms()
    const copy = join(folder, 'copy')
    mkdirSync(copy)
    writeFileSync(join(copy, '.sports.tmp'), 'half')
    writeFileSync(join(copy, 'lost+found'), '')
    const { sync } = await openShort(zms, folder)
    assert.deepEqual(readdirSync(copy).sort(), ['.lastModTime', 'lost+found', 'sports', 'sys.auth'])
    assert.equal(sync.health.failingDomains, 0)
  })

  test('may be full: changes count all the same, and are saved when there is room', async () => {
    const { folder, zms } = await startZms()
    let isFull = false
    const fileSystem: typeof nodeFileSystem = {
      ...nodeFileSystem,
      open: async (path, mode) => {
        if (isFull) throw fileError('ENOSPC', path)
        return nodeFileSystem.open(path, mode)
      },
    }
    const { sync, log, copy } = await openShort(zms, folder, { fileSystem, intervals: { checkMillis: 20 } })
    isFull = true
    zms.put(sports(2, 'user.jane'))
    await domainsUntil(sync, () => readers(sync).includes('user.jane'))
    zms.put(sports(3, 'user.jack'))
    await domainsUntil(sync, () => readers(sync).includes('user.jack'))
    assert.equal(log.count('(ENOSPC); they are in memory only'), 1)
    assert.match(sync.check() ?? '', /^changes cannot be saved in \S+copy \(ENOSPC\); they are in memory only$/)
    isFull = false
    await log.line('info domains: no longer: changes cannot be saved')
    assert.equal(sync.check(), undefined)
    assert.match(readFileSync(join(copy, 'sports'), 'utf8'), /user\.jack/)
    await until(() => readFileSync(join(copy, '.lastModTime'), 'utf8').includes(timeOf(3)))
  })

  test('may not let a file be removed: the domain is gone all the same, and its file as soon as that works', async () => {
    const { folder, zms } = await startZms()
    let isBroken = true
    const fileSystem: typeof nodeFileSystem = {
      ...nodeFileSystem,
      remove: async (path) => {
        if (isBroken) throw fileError('EROFS', path)
        return nodeFileSystem.remove(path)
      },
    }
    const { sync, copy } = await openShort(zms, folder, { fileSystem, intervals: { deleteMillis: 20 } })
    zms.delete('sports')
    await domainsUntil(sync, () => sync.domains.get('sports') === undefined)
    assert.match(sync.check() ?? '', /^files of deleted domains cannot be removed: .*EROFS/)
    assert.ok(existsSync(join(copy, 'sports')))
    isBroken = false
    await until(() => !existsSync(join(copy, 'sports')))
    await until(() => sync.check() === undefined)
  })

  test('is fetched again, a few domains at a time, when it is old', async () => {
    const { folder, zms } = await startZms()
    zms.put({ name: 'news' })
    const copy = await copyOnDisk(zms, folder)
    const old = new Date('2026-01-01T00:00:00Z')
    for (const name of ['sports', 'news']) utimesSync(join(copy, name), old, old)
    zms.seen.length = 0
    const { sync } = await openShort(zms, folder, { intervals: { checkMillis: 20, refetchCount: 1 } })
    await until(() => zms.seen.some(({ query }) => query.get('domain') === 'sports'))
    await until(() => zms.seen.some(({ query }) => query.get('domain') === 'news'))
    const { length } = zms.lists
    await until(() => zms.lists.length > length + 3)
    const fetched = zms.seen.flatMap(({ query }) => query.get('domain') ?? [])
    assert.deepEqual(fetched.sort(), ['news', 'sports'])
    assert.deepEqual(readers(sync), ['user.joe'])
  })
})

describe('questions', () => {
  test('do not follow each other at once when answers that may be held back are not', async () => {
    const { folder, zms } = await startZms()
    await openShort(zms, folder, { intervals: { updateMillis: 10_000 } })
    zms.intercept = isList((response) => send(response, 304, '', { 'preference-applied': 'wait' }))
    zms.put(sports(2))
    const { length } = zms.lists
    await setTimeout(1000)
    assert.ok(zms.lists.length - length < 8, `${zms.lists.length - length} questions in a second`)
  })

  test('end when the synchronization does', async () => {
    const { folder, zms } = await startZms()
    const { sync } = await openShort(zms, folder, { intervals: { updateMillis: 60_000 } })
    await until(() => zms.lists.length === 2)
    await sync.close()
    const { length } = zms.seen
    zms.put(sports(2, 'user.jane'))
    assert.equal(zms.seen.length, length)
    assert.deepEqual(readers(sync), ['user.joe'])
  })

  test('go on when the clock is set back or ahead', async () => {
    const { folder, zms } = await startZms()
    let now = Date.now()
    const { sync, log } = await openShort(zms, folder, { now: () => now, intervals: { checkMillis: 20 } })
    for (const [minute, years] of [
      [2, -10],
      [3, 10],
    ] as const) {
      now += years * 31_536_000_000
      zms.put(sports(minute, `user.u${minute}`))
      await domainsUntil(sync, () => readers(sync).includes(`user.u${minute}`))
    }
    assert.equal(sync.health.state, 'ready')
    assert.deepEqual(log.lines, [])
  })
})
