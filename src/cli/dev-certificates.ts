import { generateKeyPair, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { promisify } from 'node:util'
import { buildCertificate, type CertificateIssuer, issuerOf, selfIssuer } from '#core/crypto/certificate.ts'
import { type AlternativeName, type DistinguishedName, encodeName } from '#core/crypto/certificate-name.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import type { DevFolder } from './dev-folder.ts'

const newKeyPair = promisify(generateKeyPair)

const DAY_MILLIS = 86_400_000
const CA_VALIDITY_DAYS = 3650
const LEAF_VALIDITY_DAYS = 397
/** A certificate that ends within this time is made anew at the next start. */
const RENEWAL_DAYS = 30
/** Clocks of other machines and containers may be behind. */
const CLOCK_TOLERANCE_MILLIS = 3_600_000

/** Where a certificate and its private key are, relative to the folder. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

/** Files of the CA. */
export const CA_FILES: CertificateFiles = { certificate: 'ca/ca.pem', key: 'ca/ca.key' }

const ORGANIZATION = { type: 'O', value: 'Athenz development' } as const

/** The CA of a development folder: it vouches for the servers and for their clients. */
export interface DevCa {
  readonly certificate: X509Certificate
  readonly pem: string
  readonly issuer: CertificateIssuer
}

/** A certificate with its key. */
interface Credential {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

/** Reads the CA of the folder; makes one when there is none, or when it is about to expire or damaged. */
export async function ensureCa(folder: DevFolder): Promise<DevCa> {
  const found = await readCredential(folder, CA_FILES)
  if (isUsableCa(found)) return toCa(found)
  // Several such CAs may end up in one bundle, where clients tell them apart by name.
  const name = `Athenz development CA ${randomBytes(4).toString('hex')}`
  const { privateKey } = await newKeyPair('ec', { namedCurve: 'P-256' })
  await folder.write(CA_FILES.key, privateKeyPem(privateKey), true)
  return toCa(await makeCa(folder, CA_FILES.certificate, [ORGANIZATION, { type: 'CN', value: name }], privateKey))
}

/** A certificate authority of a server, which signs with the key in a file: RSA, PKCS#8. */
export interface ServerCa {
  readonly subject: DistinguishedName
  readonly files: CertificateFiles
}

/** Makes the key and the certificate of an authority when they are absent, of another name, about to expire or damaged. */
export async function ensureServerCa(folder: DevFolder, { subject, files }: ServerCa): Promise<void> {
  await ensureSigningKey(folder, 'rsa', files.key)
  const found = await readCredential(folder, files)
  if (isUsableCa(found) && issuerOf(found.certificate, caSigner(found.key)).nameDer.equals(encodeName(subject))) return
  const key = loadPrivateKey((await folder.read(files.key)) ?? '', { use: 'certificate' })
  await makeCa(folder, files.certificate, subject, key)
}

/** Adds authorities to the file of the CA, which stays the first in it: what verifies one server then verifies all. */
export async function bundleWithCa(folder: DevFolder, ca: DevCa, others: readonly string[]): Promise<void> {
  const bundle = [ca.pem, ...(await Promise.all(others.map((file) => folder.read(file))))].join('')
  if ((await folder.read(CA_FILES.certificate)) !== bundle) await folder.write(CA_FILES.certificate, bundle)
}

async function makeCa(
  folder: DevFolder,
  file: string,
  subject: DistinguishedName,
  key: KeyObject,
): Promise<Credential> {
  const signer = caSigner(key)
  const pem = await buildCertificate({
    subject,
    publicKey: signer.publicKey,
    issuer: selfIssuer(subject, signer),
    ...validityOf(CA_VALIDITY_DAYS),
    ca: { pathLength: 0 },
    keyUsage: ['keyCertSign', 'crlSign'],
  })
  await folder.write(file, pem)
  return { certificate: new X509Certificate(pem), key }
}

/** A certificate below the CA: whose it is, and in which files it and its key are. */
export interface LeafCertificate {
  readonly commonName: string
  readonly files: CertificateFiles
  /** A server's has the names of this machine, and is a client's certificate too, for calls between servers. */
  readonly use: 'client' | 'server'
}

/** Makes a certificate and its key when they are absent, about to expire, not of this CA, or lack a name of this machine. */
export async function ensureCertificate(folder: DevFolder, ca: DevCa, leaf: LeafCertificate): Promise<void> {
  const { files, use } = leaf
  const names = use === 'server' ? namesOfThisMachine() : []
  const found = await readCredential(folder, files)
  if (found && isUsable(found.certificate, ca) && names.every((name) => isNamed(found.certificate, name))) return
  const { publicKey, privateKey } = await newKeyPair('ec', { namedCurve: 'P-256' })
  const pem = await buildCertificate({
    subject: [ORGANIZATION, { type: 'CN', value: leaf.commonName }],
    publicKey,
    issuer: ca.issuer,
    ...validityOf(LEAF_VALIDITY_DAYS),
    ca: false,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: use === 'server' ? ['serverAuth', 'clientAuth'] : ['clientAuth'],
    subjectAlternativeNames: names,
  })
  await folder.write(files.key, privateKeyPem(privateKey), true)
  await folder.write(files.certificate, pem)
}

/** A private key to sign tokens with, PKCS#8 PEM; made when absent. RSA has 2048 bits, `ec` is P-256. */
export async function ensureSigningKey(folder: DevFolder, kind: 'rsa' | 'ec', file: string): Promise<void> {
  if (await folder.has(file)) return
  const { privateKey } =
    kind === 'rsa' ? await newKeyPair('rsa', { modulusLength: 2048 }) : await newKeyPair('ec', { namedCurve: 'P-256' })
  await folder.write(file, privateKeyPem(privateKey), true)
}

// Something else than a certificate and its key in these files is treated as absent.
async function readCredential(folder: DevFolder, files: CertificateFiles): Promise<Credential | undefined> {
  const [pem, keyPem] = await Promise.all([folder.read(files.certificate), folder.read(files.key)])
  if (pem === undefined || keyPem === undefined) return undefined
  try {
    const certificate = new X509Certificate(pem)
    const key = loadPrivateKey(keyPem, { use: 'certificate' })
    return certificate.checkPrivateKey(key) ? { certificate, key } : undefined
  } catch {
    return undefined
  }
}

// The file may hold other authorities after this one.
function toCa({ certificate, key }: Credential): DevCa {
  return { certificate, pem: certificate.toString(), issuer: issuerOf(certificate, caSigner(key)) }
}

const caSigner = (key: KeyObject): Signer => createSigner(key, 'ca', 'certificate')

const isUsableCa = (found: Credential | undefined): found is Credential =>
  found?.certificate.ca === true && isLastingLong(found.certificate)

function isUsable(certificate: X509Certificate, ca: DevCa): boolean {
  return isLastingLong(certificate) && certificate.verify(ca.certificate.publicKey)
}

function isLastingLong(certificate: X509Certificate): boolean {
  return certificate.validToDate.getTime() - Date.now() > RENEWAL_DAYS * DAY_MILLIS
}

function isNamed(certificate: X509Certificate, { type, value }: AlternativeName): boolean {
  return (type === 'ip' ? certificate.checkIP(value) : certificate.checkHost(value)) !== undefined
}

function namesOfThisMachine(): AlternativeName[] {
  const host = hostname().toLowerCase()
  const isDnsName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(host) && host !== 'localhost'
  return [
    { type: 'dns', value: 'localhost' },
    ...(isDnsName ? [{ type: 'dns', value: host } as const] : []),
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
  ]
}

function validityOf(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - CLOCK_TOLERANCE_MILLIS), notAfter: new Date(now + days * DAY_MILLIS) }
}

const privateKeyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string
