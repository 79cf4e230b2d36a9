import assert from 'node:assert/strict'
import { join } from 'node:path'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { until } from '../support/until.ts'
import type { Fault } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'
import { SmallDisk } from './small-disk.ts'

const DOMAIN = 'copies'
/** Changes that are made while the disk is full. */
const CHANGES = 5
/** How often ZTS compares its copy with ZMS, which is when it writes what it could not write. */
const CHECK_SECONDS = 2

/** The disk of what ZMS and ZTS write beside the store is full: the audit log, and the local copy of ZTS. */
export const diskOfCopies: Fault = {
  name: 'disk-copies',
  what: "the disk of the audit log of ZMS, and of ZTS's local copy, is full while they run, and when ZTS starts",
  async attempt({ dir, size, report }) {
    const rounds = size === 'long' ? 10 : 1
    await using servers = await FaultServers.make(dir, { zts: true })
    const mounted = await SmallDisk.mount(join(dir, 'disk'), 'memory')
    if (typeof mounted === 'string') return mounted
    await using disk = mounted
    const [audit, copy] = [join(disk.folder, 'audit'), join(disk.folder, 'copy')]
    const zms = await servers.start('zms', {
      settings: { 'athenz.ts.audit_log_dir': audit },
      wrapper: disk.inside,
    })
    const ztsOptions = {
      settings: {
        'athenz.zts.change_log_store_dir': copy,
        'athenz.zts.zms_domain_check_timeout': CHECK_SECONDS,
      },
      wrapper: disk.inside,
    }
    let zts = await servers.start('zts', ztsOptions)
    await zts.becomes(200)
    const made = await zms.ask('POST', '/domain', { name: DOMAIN, adminUsers: ['user.admin'] })
    assert.equal(made.status, 200)
    for (let round = 0; round < rounds; round++) {
      await disk.fill()
      for (let change = 0; change < CHANGES; change++) await addRole(zms, `r${round}x${change}`)
      await remarks(zms, 'audit log', /^the audit log cannot be written: .*ENOSPC/)
      await knows(zts, `r${round}x${CHANGES - 1}`)
      await remarks(zts, 'domains', /^changes cannot be saved in .*copy.* \(ENOSPC\); they are in memory only$/)
      assert.equal(await zms.metric('athenz_check_ok', '{check="audit log"}'), 0.5)
      assert.equal(await zts.metric('athenz_check_ok', '{check="domains"}'), 0.5)

      zts.kill('SIGKILL')
      await zts.ended
      zts = await servers.start('zts', ztsOptions)
      await zts.becomes(200)
      await knows(zts, `r${round}x${CHANGES - 1}`)

      await disk.empty()
      await remarks(zms, 'audit log', undefined)
      await remarks(zts, 'domains', undefined)
      const log = await disk.run('sh', '-c', `cat ${audit}/*`)
      for (let change = 0; change < CHANGES; change++) {
        assert.ok(log.includes(`r${round}x${change}`), `change ${change} of round ${round} is in the audit log`)
      }
      assert.match(await disk.run('cat', join(copy, 'zts_store', DOMAIN)), new RegExp(`r${round}x${CHANGES - 1}`))
    }
    const verified = await disk.run(join(PROJECT_FOLDER, 'bin', 'athenz'), 'audit', 'verify', '--dir', audit)
    report(
      `full ${rounds} ×: ZMS took ${rounds * CHANGES} changes, said that they were not in the audit log, and wrote them as soon as there was room (athenz audit verify: ${verified.split(' with hash')[0]})`,
    )
    report(
      'ZTS had the changes at once, said that they were in memory only, started with the full disk, and saved them as soon as there was room',
    )
    return undefined
  },
}

const role = (name: string) => ({ name, roleMembers: [{ memberName: 'user.seen' }] })

async function addRole(zms: RunningFaultServer, name: string): Promise<void> {
  const { status, body } = await zms.ask('PUT', `/domain/${DOMAIN}/role/${name}`, role(name))
  assert.equal(status, 204, JSON.stringify(body))
}

/** Resolves when ZTS has a role. */
async function knows(zts: RunningFaultServer, name: string): Promise<void> {
  await until(
    async () => {
      const { status, body } = await zts.ask('GET', `/access/domain/${DOMAIN}/principal/user.seen`)
      return status === 200 && (body as { roles: string[] }).roles.includes(name)
    },
    { timeoutMillis: 30_000, what: `that ZTS knows ${name}` },
  )
}

/** Resolves when a server, which is ready all the time, makes this remark, or none. */
async function remarks(server: RunningFaultServer, check: string, remark: RegExp | undefined): Promise<void> {
  await until(
    async () => {
      const { status, body } = await server.readiness()
      assert.equal(status, 200, JSON.stringify(body))
      const said = (body as { remarks?: Record<string, string> }).remarks?.[check]
      return remark === undefined ? said === undefined : said !== undefined && remark.test(said)
    },
    { timeoutMillis: 30_000, what: `${remark ?? 'no remark'} about ${check}` },
  )
}
