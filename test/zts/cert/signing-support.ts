import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { buildCertificate, selfIssuer } from '#core/crypto/certificate.ts'
import type { DistinguishedName } from '#core/crypto/certificate-name.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { readCertificateRequest } from '#zts/cert/certificate-request.ts'
import type { SigningRequest } from '#zts/cert/certificate-signer.ts'
import { LocalCertificateSigner, type LocalSigningRules } from '#zts/cert/signers/local-certificate-signer.ts'

/** Kinds of keys that an authority may have. */
export const authorityKeys: Readonly<Record<string, () => KeyObject>> = {
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
}

const NAME: DistinguishedName = [
  { type: 'C', value: 'US' },
  { type: 'O', value: 'Athenz', encoding: 'printable' },
  { type: 'CN', value: 'Test CA', encoding: 'printable' },
]

/** The rules of a server without settings. */
export const DEFAULT_RULES: LocalSigningRules = {
  maxExpiryMins: 43_200,
  keyUsageCritical: true,
  authorityKeyIdentifier: true,
  now: Date.now,
}

/** An authority with a new key, and the signer that has it. */
export async function testAuthority(
  key: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  rules: Partial<LocalSigningRules> = {},
): Promise<{ readonly pem: string; readonly key: KeyObject; readonly signer: LocalCertificateSigner }> {
  const signer = createSigner(key, 'ca', 'certificate')
  const pem = await buildCertificate({
    subject: NAME,
    publicKey: signer.publicKey,
    issuer: selfIssuer(NAME, signer),
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: new Date('2090-01-01T00:00:00Z'),
    ca: {},
    keyUsage: ['keyCertSign', 'crlSign'],
  })
  const authority = new LocalCertificateSigner(new X509Certificate(pem), signer, { ...DEFAULT_RULES, ...rules })
  return { pem, key, signer: authority }
}

/** A request to a signer for a certificate request in PEM. */
export const signingRequest = async (csr: string, more: Partial<SigningRequest> = {}): Promise<SigningRequest> => ({
  provider: undefined,
  request: await readCertificateRequest(csr),
  usage: undefined,
  expiryMins: 60,
  priority: 'High',
  signerKeyId: undefined,
  ...more,
})
