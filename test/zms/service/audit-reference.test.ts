import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditReferenceValidator } from '#zms/service/audit-reference.ts'
import { roleService } from '#zms/service/role.ts'
import { Writes } from '#zms/service/writes.ts'
import { Harness } from './harness.ts'

const ROLE = '/domain/sports/role/readers'

describe('an audit reference', () => {
  let asked: string[] = []

  /** Services whose audit references this judge judges, with a domain that demands them. */
  const judged = async (isValid?: AuditReferenceValidator['isValid']) => {
    const auditReferences = isValid && {
      isValid: (...question: Parameters<AuditReferenceValidator['isValid']>) => {
        const [auditRef, principal, api] = question
        asked.push(`${api} ${principal?.fullName} ${auditRef}`)
        return isValid(...question)
      },
    }
    asked = []
    const zms = await Harness.open({
      services: [
        (deps) => {
          const { store, now } = deps
          const audit = { record() {} }
          const auditedKinds = new Set(['role'])
          const writes = new Writes({ store, audit, serverName: 'h', auditedKinds, auditReferences, now })
          return roleService({ ...deps, writes })
        },
      ],
    })
    await zms.createDomain('sports', { auditEnabled: true })
    await zms.createDomain('weather')
    return zms
  }
  const put = async (zms: Harness, path: string, auditRef?: string) => {
    const headers: Record<string, string> = auditRef === undefined ? {} : { 'Y-Audit-Ref': auditRef }
    const { status, body } = await zms.put(path, { name: 'readers' }, { headers })
    return [status, (body as { message?: string } | undefined)?.message]
  }
  const failed = (auditRef: string) => [
    400,
    `putrole: Audit reference validation failed for domain: sports, auditRef: ${auditRef}`,
  ]

  test('is judged where one is needed, and nowhere else', async () => {
    const zms = await judged((auditRef) => auditRef.startsWith('TICKET-'))
    assert.deepEqual(await put(zms, ROLE, 'TICKET-1'), [204, undefined])
    assert.deepEqual(await put(zms, ROLE, 'because'), failed('because'))
    assert.deepEqual(asked, ['putrole user.admin TICKET-1', 'putrole user.admin because'])
    assert.deepEqual(await put(zms, '/domain/weather/role/readers', 'because'), [204, undefined])
    assert.equal(asked.length, 2)
  })

  test('that is missing is not shown to the judge', async () => {
    const zms = await judged(() => true)
    const required = [400, 'putrole: Audit reference required for domain: sports']
    assert.deepEqual(await put(zms, ROLE), required)
    assert.deepEqual(await put(zms, ROLE, ''), required)
    assert.deepEqual(asked, [])
  })

  test('is refused when the judge fails, or says nothing clear', async () => {
    const failing = await judged(() => {
      throw new Error('no tickets today')
    })
    assert.deepEqual(await put(failing, ROLE, 'TICKET-1'), failed('TICKET-1'))
    const unclear = await judged(() => Promise.resolve(true) as unknown as boolean)
    assert.deepEqual(await put(unclear, ROLE, 'TICKET-1'), failed('TICKET-1'))
  })

  test('may be anything without a judge', async () => {
    assert.deepEqual(await put(await judged(), ROLE, 'because'), [204, undefined])
  })
})
