import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import {
  AthenzClientError,
  certificateIdentity,
  type Identity,
  keyPairIdentity,
  newPrivateKey,
  privateKeyPem,
  ZmsClient,
  ZtsClient,
} from '#client/index.ts'
import { parseJwt } from '#core/token/json-web-token.ts'
import { failedWith } from '../support/client-failure.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { administratorOf, DNS_DOMAIN, makeSportsService } from '../support/sports-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('against the servers', () => {
  const dir = temporaryFolder()
  let servers: DevServers
  let ca: string
  let admin: Identity
  let zms: ZmsClient
  const opened: ZtsClient[] = []

  const ztsAs = (identity?: Identity, more: object = {}) => {
    const zts = new ZtsClient({
      url: servers.summary.zts ?? '',
      ca,
      accessTokenFolder: false,
      ...more,
      ...(identity && { identity }),
    })
    opened.push(zts)
    return zts
  }
  const api = () => keyPairIdentity({ domain: 'sports', service: 'api', privateKey: keys.privateKey, keyId: 'v1' })

  before(async () => {
    servers = await startDevServers({ dir, zts: true })
    ca = readFileSync(servers.summary.ca, 'utf8')
    admin = administratorOf(servers)
    zms = new ZmsClient({ url: servers.summary.zms ?? '', identity: admin })
    await makeSportsService(servers, keys.publicKey)
  })

  after(async () => {
    for (const client of [zms, ...opened]) await client.close()
    await servers[Symbol.asyncDispose]()
  })

  test('what was written is read', async () => {
    const role = await zms.call('getRole', { domainName: 'weather', roleName: 'readers' })
    assert.deepEqual(
      role.roleMembers?.map(({ memberName }) => memberName),
      ['sports.api'],
    )
    const missing = zms.call('getRole', { domainName: 'weather', roleName: 'absent' })
    await assert.rejects(missing, failedWith({ kind: 'status', code: 404, status: 404, operation: 'getRole' }))
  })

  test('a service with a key pair gets tokens', async () => {
    const zts = ztsAs(api())
    const { token, expiryTime } = await zts.getRoleToken('weather', { role: 'readers' })
    assert.match(token, /^v=Z1;d=weather;r=readers;p=sports\.api;/)
    assert.ok(Math.abs(expiryTime - Date.now() / 1000 - 7200) < 60)
    const access = await zts.getAccessToken('weather', { roles: 'readers', expirySeconds: 1800 })
    const parsed = parseJwt(access.access_token ?? '')
    assert.ok(parsed.ok)
    assert.deepEqual(
      [parsed.token.claims['aud'], parsed.token.claims['scp'], access.expires_in],
      ['weather', ['readers'], 1800],
    )
    const { id_token: idToken } = await zts.getIdToken('sports.api', { domain: 'weather', roles: ['readers'] })
    const id = parseJwt(idToken)
    assert.ok(id.ok)
    assert.deepEqual([id.token.claims['aud'], id.token.claims['sub']], ['sports.api', 'sports.api'])
  })

  test('a service gets a certificate for its key, and with it tokens and role certificates', async () => {
    const wanted = { domain: 'sports', service: 'api', dnsDomain: DNS_DOMAIN, privateKey: keys.privateKey }
    const { certificate = '' } = await ztsAs(api()).getServiceCertificate({ ...wanted, keyId: 'v1' })
    assert.match(new X509Certificate(certificate).subject, /CN=sports\.api$/)
    const zts = ztsAs(certificateIdentity({ cert: certificate, key: privateKeyPem(keys.privateKey) }))
    assert.match((await zts.getRoleToken('weather')).token, /;p=sports\.api;/)
    const pem = await zts.getRoleCertificate({
      roleDomain: 'weather',
      roleName: 'readers',
      dnsDomain: DNS_DOMAIN,
      privateKey: keys.privateKey,
    })
    const role = new X509Certificate(pem)
    assert.match(role.subject, /CN=weather:role\.readers$/)
    assert.match(role.subjectAltName ?? '', /athenz:\/\/principal\/sports\.api/)
  })

  test('an instance registers with a token and refreshes its certificate', async () => {
    const [provider, instanceId] = ['sys.auth.zts', 'i1']
    const place = { provider, domain: 'sports', service: 'api', instanceId }
    const { attestationData } = await ztsAs(admin).call('getInstanceRegisterToken', place)
    const privateKey = await newPrivateKey('rsa')
    const options = { ...place, dnsDomain: DNS_DOMAIN, privateKey }
    const first = await ztsAs().registerInstance({ ...options, attestationData, athenzJwk: true })
    assert.ok((first.athenzJWK?.zts.keys.length ?? 0) > 0)
    const identity = certificateIdentity({ cert: first.x509Certificate ?? '', key: privateKeyPem(privateKey) })
    const second = await ztsAs(identity).refreshInstance({ ...options, attestationData })
    const [former, later] = [first, second].map(({ x509Certificate }) => new X509Certificate(x509Certificate ?? ''))
    assert.notEqual(later?.serialNumber, former?.serialNumber)
    assert.ok(later?.publicKey.equals(createPublicKey(privateKey)))
  })

  test('keys and policies are read, and policies that have not changed are not', async () => {
    const zts = ztsAs(api())
    const { keys: published } = await ztsAs().call('getJWKList', { rfc: true })
    assert.ok(published.length > 0)
    const known = await zts.getSignedPolicies('weather')
    assert.equal(known?.policies.signedPolicyData.policyData.domain, 'weather')
    assert.equal(await zts.getSignedPolicies('weather', { tag: known?.tag }), null)
    const web = await zts.getJwsPolicies('weather', { p1363Signature: true })
    assert.ok(web?.policies.signature)
  })

  test('those who hold nothing, and those whom nobody knows, are told so', async () => {
    const stranger = keyPairIdentity({
      domain: 'sports',
      service: 'api',
      privateKey: await newPrivateKey('ec'),
      keyId: 'v1',
    })
    await assert.rejects(ztsAs(stranger).getRoleToken('weather'), failedWith({ status: 401, code: 401 }))
    await assert.rejects(ztsAs(api()).getRoleToken('sports'), failedWith({ status: 403, code: 403 }))
    await assert.rejects(ztsAs(api()).getRoleToken('nowhere'), failedWith({ status: 404, code: 404 }))
    await assert.rejects(ztsAs().getRoleToken('weather'), failedWith({ status: 401 }))
  })

  test('a thousand callers cost one request, and tokens outlive ZTS', async () => {
    let now = Date.now()
    const zts = ztsAs(api(), { seams: { clock: () => now }, prefetch: false, retries: 0 })
    const tokens = await Promise.all(
      Array.from({ length: 1000 }, () => zts.getRoleToken('weather', { role: 'readers' })),
    )
    assert.equal(new Set(tokens.map(({ token }) => token)).size, 1)
    process.kill(servers.summary.pids.zts ?? 0, 'SIGKILL')
    now += 7_000_000
    assert.deepEqual(await zts.getRoleToken('weather', { role: 'readers' }), tokens[0])
    now += 300_000
    const gone = await zts.getRoleToken('weather', { role: 'readers' }).catch((error: unknown) => error)
    assert.ok(gone instanceof AthenzClientError && gone.kind === 'unreachable')
  })
})
