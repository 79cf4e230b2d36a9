import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { badRequest } from '../error/service-error.ts'
import { type KeyUse, requireSoundKey } from './key-kind.ts'
import { type PemBlock, pemBlocks } from './pem.ts'
import { decodeYBase64 } from './ybase64.ts'

/** How to load a key: `use` decides which kinds are accepted (`token` by default). */
export interface KeyLoadOptions {
  readonly use?: KeyUse
  /** Of an encrypted private key. */
  readonly passphrase?: string
}

/** Enough for an RSA-8192 certificate with room to spare; a longer text is no key. */
const KEY_TEXT_MAX_LENGTH = 65_536

const PRIVATE_LABELS: readonly string[] = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']

/** How the public key of a PEM section is read, by label; a private key is deliberately no source of one. */
const PUBLIC_READERS: ReadonlyMap<string, (text: string) => KeyObject> = new Map([
  ['PUBLIC KEY', (text: string) => createPublicKey(text)],
  ['RSA PUBLIC KEY', (text: string) => createPublicKey(text)],
  ['CERTIFICATE', (text: string) => new X509Certificate(text).publicKey],
])

/**
 * Reads the first private key of a PEM text: PKCS#8 (also encrypted), PKCS#1 or SEC1 (with or without its parameters).
 * Throws `bad-request` with the reason when there is none, it does not parse, its kind is not accepted, or
 * it is weak.
 */
export function loadPrivateKey(pem: string, options: KeyLoadOptions = {}): KeyObject {
  const block = findBlock(pem, PRIVATE_LABELS)
  if (block === undefined) throw badRequest(`no private key in PEM form: ${describeContent(pem)}`)
  const encrypted = block.label === 'ENCRYPTED PRIVATE KEY' || block.text.includes('\nProc-Type: 4,ENCRYPTED')
  if (encrypted && options.passphrase === undefined) {
    throw badRequest('the private key is encrypted and no passphrase is given')
  }
  const key = parsed('private key', () =>
    createPrivateKey({ key: block.text, ...(encrypted && { passphrase: options.passphrase }) }),
  )
  requireSoundKey(key, options.use)
  return key
}

/**
 * Reads a public key from PEM text (a public key or a certificate), or from the ybase64 of such a text, the form in
 * which services register keys. Throws `bad-request` with the reason; a private key is refused, and so is a weak one.
 */
export function loadPublicKey(pemOrYBase64: string, options: Pick<KeyLoadOptions, 'use'> = {}): KeyObject {
  if (pemOrYBase64.length > KEY_TEXT_MAX_LENGTH) throw badRequest('the public key text is too long')
  const pem = pemOrYBase64.includes('-----BEGIN ')
    ? pemOrYBase64
    : decodeYBase64(pemOrYBase64.trim()).toString('latin1')
  const block = findBlock(pem, [...PUBLIC_READERS.keys()])
  const read = block && PUBLIC_READERS.get(block.label)
  if (!read) throw badRequest(`no public key or certificate in PEM form: ${describeContent(pem)}`)
  const key = parsed(block.label === 'CERTIFICATE' ? 'certificate' : 'public key', () => read(block.text))
  requireSoundKey(key, options.use)
  return key
}

/** The public half of a key as PEM (`BEGIN PUBLIC KEY`, with a final line feed). */
export function publicKeyPem(key: KeyObject): string {
  return publicKeyOf(key).export({ type: 'spki', format: 'pem' }) as string
}

/** The public half of a private key; a public key is returned as it is. */
export function publicKeyOf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key
}

function findBlock(pem: string, labels: readonly string[]): PemBlock | undefined {
  return pemBlocks(pem).find((block) => labels.includes(block.label))
}

function describeContent(pem: string): string {
  const labels = pemBlocks(pem).map((block) => block.label)
  if (labels.length === 0) return 'the text has no PEM section'
  if (labels.some((label) => PRIVATE_LABELS.includes(label)))
    return 'the text has a private key, which stays with its owner'
  return `the text has ${labels.slice(0, 3).join(', ').slice(0, 100)}`
}

/** OpenSSL's own texts are codes of its decoder; the log gets them as the cause, people get a sentence. */
function parsed(what: string, read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch (cause) {
    throw badRequest(`the ${what} does not parse`, {
      cause,
      detail: cause instanceof Error ? cause.message : undefined,
    })
  }
}
