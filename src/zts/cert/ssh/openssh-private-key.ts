import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { parseSshPublicKey } from '#core/crypto/ssh-public-key.ts'
import { SshReader } from '#core/crypto/ssh-wire.ts'

const MAGIC = 'openssh-key-v1\0'
const PEM = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/

/** Whether a text is a private key in the form that ssh-keygen writes. */
export const isOpenSshPrivateKey = (text: string): boolean => text.includes('-----BEGIN OPENSSH PRIVATE KEY-----')

/**
 * Reads a private key without passphrase in the form that ssh-keygen writes (OpenSSH, PROTOCOL.key).
 * @throws Error with the reason
 */
export function parseOpenSshPrivateKey(text: string): KeyObject {
  const match = PEM.exec(text)
  if (match === null) throw new Error('the private key is not whole')
  const bytes = Buffer.from((match[1] as string).replace(/\s+/g, ''), 'base64')
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new Error('the private key is of an unknown form')
  const reader = new SshReader(bytes.subarray(MAGIC.length))
  const cipher = reader.string().toString('latin1')
  if (cipher !== 'none') {
    throw new Error('the private key has a passphrase (remove it: ssh-keygen -p -N "" -f FILE)')
  }
  reader.string()
  reader.string()
  if (reader.uint32() !== 1) throw new Error('there is more than one private key')
  const publicBlob = reader.string()
  return createPrivateKey({ key: readSecret(publicBlob, new SshReader(reader.string())), format: 'jwk' })
}

/** The public half is read from its own place; the secret numbers follow a check value and the public ones again. */
function readSecret(publicBlob: Buffer, secret: SshReader): JsonWebKey {
  if (secret.uint32() !== secret.uint32()) throw new Error('the private key is damaged')
  const type = secret.string().toString('latin1')
  const jwk = parseSshPublicKey(`${type} ${publicBlob.toString('base64')}`).key.export({ format: 'jwk' })
  if (type === 'ssh-rsa') {
    secret.mpint()
    secret.mpint()
    const [d, qi, p, q] = [secret.mpint(), secret.mpint(), secret.mpint(), secret.mpint()]
    const rest = (prime: Buffer) => {
      const modulus = number(prime) - 1n
      return base64url(bytesOf(number(d) % modulus))
    }
    return { ...jwk, d: base64url(d), p: base64url(p), q: base64url(q), dp: rest(p), dq: rest(q), qi: base64url(qi) }
  }
  secret.string()
  if (type === 'ssh-ed25519') {
    // The seed, and the public key again.
    return { ...jwk, d: base64url(secret.string().subarray(0, 32)) }
  }
  secret.string()
  const length = Buffer.from(jwk.x ?? '', 'base64url').length
  const d = secret.mpint()
  return { ...jwk, d: base64url(Buffer.concat([Buffer.alloc(length - d.length), d])) }
}

const base64url = (bytes: Buffer) => bytes.toString('base64url')

const number = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)

function bytesOf(value: bigint): Buffer {
  const digits = value.toString(16)
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
}
