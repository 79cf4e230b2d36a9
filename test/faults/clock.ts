import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { type FaultServerName, FaultServers, type RunningFaultServer } from './fault-servers.ts'

const HOUR_MILLIS = 3_600_000
const DAY_MILLIS = 24 * HOUR_MILLIS
const CLOCK_TOLERANCE_MILLIS = 10_000

/** The clock of ZMS jumps while ZTS follows it; then that of ZTS does. */
export const clock: Fault = {
  name: 'clock',
  what: 'the clock of ZMS jumps forward and back while clients write and ZTS follows, and then that of ZTS',
  async attempt({ dir, size, report }) {
    const jumps = [HOUR_MILLIS, -2 * HOUR_MILLIS, 0, 3 * DAY_MILLIS, 0]
    const rounds = size === 'long' ? 10 : 1
    const fileOf = (server: FaultServerName) => join(dir, `clock-${server}`)
    const shift = async (millis: number, server: FaultServerName = 'zms') => {
      await writeFile(`${fileOf(server)}.new`, String(millis))
      await rename(`${fileOf(server)}.new`, fileOf(server))
    }
    await using servers = await FaultServers.make(dir, { zts: true })
    await Promise.all([shift(0), shift(0, 'zts')])
    const start = (server: FaultServerName) =>
      servers.start(server, {
        preload: [join(import.meta.dirname, 'shifted-clock.ts')],
        env: { FAULT_CLOCK: fileOf(server) },
      })
    let zms = await start('zms')
    const zts = await start('zts')
    const writes = new AcknowledgedWrites(4)
    await writes.prepare(zms)
    writes.start(() => zms)
    let stamp = await stampOf(zms)
    let changes = 0
    for (let round = 0; round < rounds; round++) {
      for (const jump of jumps) {
        await shift(jump)
        await writes.more(20)
        await zms.becomes(200)
        const later = await stampOf(zms)
        assert.ok(later > stamp, `the stamp of the domain went back from ${stamp} to ${later}`)
        stamp = later
        const role = `seen${changes++}`
        assert.equal((await zms.ask('PUT', `/domain/faults/role/${role}`, members(role))).status, 204)
        // By a clock that is behind, or days ahead, the tokens of ZTS are from the future or have ended: it has to wait.
        if (jump < 0 || jump > HOUR_MILLIS) continue
        await until(async () => (await rolesOf(zts)).includes(role), {
          timeoutMillis: 90_000,
          what: `that ZTS knows ${role}`,
        })
        await zts.becomes(200)
      }
    }
    await writes.stop()
    await shift(-HOUR_MILLIS)
    zms.kill('SIGKILL')
    await zms.ended
    zms = await start('zms')
    await zms.becomes(200)
    await writes.assertKept(zms)
    assert.equal((await zms.ask('PUT', '/domain/faults/role/last', members('last'))).status, 204)
    assert.ok((await stampOf(zms)) > stamp, 'stamps go on after a start with an earlier clock')

    await shift(0)
    for (const jump of [DAY_MILLIS, -DAY_MILLIS, 0]) {
      await shift(jump, 'zts')
      await until(async () => Math.abs((await tokenTime(zts)) - Date.now() - jump) < CLOCK_TOLERANCE_MILLIS, {
        what: `a token of a clock that is wrong by ${jump} ms`,
      })
      await zts.becomes(200)
    }
    const role = `seen${changes++}`
    assert.equal((await zms.ask('PUT', `/domain/faults/role/${role}`, members(role))).status, 204)
    await until(async () => (await rolesOf(zts)).includes(role), {
      timeoutMillis: 90_000,
      what: `that ZTS, whose clock is right again, knows ${role}`,
    })
    report(
      `${rounds * jumps.length} jumps by up to three days, and a start with an earlier clock: ${writes.story}; stamps of domains never went back; ZTS, whose tokens do not count by a clock that is far off, had all ${changes} changes as soon as the clock was right; by a clock of its own that was a day ahead, and behind, it gave tokens all the same`,
    )
  },
}

const members = (name: string) => ({ name, roleMembers: [{ memberName: 'user.seen' }] })

async function stampOf(zms: RunningFaultServer): Promise<number> {
  const { body } = await zms.ask('GET', '/domain/faults')
  return Date.parse((body as { modified: string }).modified)
}

/** When a token was issued that is asked for now, in epoch milliseconds; it must be given. */
async function tokenTime(zts: RunningFaultServer): Promise<number> {
  const { status, body } = await zts.ask('GET', '/domain/sys.auth/token')
  assert.equal(status, 200, JSON.stringify(body))
  const [, seconds] = /;t=(\d+);/.exec((body as { token: string }).token) ?? []
  return Number(seconds) * 1000
}

async function rolesOf(zts: RunningFaultServer): Promise<readonly string[]> {
  const { status, body } = await zts.ask('GET', '/access/domain/faults/principal/user.seen').catch(() => ({
    status: 0,
    body: undefined,
  }))
  return status === 200 ? (body as { roles: string[] }).roles : []
}
