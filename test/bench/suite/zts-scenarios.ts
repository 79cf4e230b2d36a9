import { generateKeyPairSync } from 'node:crypto'
import { buildCertificateRequest } from '#core/crypto/certificate-request.ts'
import { createSigner } from '#core/crypto/signing.ts'
import type { Cryptography } from '../bare-server.ts'
import { CALLER } from '../bench-zms.ts'
import { registrations, renewals } from '../instance-load.ts'
import type { Scenario } from './scenario.ts'
import { ordinaryDomains, SIZED_ROLE, sizedDomainName } from './suite-data.ts'

const FORM_TYPE = 'application/x-www-form-urlencoded'
/** Instances that register in turn, and those that renew. */
const INSTANCES = 500
const RENEWING_INSTANCES = 16
/** What no answer goes without. The same list for the same, so that OpenSSL is not asked again. */
const TOKEN: readonly Cryptography[] = ['sign-rsa']
/** Of a certificate: the signature of the request, and that of the authority, which has a P-256 key. */
const CERTIFICATE: readonly Cryptography[] = ['verify-request-ec', 'sign-ec']
/** Instances show a token of ZTS, too. */
const INSTANCE_CERTIFICATE: readonly Cryptography[] = [...CERTIFICATE, 'verify-rsa']

const roleToken: Scenario = {
  name: 'role-token',
  server: 'zts',
  axes: ['domains'],
  stores: 'one',
  cryptography: TOKEN,
  load: ({ base }, { domains }) => ({
    urls: ordinaryDomains(domains).map((name) => `${base}/domain/${name}/token`),
    expected: [200],
  }),
}

const sizedRoleToken: Scenario = {
  name: 'role-token/sized',
  server: 'zts',
  axes: ['members'],
  stores: 'one',
  cryptography: TOKEN,
  load: ({ base }, size) => ({ urls: [`${base}/domain/${sizedDomainName(size)}/token`], expected: [200] }),
}

const accessToken: Scenario = {
  name: 'access-token',
  server: 'zts',
  axes: ['domains', 'members'],
  stores: 'one',
  cryptography: TOKEN,
  load: ({ base }, size) => ({
    method: 'POST',
    urls: [`${base}/oauth2/token`],
    body: `grant_type=client_credentials&scope=${sizedDomainName(size)}:domain`,
    bodyType: FORM_TYPE,
    expected: [200],
  }),
}

const instanceRegister: Scenario = {
  name: 'instance-register',
  server: 'zts',
  axes: ['domains'],
  stores: 'each',
  cryptography: INSTANCE_CERTIFICATE,
  load: ({ zms, servers }, _, requests = INSTANCES) => registrations(zms, servers, Math.min(INSTANCES, requests)),
}

const instanceRefresh: Scenario = {
  name: 'instance-refresh',
  server: 'zts',
  axes: ['domains'],
  stores: 'each',
  cryptography: INSTANCE_CERTIFICATE,
  load: ({ zms, servers }) => renewals(zms, servers, RENEWING_INSTANCES),
}

const roleCertificate: Scenario = {
  name: 'role-certificate',
  server: 'zts',
  axes: ['domains', 'members'],
  stores: 'one',
  cryptography: CERTIFICATE,
  async load({ base }, size) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const csr = await buildCertificateRequest({
      subject: [
        { type: 'O', value: 'Athenz' },
        { type: 'CN', value: `${sizedDomainName(size)}:role.${SIZED_ROLE}` },
      ],
      signer: createSigner(privateKey, 'role', 'certificate'),
      subjectAlternativeNames: [{ type: 'uri', value: `athenz://principal/${CALLER}` }],
    })
    return { method: 'POST', urls: [`${base}/rolecert`], body: JSON.stringify({ csr }), expected: [200] }
  },
}

/** Requests to ZTS. */
export const ZTS_SCENARIOS: readonly Scenario[] = [
  roleToken,
  sizedRoleToken,
  accessToken,
  instanceRegister,
  instanceRefresh,
  roleCertificate,
]
