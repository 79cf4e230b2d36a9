import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { buildCertificateRequest } from '#core/crypto/certificate-request.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { Members } from '#core/rbac/members.ts'
import type { Domain, Policy, Role } from '#zms/store/model.ts'
import { ZTS_CA } from '../../src/cli/dev-zts.ts'
import type { DevServers } from '../support/dev-servers.ts'
import { type BenchZms, CALLER } from './bench-zms.ts'
import { benchDomain } from './data.ts'
import type { ClientFiles } from './load-tool.ts'
import { requestText } from './request-text.ts'

const DOMAIN = 'bench.instances'
const SERVICE = 'inst'
const PROVIDER = 'sys.auth.zts'
/** Instances that are made ready at the same time. */
const PARALLEL = 16

/** A domain whose service ZTS may launch and the caller administers. */
export function instanceDomain(): Domain {
  const domain = benchDomain(0)
  const times = { modified: 0, created: 0 }
  const role = (name: string, memberName: string): Role => ({
    name,
    ...times,
    members: new Members([{ memberName }]),
    pending: new Map(),
  })
  const policy = (name: string, action: string, resource: string): Policy => ({
    name,
    version: '0',
    active: true,
    ...times,
    assertions: new Map([[-1, { role: name, resource, action, effect: 'ALLOW' }]]),
  })
  const roles = [role('admin', CALLER), role('launch', PROVIDER)]
  const policies = [policy('admin', '*', `${DOMAIN}:*`), policy('launch', 'launch', `${DOMAIN}:service.${SERVICE}`)]
  const [service] = domain.services.values()
  if (service === undefined) throw new Error('the data have no service')
  return {
    ...domain,
    name: DOMAIN,
    id: '00000000-0000-4000-8000-00000000ce27',
    roles: new Map(roles.map((each) => [each.name, each])),
    policies: new Map(policies.map((each) => [each.name, new Map([['0', each]])])),
    services: new Map([[SERVICE, { ...service, name: SERVICE }]]),
  }
}

/** Puts a P-256 key in the place of the authority's; the next start makes its certificate. */
export async function replaceAuthority(folder: string): Promise<void> {
  const { privateKey } = newKey()
  await writeFile(join(folder, ZTS_CA.files.key), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await rm(join(folder, ZTS_CA.files.certificate), { force: true })
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

function requestOf(instanceId: string, key: KeyObject): Promise<string> {
  return buildCertificateRequest({
    subject: [
      { type: 'O', value: 'Athenz' },
      { type: 'CN', value: `${DOMAIN}.${SERVICE}` },
    ],
    signer: createSigner(key, 'instance', 'certificate'),
    subjectAlternativeNames: [
      { type: 'dns', value: `${SERVICE}.${DOMAIN.replaceAll('.', '-')}.zts.athenz.cloud` },
      { type: 'uri', value: `athenz://instanceid/${PROVIDER}/${instanceId}` },
    ],
  })
}

/** What an instance says of itself: the token that ZTS gives for it, and its request. */
async function evidence(zms: BenchZms, { summary }: DevServers, instanceId: string, key: KeyObject) {
  const url = `${summary.zts}/instance/${PROVIDER}/${DOMAIN}/${SERVICE}/${instanceId}/token`
  const answer = await requestText(url, { client: zms.client, ca: summary.ca })
  const { attestationData } = JSON.parse(answer) as { attestationData?: string }
  if (attestationData === undefined) throw new Error(`no register token: ${answer}`)
  return { attestationData, csr: await requestOf(instanceId, key) }
}

const registration = (told: object): string =>
  JSON.stringify({ provider: PROVIDER, domain: DOMAIN, service: SERVICE, ...told })

/** Instances that register in turn, each with a token and a request of its own. */
export async function registrations(zms: BenchZms, servers: DevServers, instances: number) {
  const { privateKey } = newKey()
  const bodies: string[] = []
  const rest = Array.from({ length: instances }, (_, index) => `r-${index}`).values()
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const id of rest) bodies.push(registration(await evidence(zms, servers, id, privateKey)))
    }),
  )
  return { urls: [`${servers.summary.zts}/instance`], method: 'POST', bodies, expected: [201] }
}

/** Registered instances, each with its own key and certificate, that renew in turn. */
export async function renewals(zms: BenchZms, servers: DevServers, count: number) {
  const { summary } = servers
  const folder = join(zms.folder, 'instances')
  await mkdir(folder)
  const instances = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const instanceId = `n-${index}`
      const { privateKey } = newKey()
      const told = await evidence(zms, servers, instanceId, privateKey)
      const json = registration(told)
      const answer = await requestText(`${summary.zts}/instance`, { client: zms.client, ca: summary.ca, json })
      const { x509Certificate } = JSON.parse(answer) as { x509Certificate?: string }
      if (x509Certificate === undefined) throw new Error(`no certificate: ${answer}`)
      const client: ClientFiles = { certificate: join(folder, `${index}.pem`), key: join(folder, `${index}.key`) }
      await writeFile(client.certificate, x509Certificate)
      await writeFile(client.key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
      const url = `${summary.zts}/instance/${PROVIDER}/${DOMAIN}/${SERVICE}/${instanceId}`
      return { client, url, body: JSON.stringify(told) }
    }),
  )
  return {
    urls: instances.map(({ url }) => url),
    bodies: instances.map(({ body }) => body),
    clients: instances.map(({ client }) => client),
    method: 'POST',
    expected: [200],
  }
}

/** Waits until ZTS has the domain of the instances: it reads from ZMS while it already answers. */
export async function waitForInstanceDomain(zms: BenchZms, { summary }: DevServers): Promise<void> {
  const url = `${summary.zts}/domain/${DOMAIN}/service/${SERVICE}`
  for (const start = performance.now(); performance.now() - start < 30_000; await delay(100)) {
    const answer = await requestText(url, { client: zms.client, ca: summary.ca })
    if ((JSON.parse(answer) as { name?: string }).name === `${DOMAIN}.${SERVICE}`) return
  }
  throw new Error(`ZTS does not know ${DOMAIN}`)
}
