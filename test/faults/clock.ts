import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'

const HOUR_MILLIS = 3_600_000
const DAY_MILLIS = 24 * HOUR_MILLIS

/** The clock of ZMS jumps while ZTS follows it. */
export const clock: Fault = {
  name: 'clock',
  what: 'the clock of ZMS jumps forward and back while clients write and ZTS follows',
  async attempt({ dir, size, report }) {
    const jumps = [HOUR_MILLIS, -2 * HOUR_MILLIS, 0, 3 * DAY_MILLIS, 0]
    const rounds = size === 'long' ? 10 : 1
    const file = join(dir, 'clock')
    const shift = async (millis: number) => {
      await writeFile(`${file}.new`, String(millis))
      await rename(`${file}.new`, file)
    }
    await using servers = await FaultServers.make(dir, { zts: true })
    await shift(0)
    const options = { preload: [join(import.meta.dirname, 'shifted-clock.ts')], env: { FAULT_CLOCK: file } }
    let zms = await servers.start('zms', options)
    const zts = await servers.start('zts')
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
    zms = await servers.start('zms', options)
    await zms.becomes(200)
    await writes.assertKept(zms)
    assert.equal((await zms.ask('PUT', '/domain/faults/role/last', members('last'))).status, 204)
    assert.ok((await stampOf(zms)) > stamp, 'stamps go on after a start with an earlier clock')
    report(
      `${rounds * jumps.length} jumps by up to three days, and a start with an earlier clock: ${writes.story}; stamps of domains never went back; ZTS, whose tokens do not count by a clock that is far off, had all ${changes} changes as soon as the clock was right`,
    )
  },
}

const members = (name: string) => ({ name, roleMembers: [{ memberName: 'user.seen' }] })

async function stampOf(zms: RunningFaultServer): Promise<number> {
  const { body } = await zms.ask('GET', '/domain/faults')
  return Date.parse((body as { modified: string }).modified)
}

async function rolesOf(zts: RunningFaultServer): Promise<readonly string[]> {
  const { status, body } = await zts.ask('GET', '/access/domain/faults/principal/user.seen').catch(() => ({
    status: 0,
    body: undefined,
  }))
  return status === 200 ? (body as { roles: string[] }).roles : []
}
