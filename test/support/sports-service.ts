import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { certificateIdentity, type Identity, ZmsClient, ZtsClient } from '#client/index.ts'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import type { DevServers } from './dev-servers.ts'

/** End of the DNS names in certificates of the servers for development. */
export const DNS_DOMAIN = 'zts.athenz.cloud'

/** The system administrator of servers for development, who also trusts them. */
export const administratorOf = ({ summary }: DevServers): Identity =>
  certificateIdentity({
    cert: readFileSync(summary.adminCert, 'utf8'),
    key: readFileSync(summary.adminKey, 'utf8'),
    ca: [readFileSync(summary.ca, 'utf8')],
  })

/**
 * Makes the service `sports.api` with a public key `v1`, which ZTS may launch, and which is a member of
 * `weather:role.readers`, to whom `weather:rain.*` is open; resolves when ZTS knows all of that.
 */
export async function makeSportsService(servers: DevServers, publicKey: KeyObject): Promise<void> {
  const { zms: zmsUrl, zts: ztsUrl } = servers.summary
  const identity = administratorOf(servers)
  await using zms = new ZmsClient({ url: zmsUrl ?? '', identity })
  for (const name of ['sports', 'weather']) {
    await zms.call('postTopLevelDomain', { body: { name, adminUsers: ['user.admin'] } })
  }
  const publicKeys = [{ id: 'v1', key: encodeYBase64(publicKeyPem(publicKey)) }]
  await zms.call('putServiceIdentity', { domain: 'sports', service: 'api', body: { name: 'sports.api', publicKeys } })
  const members = [
    ['weather', 'readers', 'sports.api'],
    ['sports', 'launcher', 'sys.auth.zts'],
  ] as const
  for (const [domainName, name, memberName] of members) {
    await zms.call('putRole', { domainName, roleName: name, body: { name, roleMembers: [{ memberName }] } })
  }
  for (const [domainName, name, { role, action, resource }] of POLICIES) {
    const assertions = [{ role: `${domainName}:role.${role}`, action, resource, effect: 'ALLOW' as const }]
    await zms.call('putPolicy', { domainName, policyName: name, body: { name, assertions } })
  }
  await using zts = new ZtsClient({ url: ztsUrl ?? '', identity })
  while (!(await isKnown(zts))) await pause(50)
}

const POLICIES = [
  ['sports', 'launcher', { role: 'launcher', action: 'launch', resource: 'sports:service.api' }],
  ['weather', 'rain', { role: 'readers', action: 'read', resource: 'weather:rain.*' }],
] as const

async function isKnown(zts: ZtsClient): Promise<boolean> {
  const reads = { domainName: 'weather', principal: 'sports.api' }
  const { roles } = await zts.call('getRoleAccess', reads).catch(() => ({ roles: [] }))
  if (roles.length === 0) return false
  for (const [domain, policy] of POLICIES) {
    const signed = await zts.getSignedPolicies(domain).catch(() => null)
    const policies = signed?.policies.signedPolicyData.policyData.policies ?? []
    if (!policies.some(({ name }) => name === `${domain}:policy.${policy}`)) return false
  }
  return true
}
