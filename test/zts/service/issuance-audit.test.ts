import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AuditEntry, AuditLog } from '#core/audit/audit-log.ts'
import { unrecorded } from '#core/audit/audit-log.ts'
import { withIssuanceAudit } from '#zts/service/issuance-audit.ts'
import { roleCertificateService } from '#zts/service/role-certificate.ts'
import { requestFor } from '../../support/certificate-requests.ts'
import { certificateOf, NotingSigner, openCertificateParts } from './certificate-parts.ts'
import { Harness, START_MILLIS } from './harness.ts'
import { InstanceHarness, identityCertificate, PROVIDER, serialOf } from './instance-parts.ts'

class NotingAudit implements AuditLog {
  required = false
  trouble: string | undefined
  fails = false
  readonly entries: AuditEntry[] = []

  async record(entry: AuditEntry): Promise<void> {
    if (this.fails) throw unrecorded('disk full')
    this.entries.push(entry)
  }

  problem(): string | undefined {
    return this.trouble
  }

  get last(): Omit<AuditEntry, 'details'> & { details: Record<string, unknown> } {
    const entry = this.entries.at(-1)
    assert.ok(entry)
    return { ...entry, details: JSON.parse(entry.details) as Record<string, unknown> }
  }
}

const withAudit = async () => {
  const audit = new NotingAudit()
  return { audit, instances: await InstanceHarness.open({ audit }) }
}

suite('the audit log of instances', () => {
  test('has a registration, with what was certified', async () => {
    const { audit, instances } = await withAudit()
    const answer = await instances.register({ hostname: 'h1.example.com' })
    assert.equal(answer.status, 201)
    const certificate = identityCertificate(answer)
    const { details, ...entry } = audit.last
    assert.deepEqual(
      { ...entry, clientAddress: '' },
      {
        when: START_MILLIS,
        who: entry.who,
        whoFullName: entry.whoFullName,
        why: undefined,
        where: 'zts.example.com',
        clientAddress: '',
        method: 'POST',
        api: 'postinstanceregisterinformation',
        domain: 'sports',
        entity: 'i-1',
      },
    )
    assert.deepEqual(details, {
      provider: PROVIDER,
      hostname: 'h1.example.com',
      instanceId: 'i-1',
      service: 'sports.api',
      subject: certificate.subject.split('\n'),
      subjectAltName: certificate.subjectAltName,
      serial: serialOf(certificate),
      notBefore: certificate.validFromDate.toISOString(),
      notAfter: certificate.validToDate.toISOString(),
    })
  })

  test('has renewals and the end of an instance', async () => {
    const { audit, instances } = await withAudit()
    const first = identityCertificate(await instances.register())
    const renewed = await instances.refresh(first)
    assert.equal(renewed.status, 200)
    assert.deepEqual(
      [audit.last.api, audit.last.whoFullName, audit.last.entity, audit.last.details['serial']],
      ['postinstancerefreshinformation', 'sports.api', 'i-1', serialOf(identityCertificate(renewed))],
    )
    const path = `/instance/${PROVIDER}/sports/api/i-1`
    assert.equal((await instances.harness.delete(path, { as: 'user.admin' })).status, 204)
    assert.deepEqual(
      [audit.last.method, audit.last.domain, audit.last.entity, audit.last.details],
      ['DELETE', 'sports', 'i-1', { provider: PROVIDER, service: 'api' }],
    )
    assert.equal(audit.entries.length, 3)
  })

  test('has SSH certificates by their thumbprints', async () => {
    const { audit, instances } = await withAudit()
    const answer = await instances.harness.post(
      '/sshcert',
      {
        certRequestData: { principals: ['joe'], publicKey: 'ssh-ed25519 AAAA' },
        certRequestMeta: { requestor: 'user.joe', origin: '192.0.2.1', certType: 'user' },
      },
      { as: 'user.joe' },
    )
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    const { domain, entity, details } = audit.last
    assert.deepEqual([domain, entity, details['certType'], details['principals']], ['user', 'joe', 'user', ['joe']])
    assert.match(String(details['sshCertificates']), /^[\w-]{43}$/)
  })

  test('has nothing of what was refused', async () => {
    const { audit, instances } = await withAudit()
    assert.equal((await instances.register({ attestationData: 'wrong' })).status, 403)
    assert.equal((await instances.register({ domain: 'nowhere' })).status, 404)
    assert.deepEqual(audit.entries, [])
  })
})

suite('a certificate', () => {
  test('is not handed out when a required log could not take it, and not made while that is known', async () => {
    const { audit, instances } = await withAudit()
    audit.required = true
    audit.fails = true
    const late = await instances.register()
    assert.deepEqual(
      [late.status, late.body],
      [503, { code: 503, message: 'The change was made but could not be recorded in the audit log' }],
    )
    audit.trouble = 'disk full'
    const { asked } = instances.fakes.provider
    const before = asked.length
    const early = await instances.register()
    assert.deepEqual(
      [early.status, early.body],
      [503, { code: 503, message: 'Changes cannot be recorded at the moment' }],
    )
    assert.equal(asked.length, before)
  })

  test('of a role is recorded under the role, whichever way it was asked for', async () => {
    const audit = new NotingAudit()
    const signer = await NotingSigner.create()
    const parts = await openCertificateParts(signer)
    const role = { name: 'sports:role.readers', roleMembers: [{ memberName: 'media.api' }] }
    const zts = await Harness.open({
      services: [
        (own) =>
          withIssuanceAudit(roleCertificateService({ ...own, ...parts(own) }), {
            audit,
            serverName: 'h',
            userDomain: 'user',
            now: own.now,
          }),
      ],
      domains: [{ name: 'sports', roles: [role] }, { name: 'media' }],
    })
    const csr = requestFor('Sports:role.READERS', ['URI:athenz://principal/media.api'])
    const certificate = certificateOf(await zts.post('/rolecert', { csr }, { as: 'media.api' }))
    const { domain, entity, whoFullName, details } = audit.last
    assert.deepEqual([domain, entity, whoFullName], ['sports', 'readers', 'media.api'])
    assert.equal(details['serial'], serialOf(certificate))
    const old = await zts.post('/domain/sports/role/readers/token', { csr }, { as: 'media.api' })
    assert.equal(old.status, 200)
    assert.deepEqual([audit.last.domain, audit.last.entity], ['sports', 'readers'])
    assert.ok(audit.last.details['serial'])
  })
})
