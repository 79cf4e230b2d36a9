import { randomBytes, X509Certificate } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { nameAttributes } from '#core/authority/distinguished-name.ts'
import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { buildCertificate, selfIssuer } from '#core/crypto/certificate.ts'
import { type DistinguishedName, encodeName, type NameAttributeType } from '#core/crypto/certificate-name.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { messageOf } from '#core/error/message-of.ts'
import { LocalCertificateSigner, type LocalSigningRules } from './local-certificate-signer.ts'

/** What a signer is opened with. */
export interface SelfSignerOptions {
  readonly config: Pick<ConfigOf['zts'], 'zts'>
  readonly rules: LocalSigningRules
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

const KEY_PROPERTY = 'athenz.zts.self_signer_private_key_fname'
const NAME_PROPERTY = 'athenz.zts.self_signer_cert_dn'
const MINUTE_MILLIS = 60_000
const DAY_MILLIS = 86_400_000
const AUTHORITY_LIFE_DAYS = 30 * 365
/** Clocks of those who verify may be behind. */
const CLOCK_TOLERANCE_MILLIS = 3_600_000

/** File beside the key of the authority where its certificate is kept. */
export const authorityCertificateFile = (keyFile: string): string => `${keyFile}.certificate.pem`

/**
 * A signer with a key from a PEM file. The certificate of the authority is made once and kept beside the key, so that
 * clients which were given it can go on after a restart. Throws a ConfigError that names what cannot be used.
 */
export async function openSelfCertificateSigner(options: SelfSignerOptions): Promise<LocalCertificateSigner> {
  const { config, rules } = options
  const { selfSignerPrivateKeyFname: file, selfSignerPrivateKeyPassword: passphrase, selfSignerCertDn } = config.zts
  if (file === undefined) throw new ConfigError([`${KEY_PROPERTY}: not set, and the self signer needs a key`])
  const name = authorityName(selfSignerCertDn)
  const signer = await loadSigner(file, passphrase)
  return new LocalCertificateSigner(await ensureAuthority(file, name, signer, options), signer, rules)
}

async function loadSigner(file: string, passphrase: string | undefined): Promise<Signer> {
  try {
    const pem = await readFile(file, 'latin1')
    const key = loadPrivateKey(pem, { use: 'certificate', ...(passphrase !== undefined && { passphrase }) })
    return createSigner(key, 'authority', 'certificate')
  } catch (cause) {
    const advice = `openssl ecparam -name prime256v1 -genkey -noout -out ${file} makes one`
    const line = `${KEY_PROPERTY}: the private key ${file} cannot be used: ${messageOf(cause)} (${advice})`
    throw Object.assign(new ConfigError([line]), { cause })
  }
}

const ATTRIBUTE_TYPES: ReadonlyMap<string, NameAttributeType> = new Map([
  ['CN', 'CN'],
  ['O', 'O'],
  ['OU', 'OU'],
  ['C', 'C'],
  ['L', 'L'],
  ['ST', 'ST'],
  ['STREET', 'street'],
  ['SERIALNUMBER', 'serialNumber'],
])
const PRINTABLE = /^[A-Za-z0-9 '()+,./:=?-]*$/

/** As the peer encodes it, so that an authority keeps its name: from the last to the first, printable where that will do. */
export function authorityName(text: string): DistinguishedName {
  const attributes = nameAttributes(text)
  if (attributes === undefined)
    throw new ConfigError([`${NAME_PROPERTY}: "${text}" is no name (write CN=NAME, O=NAME)`])
  return attributes.toReversed().map(({ type, value }) => {
    const known = ATTRIBUTE_TYPES.get(type)
    if (known === undefined) {
      const types = [...ATTRIBUTE_TYPES.keys()].join(', ')
      throw new ConfigError([`${NAME_PROPERTY}: ${type} is not among the known attributes ${types}`])
    }
    return { type: known, value, encoding: PRINTABLE.test(value) ? 'printable' : 'utf8' }
  })
}

async function ensureAuthority(
  keyFile: string,
  name: DistinguishedName,
  signer: Signer,
  { rules, log }: SelfSignerOptions,
): Promise<X509Certificate> {
  const file = authorityCertificateFile(keyFile)
  const isUsable = (certificate: X509Certificate) =>
    certificate.ca &&
    certificate.checkPrivateKey(signer.privateKey) &&
    certificate.raw.includes(encodeName(name)) &&
    certificate.validToDate.getTime() > rules.now() + rules.maxExpiryMins * MINUTE_MILLIS
  const found = await readCertificate(file)
  if (typeof found === 'object' && isUsable(found)) return found
  const made = await makeAuthority(name, signer, rules.now())
  try {
    await keep(file, made, found !== 'missing')
  } catch (cause) {
    const kept = await readCertificate(file)
    // Another process that starts with the same key has been faster.
    if (typeof kept === 'object' && isUsable(kept)) return kept
    log('warn', `the certificate of the authority cannot be kept in ${file}: ${messageOf(cause)}`)
  }
  return new X509Certificate(made)
}

function makeAuthority(name: DistinguishedName, signer: Signer, now: number): Promise<string> {
  return buildCertificate({
    subject: name,
    publicKey: signer.publicKey,
    issuer: selfIssuer(name, signer),
    notBefore: new Date(now - CLOCK_TOLERANCE_MILLIS),
    notAfter: new Date(now + AUTHORITY_LIFE_DAYS * DAY_MILLIS),
    ca: {},
    keyUsage: ['keyCertSign', 'crlSign'],
  })
}

async function readCertificate(file: string): Promise<X509Certificate | 'missing' | 'damaged'> {
  let pem: Buffer
  try {
    pem = await readFile(file)
  } catch {
    return 'missing'
  }
  try {
    return new X509Certificate(pem)
  } catch {
    return 'damaged'
  }
}

/** Whole or not at all; fails when there is one by now that is not to be replaced. */
async function keep(file: string, pem: string, replace: boolean): Promise<void> {
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  try {
    await writeFile(draft, pem, { flush: true })
    await (replace ? rename(draft, file) : link(draft, file))
  } finally {
    await rm(draft, { force: true })
  }
}
