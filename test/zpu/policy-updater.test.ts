import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { checkPolicyFiles, policyView, statusReport } from '#zpu/policy-checks.ts'
import { PolicyUpdater, type PolicyUpdaterParts } from '#zpu/policy-updater.ts'
import { watchPolicies } from '#zpu/policy-watch.ts'
import { RotatingLog } from '#zpu/rotating-log.ts'
import { readZpuConfig, type ZpuConfig } from '#zpu/zpu-config.ts'
import { ZpuMetrics } from '#zpu/zpu-metrics.ts'
import { newSigner } from '../core/authority/support.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { NOW_MILLIS, type PolicyFile, ZpeWorld } from '../zpe/zpe-world.ts'

const HOUR_MILLIS = 3_600_000

/** A question as ZTS was asked it, and the answer to it: a status, or the policies that it has. */
interface Asked {
  readonly operation: string
  readonly request: { readonly domainName: string; readonly matchingTag?: string; readonly body?: unknown }
  readonly wait: string | undefined
}
type Answer = { readonly text: string; readonly waited?: boolean } | { readonly status: 304; readonly waited?: boolean }

async function configOf(members: object = {}, root = temporaryFolder()): Promise<ZpuConfig> {
  const file = join(root, 'zpu.conf')
  writeFileSync(file, JSON.stringify({ domains: 'sports', ...members }))
  return readZpuConfig(file, root)
}

/** An updater over a ZTS that gives these answers, one after the other. */
async function updaterOf(answers: readonly (Answer | Error)[], members: object = {}, world = new ZpeWorld()) {
  const config = await configOf(members, world.root)
  const asked: Asked[] = []
  const exchange = async (
    operation: string,
    request: Asked['request'],
    options?: { headers?: { prefer?: string } },
  ) => {
    asked.push({ operation, request, wait: options?.headers?.prefer })
    const answer = answers[asked.length - 1]
    if (answer === undefined) throw new Error('nothing more to answer')
    if (answer instanceof Error) throw answer
    const headers = answer.waited ? { 'preference-applied': 'wait' } : {}
    return 'text' in answer
      ? { status: 200, headers, body: JSON.parse(answer.text) }
      : { status: 304, headers, body: undefined }
  }
  const keys = {
    zts: (keyId: string) => (keyId === world.zts.keyId ? world.zts.publicKey : undefined),
    zms: (keyId: string) => (keyId === world.zms.keyId ? world.zms.publicKey : undefined),
  }
  const verification = { keys, checkZmsSignature: config.checkZmsSignature }
  const parts = { config, verification, clock: () => world.clock.millis, zts: { exchange } }
  const updater = new PolicyUpdater(parts as unknown as PolicyUpdaterParts)
  const file = join(config.policyFolder, 'sports.pol')
  return { world, config, asked, updater, verification, file, clock: parts.clock }
}

const READ: PolicyFile = { rules: ['ALLOW readers read data'] }

describe('an update', () => {
  test('writes the policies as they were signed, and asks with their version the next time', async () => {
    const world = new ZpeWorld()
    const text = await world.signedFile('sports', { ...READ, modified: NOW_MILLIS })
    const shuffled = JSON.stringify(JSON.parse(text))
    const { updater, asked, file, config } = await updaterOf([{ text: shuffled }, { status: 304 }], {}, world)
    assert.equal((await updater.update('sports')).written, true)
    assert.equal(readFileSync(file, 'utf8'), text)
    assert.equal(statSync(file).mode & 0o755, 0o755)
    assert.deepEqual(readdirSync(config.temporaryFolder), [])
    assert.equal((await updater.update('sports')).written, false)
    assert.deepEqual(asked, [
      { operation: 'getDomainSignedPolicyData', request: { domainName: 'sports' }, wait: undefined },
      {
        operation: 'getDomainSignedPolicyData',
        request: { domainName: 'sports', matchingTag: '"2026-06-01T00:00:00.000Z"' },
        wait: undefined,
      },
    ])
  })

  test('fetches everything when it is told to', async () => {
    const world = new ZpeWorld()
    const text = await world.signedFile('sports', READ)
    const { updater, asked } = await updaterOf([{ text }, { text }], {}, world)
    await updater.update('sports')
    assert.equal((await updater.update('sports', { force: true })).written, true)
    assert.equal(asked[1]?.request.matchingTag, undefined)
  })

  const OUTDATED: readonly (readonly [what: string, file: (world: ZpeWorld) => Promise<string> | string])[] = [
    ['is torn', async (world) => (await world.signedFile('sports', READ)).slice(0, -10)],
    ['was tampered with', async (world) => (await world.signedFile('sports', READ)).replace('read', 'reed')],
    ['is of another domain', (world) => world.signedFile('media', READ)],
    [
      'is signed with a key that is no longer known',
      (world) => world.signedFile('sports', { ...READ, signer: newSigner('9') }),
    ],
    ['expires soon', (world) => world.signedFile('sports', { ...READ, expires: NOW_MILLIS + 48 * HOUR_MILLIS })],
    ['is of the other form', (world) => world.jwsFile('sports', READ)],
  ]
  for (const [what, former] of OUTDATED) {
    test(`fetches policies anew whose file ${what}`, async () => {
      const world = new ZpeWorld()
      world.put('sports.pol', await former(world))
      const text = await world.signedFile('sports', READ)
      const { updater, asked, file } = await updaterOf([{ text }], { policyDir: world.policyFolder }, world)
      assert.equal((await updater.update('sports')).written, true)
      assert.equal(asked[0]?.request.matchingTag, undefined)
      assert.equal(readFileSync(file, 'utf8'), text)
    })
  }

  const REFUSED: readonly (readonly [what: string, reason: RegExp, answer: (world: ZpeWorld) => Promise<string>])[] = [
    ['of another domain', /with the policies of media$/, (world) => world.signedFile('media', READ)],
    ['that have expired', /have expired$/, (world) => world.signedFile('sports', { ...READ, expires: NOW_MILLIS - 1 })],
    [
      'of somebody else',
      /its signature is wrong/,
      (world) => world.signedFile('sports', { ...READ, signer: newSigner('zts.0') }),
    ],
    [
      'of an unknown key',
      /key "x" of ZTS, which is not known/,
      (world) => world.signedFile('sports', { ...READ, signer: newSigner('x') }),
    ],
  ]
  for (const [what, reason, answer] of REFUSED) {
    test(`takes no policies ${what}, and leaves the file`, async () => {
      const world = new ZpeWorld()
      const former = await world.signedFile('sports', { ...READ, expires: NOW_MILLIS + HOUR_MILLIS })
      world.put('sports.pol', former)
      const { updater, file } = await updaterOf([{ text: await answer(world) }], {}, world)
      await assert.rejects(updater.update('sports'), reason)
      assert.equal(readFileSync(file, 'utf8'), former)
    })
  }

  test('wants the signature of ZMS where it is told to', async () => {
    const world = new ZpeWorld()
    const without = await world.signedFile('sports', READ)
    const text = await world.signedFile('sports', { ...READ, zmsSigner: world.zms })
    const { updater } = await updaterOf([{ text: without }, { text }], { checkZMSSignature: true }, world)
    await assert.rejects(updater.update('sports'), /no signature of ZMS/)
    assert.equal((await updater.update('sports')).written, true)
  })

  test('takes web signatures where they are wanted', async () => {
    const world = new ZpeWorld()
    const text = await world.jwsFile('sports', { ...READ, expires: NOW_MILLIS - 1 })
    const { updater, asked, file } = await updaterOf(
      [{ text }],
      { jwsPolicySupport: true, policyVersions: { all: '1' } },
      world,
    )
    assert.equal((await updater.update('sports')).policies.form, 'jws')
    assert.deepEqual(asked[0]?.request.body, { policyVersions: { all: '1' }, signatureP1363Format: true })
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(text))
  })

  test('does not leave the folder of policies', async () => {
    const { updater, asked } = await updaterOf([])
    await assert.rejects(updater.update('../sports'), { name: 'RangeError', message: /"\.\.\/sports" is no name/ })
    assert.deepEqual(asked, [])
    await assert.rejects(configOf({ domains: 'sports,../etc/x' }), /domains: \.\.\/etc\/x is no name of a domain/)
  })
})

describe('a watch', () => {
  async function watched(answers: readonly (Answer | Error)[], world = new ZpeWorld()) {
    const { updater, asked } = await updaterOf(answers, {}, world)
    const stopping = new AbortController()
    const pauses: number[] = []
    const failures: string[] = []
    const metrics = new ZpuMetrics(() => world.clock.millis)
    await watchPolicies(
      {
        updater,
        domains: ['sports'],
        intervalMillis: 60_000,
        onUpdate: (domain, { policies, written }) =>
          metrics.confirmed(domain, policies, written ? 'written' : 'unchanged'),
        onFailure(_, message) {
          failures.push(message)
          if (message === 'nothing more to answer') stopping.abort()
        },
        wait: async (millis) => void pauses.push(millis),
        random: () => 1,
      },
      stopping.signal,
    )
    return { asked, pauses: pauses.slice(0, -1), failures: failures.slice(0, -1), metrics }
  }

  test('asks again at once after news, and where ZTS waits for them', async () => {
    const world = new ZpeWorld()
    const text = async (modified: number) => ({
      text: await world.signedFile('sports', { ...READ, modified }),
      waited: true,
    })
    const { asked, pauses, metrics } = await watched(
      [
        await text(NOW_MILLIS),
        { status: 304, waited: true },
        await text(NOW_MILLIS + 1),
        { status: 304, waited: true },
      ],
      world,
    )
    assert.deepEqual(pauses, [])
    assert.deepEqual(
      asked.map(({ wait }) => wait),
      [undefined, 'wait=30', 'wait=30', 'wait=30', 'wait=30'],
    )
    const text2 = await metrics.registry.metrics()
    assert.match(text2, /athenz_zpu_policy_version_timestamp_seconds\{domain="sports"\} 1780272000\.001/)
    assert.match(text2, /athenz_zpu_policy_age_seconds\{domain="sports"\} 0/)
    assert.match(text2, /athenz_zpu_updates_total\{domain="sports",outcome="written"\} 2/)
  })

  test('asks at intervals where ZTS does not wait, or has the same again', async () => {
    const world = new ZpeWorld()
    const soon = { text: await world.signedFile('sports', { ...READ, expires: NOW_MILLIS + HOUR_MILLIS }) }
    const { pauses } = await watched([soon, soon, soon], world)
    assert.deepEqual(pauses, [60_000, 60_000])
    const good = { text: await world.signedFile('sports', READ) }
    assert.deepEqual((await watched([good, { status: 304 }, { status: 304 }], world)).pauses, [60_000, 60_000])
  })

  test('pauses longer after each failure, and not after success', async () => {
    const world = new ZpeWorld()
    const text = await world.signedFile('sports', READ)
    const away = new Error('away')
    const { pauses, failures } = await watched([...Array.from({ length: 8 }, () => away), { text }, away], world)
    assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 500])
    assert.equal(failures.length, 9)
  })
})

describe('checks', () => {
  test('say how each file is', async () => {
    const world = new ZpeWorld()
    const members = { domains: 'sports,media,weather,games,none', policyDir: world.policyFolder }
    const { config, verification, clock } = await updaterOf([], members, world)
    await world.putPolicies('sports', { ...READ, expires: NOW_MILLIS + 49 * HOUR_MILLIS })
    await world.putPolicies('media', { ...READ, expires: NOW_MILLIS + 47 * HOUR_MILLIS })
    world.put('weather.pol', (await world.signedFile('weather', READ)).replace('read', 'reed'))
    world.put('games.pol', await world.signedFile('sports', READ))
    const checks = await checkPolicyFiles(config, verification, clock)
    assert.deepEqual(
      checks.map(({ details: { domain_name, metrics } }) => [domain_name, ...Object.values(metrics)]),
      [
        ['sports', true, 60, true],
        ['media', true, -60, true],
        ['weather', true, 0, false],
        ['games', true, 0, false],
        ['none', false, 0, false],
      ],
    )
    assert.deepEqual(statusReport(checks), {
      application: 'zpu-check',
      status_code: 1,
      status_msg: [
        '4 error(s) occurred: policy file expired for domain media',
        'failed to validate policy file signature for domain weather: its signature is wrong',
        'policy file of domain games has the policies of sports',
        "policy file doesn't exist for domain none",
      ].join('; '),
    })
    assert.deepEqual(statusReport(checks.slice(0, 1)), {
      application: 'zpu-check',
      status_code: 0,
      status_msg: 'All policy files are valid',
    })
  })

  test('show policies with the members in the order of the API', async () => {
    const world = new ZpeWorld()
    const { updater } = await updaterOf([{ text: await world.signedFile('sports', READ) }], {}, world)
    const { policies } = await updater.update('sports')
    assert.equal(
      JSON.stringify(policyView(policies)),
      '{"policyData":{"domain":"sports","policies":[{"name":"sports:policy.all","modified":"1970-01-01T00:00:00.000Z",' +
        '"assertions":[{"role":"sports:role.readers","resource":"sports:data","action":"read","effect":"ALLOW"}]}]},' +
        '"modified":"2026-06-01T00:00:00.000Z","expires":"2026-06-08T00:00:00.000Z"}',
    )
  })
})

describe('zpu.conf', () => {
  test('has the defaults of the original', async () => {
    const root = temporaryFolder()
    const config = await configOf({ user: 'root', metricDir: '/elsewhere' }, root)
    assert.deepEqual(config, {
      domains: ['sports'],
      policyFolder: join(root, 'var/zpe'),
      temporaryFolder: join(root, 'tmp/zpe'),
      metricsFolder: join(root, 'var/zpe_stat'),
      privateKeyFile: undefined,
      certificateFile: undefined,
      authoritiesFile: undefined,
      proxy: false,
      expiryCheckSeconds: 172_800,
      checkZmsSignature: false,
      jws: false,
      policyVersions: {},
      log: { maxBytes: 104_857_600, maxAgeDays: 28, maxBackups: 7, compress: false },
    })
  })

  test('is refused with the reason when it is not in order', async () => {
    await assert.rejects(configOf({ expiryCheck: 'soon', proxy: 1 }), (error: Error) => {
      assert.match(error.message, /zpu\.conf: expiryCheck: /)
      assert.match(error.message, /zpu\.conf: proxy: /)
      return true
    })
    await assert.rejects(readZpuConfig('/nowhere/zpu.conf', '/'), /zpu\.conf: the configuration cannot be read/)
    assert.deepEqual((await configOf({ domains: ' sports , media,' })).domains, ['sports', 'media'])
  })
})

describe('the log', () => {
  test('begins anew when it is full, and keeps some of what was before', async () => {
    const folder = join(temporaryFolder(), 'logs')
    const file = join(folder, 'zpu.log')
    const clock = { millis: NOW_MILLIS }
    const limits = { maxBytes: 100, maxAgeDays: 100_000, maxBackups: 2, compress: true }
    const log = await RotatingLog.open(file, limits, () => clock.millis++)
    for (let count = 0; count < 12; count++) log.write(`line ${count}\nof the log`)
    await log.close()
    const names = readdirSync(folder).toSorted()
    assert.equal(names.filter((name) => /^zpu-2026-06-01T.*Z\.log\.gz$/.test(name)).length, 2)
    assert.match(readFileSync(file, 'utf8'), /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d line \d+ of the log\n/)
    assert.equal(names.length, 3)
  })
})
