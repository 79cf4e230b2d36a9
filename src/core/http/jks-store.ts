import { createHash, createPrivateKey, timingSafeEqual, type X509Certificate } from 'node:crypto'
import { certificateFromDer, type StoreContents, type StoreKey } from './store-contents.ts'

const MAGIC = 0xfeedfeed
const PRIVATE_KEY_ENTRY = 1
const CERTIFICATE_ENTRY = 2
const DIGEST_LENGTH = 20
/** What the digest over a whole file starts with, after the password. */
const WHITENER = Buffer.from('Mighty Aphrodite', 'utf8')
/** DER of the algorithm identifier 1.3.6.1.4.1.42.2.17.1.1, Sun's key protection. */
const KEY_PROTECTION = Buffer.from('060a2b060104012a02110101', 'hex')

/**
 * Reads a key store in Java's JKS format, versions 1 and 2. `keyPassword` is that of the keys when it differs from the
 * file's. Throws Error with a reason for people when it cannot be read.
 */
export function readJks(bytes: Buffer, password: string, keyPassword: string = password): StoreContents {
  const body = bytes.subarray(0, Math.max(0, bytes.length - DIGEST_LENGTH))
  const digest = createHash('sha1').update(utf16(password)).update(WHITENER).update(body).digest()
  const stored = bytes.subarray(body.length)
  if (stored.length !== DIGEST_LENGTH || !timingSafeEqual(digest, stored)) {
    throw new Error('it is damaged, or the password is wrong')
  }
  return readEntries(new Reader(body), keyPassword)
}

function readEntries(reader: Reader, keyPassword: string): StoreContents {
  if (reader.uint32() !== MAGIC) throw new Error('it is not a JKS file')
  const version = reader.uint32()
  if (version !== 1 && version !== 2) throw new Error(`JKS version ${version} is unknown`)
  const keys: StoreKey[] = []
  const certificates: X509Certificate[] = []
  const count = reader.uint32()
  for (let index = 0; index < count; index++) {
    const kind = reader.uint32()
    const alias = reader.text()
    reader.skip(8) // Date of the entry.
    if (kind === PRIVATE_KEY_ENTRY) {
      keys.push({ key: unprotectedKey(reader.block(reader.uint32()), keyPassword), alias })
      const chainLength = reader.uint32()
      for (let link = 0; link < chainLength; link++) certificates.push(readCertificate(reader, version))
    } else if (kind === CERTIFICATE_ENTRY) {
      certificates.push(readCertificate(reader, version))
    } else {
      throw new Error(`entry ${alias} is of the unknown kind ${kind}`)
    }
  }
  return { keys, certificates }
}

function readCertificate(reader: Reader, version: number): X509Certificate {
  if (version === 2) reader.text() // Always X.509.
  return certificateFromDer(reader.block(reader.uint32()))
}

/** Sun's key protection: XOR with a chain of SHA-1 digests that starts at a salt, then a digest of the key. */
function unprotectedKey(encrypted: Buffer, keyPassword: string): StoreKey['key'] {
  const data = protectedBytes(encrypted)
  const password = utf16(keyPassword)
  const salt = data.subarray(0, DIGEST_LENGTH)
  const plain = Buffer.from(data.subarray(DIGEST_LENGTH, data.length - DIGEST_LENGTH))
  let link = salt
  for (let offset = 0; offset < plain.length; offset += DIGEST_LENGTH) {
    link = createHash('sha1').update(password).update(link).digest()
    for (let index = 0; index < DIGEST_LENGTH && offset + index < plain.length; index++) {
      plain[offset + index] = (plain[offset + index] as number) ^ (link[index] as number)
    }
  }
  const check = createHash('sha1').update(password).update(plain).digest()
  if (!timingSafeEqual(check, data.subarray(data.length - DIGEST_LENGTH))) {
    throw new Error('the password of the private key is wrong')
  }
  return createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' })
}

/** The octet string of an EncryptedPrivateKeyInfo (RFC 5208): `SEQUENCE { SEQUENCE { oid, NULL }, OCTET STRING }`. */
function protectedBytes(encrypted: Buffer): Buffer {
  const outer = new Reader(encrypted).element(0x30)
  const fields = new Reader(outer)
  if (!fields.element(0x30).subarray(0, KEY_PROTECTION.length).equals(KEY_PROTECTION)) {
    throw new Error('the private key is protected in an unknown way')
  }
  const data = fields.element(0x04)
  if (data.length < 2 * DIGEST_LENGTH) throw new Error('the private key is damaged')
  return data
}

/** Java's characters are two bytes each, most significant first. */
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()

/** Reads big-endian fields one after the other; never beyond the end. */
class Reader {
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  block(length: number): Buffer {
    const end = this.#position + length
    if (end > this.#bytes.length) throw new Error('it ends too early')
    const block = this.#bytes.subarray(this.#position, end)
    this.#position = end
    return block
  }

  skip(length: number): void {
    this.block(length)
  }

  uint32(): number {
    return this.block(4).readUInt32BE()
  }

  text(): string {
    return this.block(this.block(2).readUInt16BE()).toString('utf8')
  }

  /** Contents of a DER element with this tag. */
  element(tag: number): Buffer {
    if (this.block(1)[0] !== tag) throw new Error('the private key is damaged')
    const first = this.block(1)[0] as number
    if (first < 0x80) return this.block(first)
    const lengthBytes = first & 0x7f
    if (lengthBytes === 0 || lengthBytes > 4) throw new Error('the private key is damaged')
    return this.block(this.block(lengthBytes).readUIntBE(0, lengthBytes))
  }
}
