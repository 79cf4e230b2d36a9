import { type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { buildCertificate, type CertificateIssuer, issuerOf, selfIssuer } from '#core/crypto/certificate.ts'
import type { AlternativeName } from '#core/crypto/certificate-name.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import type { ClientCertificate } from '../support/client-certificate.ts'
import { newKey } from './attacked-servers.ts'

const DAY_MILLIS = 86_400_000

type Power = Pick<Parameters<typeof buildCertificate>[0], 'ca' | 'keyUsage' | 'extendedKeyUsage'>

/** What a certificate says beside its common name; valid from yesterday until tomorrow unless it says otherwise. */
export interface IssuedParts extends Power {
  readonly names?: readonly AlternativeName[]
  readonly key?: KeyObject
  readonly notBefore?: Date
  readonly notAfter?: Date
}

/** A certificate of somebody, and what that one issues with its key, whether it may or not. */
export interface Issued extends ClientCertificate {
  readonly issuer: CertificateIssuer
}

/** What certificates of clients may do. */
export const LEAF: Power = { ca: false, keyUsage: ['digitalSignature'], extendedKeyUsage: ['clientAuth'] }

/** The authority whose clients the servers of a development folder accept. */
export async function clientAuthority({
  clientCa,
  clientCaKey,
}: Pick<DevSummary, 'clientCa' | 'clientCaKey'>): Promise<CertificateIssuer> {
  const [certificate, key] = await Promise.all([readFile(clientCa), readFile(clientCaKey, 'utf8')])
  const signer = createSigner(loadPrivateKey(key, { use: 'certificate' }), 'ca', 'certificate')
  return issuerOf(new X509Certificate(certificate), signer)
}

/** Issues a certificate; without a common name its subject is empty. */
export async function issued(
  issuer: CertificateIssuer,
  commonName: string | undefined,
  { names, key = newKey(), notBefore, notAfter, ...power }: IssuedParts = LEAF,
): Promise<Issued> {
  const signer = createSigner(key, commonName ?? '', 'certificate')
  const subject = commonName === undefined ? [] : ([{ type: 'CN', value: commonName }] as const)
  const certificate = await buildCertificate({
    subject,
    publicKey: signer.publicKey,
    issuer,
    notBefore: notBefore ?? new Date(Date.now() - DAY_MILLIS),
    notAfter: notAfter ?? new Date(Date.now() + DAY_MILLIS),
    ...power,
    ...(names && { subjectAlternativeNames: names }),
  })
  const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string
  return { certificate, key: pem, issuer: selfIssuer(subject, signer) }
}
