import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rolesRequiringCertificateService } from '#zts/service/roles-requiring-certificate.ts'
import type { DomainJson } from '../../support/zts-domains.ts'
import { Harness, refusal } from './harness.ts'

const role = (name: string, members: object[], ...tag: string[]) => ({
  name,
  roleMembers: members,
  tags: { 'zts.IssueRoleCerts': { list: tag } },
})
const ann = { memberName: 'user.ann' }
const SPORTS: DomainJson = {
  name: 'sports',
  roles: [
    role('sports:role.yes', [ann], 'true'),
    role('sports:role.first', [ann], 'true', 'false'),
    role('sports:role.no', [ann], 'false', 'true'),
    role('sports:role.upper', [ann], 'TRUE'),
    role('sports:role.empty', [ann]),
    role('sports:role.prefix', [{ memberName: 'user.a*' }], 'true'),
    role('sports:role.all', [{ memberName: '*' }], 'true'),
    role('sports:role.group', [{ memberName: 'sports:group.crew' }], 'true'),
    role('sports:role.past', [{ ...ann, expiration: '2026-08-01T00:00:00.000Z' }], 'true'),
    role('sports:role.off', [{ ...ann, systemDisabled: 1 }], 'true'),
    { name: 'sports:role.plain', roleMembers: [ann] },
  ],
  groups: [{ name: 'sports:group.crew', groupMembers: [ann] }],
}
const open = () => Harness.open({ services: [rolesRequiringCertificateService], domains: [SPORTS] })
const ANNS = ['sports:role.yes', 'sports:role.first', 'sports:role.prefix', 'sports:role.all']

test('lists the tagged roles that name the caller or match it', async () => {
  assert.deepEqual((await (await open()).get('/role/cert', { as: 'user.ann' })).body, { roles: ANNS })
})

test('lists those of another principal for anybody', async () => {
  assert.deepEqual((await (await open()).get('/role/cert?principal=USER.ANN', { as: 'user.eve' })).body, {
    roles: ANNS,
  })
  assert.deepEqual((await (await open()).get('/role/cert', { as: 'user.eve' })).body, { roles: ['sports:role.all'] })
})

test('lists those of an external member', async () => {
  const answer = await (await open()).get('/role/cert?principal=sports:ext.eve@example.org')
  assert.deepEqual(answer.body, { roles: ['sports:role.all'] })
})

test('follows the domains', async () => {
  const zts = await open()
  zts.receive({ name: 'later', roles: [role('later:role.yes', [ann], 'true')] })
  zts.receive({ ...SPORTS, roles: [] })
  assert.deepEqual((await zts.get('/role/cert', { as: 'user.ann' })).body, { roles: ['later:role.yes'] })
  zts.receive({ name: 'later', enabled: false })
  assert.deepEqual((await zts.get('/role/cert', { as: 'user.ann' })).body, { roles: [] })
})

test('refuses a caller without credentials', async () => {
  assert.deepEqual(await (await open()).get('/role/cert', { anonymous: true }), refusal(401, 'Invalid credentials'))
})
