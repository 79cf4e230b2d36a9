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
 * `weather:role.readers`; resolves when ZTS knows all of that.
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
  const effect = 'ALLOW' as const
  const assertions = [{ role: 'sports:role.launcher', action: 'launch', resource: 'sports:service.api', effect }]
  const policy = { name: 'launcher', assertions }
  await zms.call('putPolicy', { domainName: 'sports', policyName: 'launcher', body: policy })
  await using zts = new ZtsClient({ url: ztsUrl ?? '', identity })
  while (!(await isKnown(zts))) await pause(50)
}

async function isKnown(zts: ZtsClient): Promise<boolean> {
  const reads = { domainName: 'weather', principal: 'sports.api' }
  const { roles } = await zts.call('getRoleAccess', reads).catch(() => ({ roles: [] }))
  const signed = await zts.getSignedPolicies('sports').catch(() => null)
  const policies = signed?.policies.signedPolicyData.policyData.policies ?? []
  return roles.length > 0 && policies.some(({ name }) => name === 'sports:policy.launcher')
}
