import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEntry, AuditLog } from '#core/audit/audit-log.ts'
import { unrecorded } from '#core/audit/audit-log.ts'
import { roleService } from '#zms/service/role.ts'
import { roleMembershipService } from '#zms/service/role-membership.ts'
import { Writes } from '#zms/service/writes.ts'
import { Harness } from './harness.ts'

/** An audit log that a test holds in its hands. */
class HeldAuditLog implements AuditLog {
  required = false
  trouble: string | undefined
  readonly entries: AuditEntry[] = []
  #gate = Promise.withResolvers<void>()

  record(entry: AuditEntry): Promise<void> {
    this.entries.push(entry)
    return this.#gate.promise
  }

  problem(): string | undefined {
    return this.trouble
  }

  open(): void {
    this.#gate.resolve()
  }

  fail(): void {
    this.#gate.promise.catch(() => {})
    this.#gate.reject(unrecorded('disk full'))
  }
}

const ROLE = '/domain/sports/role/readers'

describe('a write', () => {
  let zms: Harness
  let audit: HeldAuditLog

  /** Services whose writes go to a log that has not answered yet. */
  async function held(): Promise<void> {
    zms = await Harness.open({
      services: [
        (deps) => {
          const writes = new Writes({
            store: deps.store,
            audit: (audit = new HeldAuditLog()),
            serverName: 'zms.example.com',
            auditedKinds: new Set(),
            now: deps.now,
          })
          return { ...roleService({ ...deps, writes }), ...roleMembershipService({ ...deps, writes }) }
        },
      ],
    })
    await zms.createDomain('sports')
  }

  const putRole = () =>
    zms.put(
      ROLE,
      { name: 'readers', roleMembers: [{ memberName: 'user.joe' }] },
      { headers: { 'Y-Audit-Ref': 'ticket' } },
    )

  test('is answered when the audit log has it', async () => {
    await held()
    let answered = false
    const answer = putRole().finally(() => (answered = true))
    while (audit.entries.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(answered, false)
    audit.open()
    assert.equal((await answer).status, 204)
    const [{ details, ...entry }] = audit.entries as [AuditEntry]
    assert.deepEqual(entry, {
      when: zms.clock.millis,
      who: 'who-name=admin,who-domain=user,who-fullname=user.admin',
      whoFullName: 'user.admin',
      why: 'ticket',
      where: 'zms.example.com',
      clientAddress: entry.clientAddress,
      method: 'PUT',
      api: 'putrole',
      domain: 'sports',
      entity: 'readers',
    })
    const kinds = (JSON.parse(details) as { kind: string }[]).map(({ kind }) => kind)
    assert.ok(kinds.includes('putRole') && kinds.includes('putRoleMember'), kinds.join())
  })

  test('that changes nothing leaves no entry', async () => {
    await held()
    assert.equal((await zms.delete(ROLE)).status, 404)
    assert.deepEqual(audit.entries, [])
  })

  test('that a required log could not take is answered with 503, though it was made', async () => {
    await held()
    audit.fail()
    const { status, body } = await putRole()
    assert.deepEqual(
      [status, body],
      [503, { code: 503, message: 'The change was made but could not be recorded in the audit log' }],
    )
    assert.ok((await zms.domain('sports')).roles.has('readers'))
  })

  test('is refused with 503 while a required log has a problem, and only then', async () => {
    await held()
    audit.open()
    audit.required = true
    audit.trouble = 'no space'
    const answer = await putRole()
    assert.deepEqual(
      [answer.status, answer.body],
      [503, { code: 503, message: 'Changes cannot be recorded at the moment' }],
    )
    assert.ok(!(await zms.domain('sports')).roles.has('readers'))
    audit.required = false
    assert.equal((await putRole()).status, 204)
    audit.required = true
    audit.trouble = undefined
    assert.equal((await zms.delete(ROLE)).status, 204)
  })
})
