import { generateKeyPair, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { buildCertificate, issuerOf } from '#core/crypto/certificate.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'

const newKeyPair = promisify(generateKeyPair)
const HOUR_MILLIS = 3_600_000

/** A client certificate and its private key, PEM. */
export interface ClientCertificate {
  readonly certificate: string
  readonly key: string
}

/** Issues a client certificate for a principal, which the servers of a development folder accept. */
export async function clientCertificate(
  { clientCa, clientCaKey }: Pick<DevSummary, 'clientCa' | 'clientCaKey'>,
  principal: string,
): Promise<ClientCertificate> {
  const [caPem, caKeyPem] = await Promise.all([readFile(clientCa, 'utf8'), readFile(clientCaKey, 'utf8')])
  const signer = createSigner(loadPrivateKey(caKeyPem, { use: 'certificate' }), 'ca', 'certificate')
  const { publicKey, privateKey } = await newKeyPair('ec', { namedCurve: 'P-256' })
  const now = Date.now()
  const certificate = await buildCertificate({
    subject: [{ type: 'CN', value: principal }],
    publicKey,
    issuer: issuerOf(new X509Certificate(caPem), signer),
    notBefore: new Date(now - HOUR_MILLIS),
    notAfter: new Date(now + 24 * HOUR_MILLIS),
    ca: false,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['clientAuth'],
    subjectAlternativeNames: [],
  })
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
}
