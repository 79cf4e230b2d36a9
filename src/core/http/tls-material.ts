import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { pemBlocks } from '../crypto/pem.ts'
import { messageOf } from '../error/message-of.ts'
import { readJks } from './jks-store.ts'
import { keyWithChain, type StoreContents } from './store-contents.ts'

/** A file with keys or certificates. Its format (PEM, PKCS#12 or JKS) shows from its first bytes. */
export interface StoreFile {
  readonly file: string
  /** Not needed for PEM without encryption. */
  readonly password?: string
  /** Of the private key when it differs from the file's; JKS and PEM only. */
  readonly keyPassword?: string
}

/** Where a server finds its identity and the authorities whose client certificates it accepts. */
export interface TlsFiles {
  /** Private key and certificate chain. With `certificate` given, only the key is taken from it. */
  readonly key: StoreFile
  /** PEM file with the certificate chain, the server's own first. */
  readonly certificate?: StoreFile
  /** Every certificate in it becomes a trust anchor. Without it no client certificate is asked for. */
  readonly trust?: StoreFile
}

/** What TLS needs, in PEM. */
export interface TlsMaterial {
  readonly key: string
  /** Server certificate and the issuers above it. */
  readonly cert: string
  /** Trust anchors for client certificates; absent when none is configured, which is not the same as an empty list. */
  readonly ca?: readonly string[]
}

const JKS_MAGIC = 'feedfeed'
const JCEKS_MAGIC = 'cececece'
const DER_SEQUENCE = 0x30
const PEM_MARK = '-----BEGIN '

/**
 * Reads key, certificate chain and trust anchors, and makes sure that key and certificate belong together.
 * Throws Error that names the file and the reason.
 */
export async function loadTlsMaterial(files: TlsFiles): Promise<TlsMaterial> {
  const [own, chain, trust] = await Promise.all([
    readStoreFile(files.key),
    files.certificate && readStoreFile(files.certificate),
    files.trust && readStoreFile(files.trust),
  ])
  const sources = files.certificate ? `${files.key.file} with ${files.certificate.file}` : files.key.file
  const identity = await about(sources, () =>
    keyWithChain(chain ? { keys: own.keys, certificates: chain.certificates } : own),
  )
  const material = {
    key: identity.key.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: identity.chain.map((certificate) => certificate.toString()).join(''),
  }
  if (!files.trust || !trust) return material
  if (trust.certificates.length === 0) throw new Error(`${files.trust.file}: there is no certificate`)
  return { ...material, ca: trust.certificates.map((certificate) => certificate.toString()) }
}

/** Reads keys and certificates of a file in any of the known formats. Throws Error that names the file and the reason. */
export async function readStoreFile(source: StoreFile): Promise<StoreContents> {
  const bytes = await readFile(source.file)
  return about(source.file, () => readStore(bytes, source))
}

async function readStore(bytes: Buffer, { file, password, keyPassword }: StoreFile): Promise<StoreContents> {
  const magic = bytes.subarray(0, 4).toString('hex')
  if (bytes.includes(PEM_MARK)) return readPem(bytes.toString('latin1'), keyPassword ?? password)
  if (magic === JKS_MAGIC) return readJks(bytes, requirePassword(password), keyPassword)
  if (magic === JCEKS_MAGIC) throw new Error(`it is in JCEKS format; convert it: ${conversion(file)}`)
  if (bytes[0] === DER_SEQUENCE) {
    // Its ASN.1 library takes time to load, which servers with PEM files need not wait for.
    const { readPkcs12 } = await import('./pkcs12-store.ts')
    return readPkcs12(bytes, requirePassword(password))
  }
  throw new Error('it is neither PEM nor PKCS#12 nor JKS')
}

const conversion = (file: string): string =>
  `keytool -importkeystore -srckeystore ${file} -srcstoretype JCEKS -destkeystore ${file}.p12 -deststoretype PKCS12`

function requirePassword(password: string | undefined): string {
  if (password === undefined) throw new Error('its password is not configured')
  return password
}

function readPem(text: string, passphrase: string | undefined): StoreContents {
  const blocks = pemBlocks(text)
  // The certificates before it would do for this server, but not for clients that need the whole chain.
  if (pemBlocks(text.slice(text.lastIndexOf(PEM_MARK))).length === 0) {
    throw new Error('it ends in the middle of a section')
  }
  return {
    keys: blocks
      .filter(({ label }) => label.endsWith('PRIVATE KEY'))
      .map((block) => ({ key: pemKey(block.text, passphrase), alias: '' })),
    certificates: blocks.filter(({ label }) => label === 'CERTIFICATE').map((block) => pemCertificate(block.text)),
  }
}

function pemKey(key: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) })
  } catch (cause) {
    throw new Error('the private key does not parse, or its password is wrong', { cause })
  }
}

function pemCertificate(text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (cause) {
    throw new Error('a certificate does not parse', { cause })
  }
}

/** Puts the name of the file in front of what is wrong with it. */
async function about<T>(file: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new Error(`${file}: ${messageOf(cause)}`, { cause })
  }
}
