import { SshReader, sshString } from './ssh-wire.ts'

/** What an SSH certificate says; its signature is not verified. */
export interface SshCertificateFacts {
  /** Public key that it certifies, in the one-line form of OpenSSH. */
  readonly publicKey: string
  readonly certType: 'user' | 'host'
  readonly keyId: string
  readonly principals: readonly string[]
  /** Epoch seconds; the end is Infinity for a certificate that never ends. */
  readonly validAfter: number
  readonly validBefore: number
}

const LINE_MAX_LENGTH = 65_536
const LINE = /^([a-z0-9-]{1,64})-cert-v01@openssh\.com ([A-Za-z0-9+/]+={0,2})(?: [^\r\n]*)?\s*$/
const CERTIFICATE_SUFFIX = '-cert-v01@openssh.com'

/** How many numbers, or names of curves, a key of a kind consists of. */
const FIELDS_OF: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519', 1],
  ['ecdsa-sha2-nistp256', 2],
  ['ecdsa-sha2-nistp384', 2],
  ['ecdsa-sha2-nistp521', 2],
  ['ssh-rsa', 2],
])

const TYPES: ReadonlyMap<number, SshCertificateFacts['certType']> = new Map([
  [1, 'user'],
  [2, 'host'],
])
const FOREVER = 0xff_ff_ff_ff_ff_ff_ff_ffn

/**
 * Reads a certificate in the one-line form of OpenSSH (PROTOCOL.certkeys).
 * @throws RangeError with the reason when it is none
 */
export function readSshCertificate(line: string): SshCertificateFacts {
  const match = line.length > LINE_MAX_LENGTH ? null : LINE.exec(line)
  const [, type = '', base64 = ''] = match ?? []
  const count = FIELDS_OF.get(type)
  if (count === undefined) throw new RangeError('it is no SSH certificate of a known kind')
  const reader = new SshReader(Buffer.from(base64, 'base64'))
  if (reader.string().toString('latin1') !== type + CERTIFICATE_SUFFIX) {
    throw new RangeError('its kind is not that of the line')
  }
  reader.string() // nonce
  const fields = Array.from({ length: count }, () => reader.string())
  reader.uint64() // serial number
  const certType = TYPES.get(reader.uint32())
  if (certType === undefined) throw new RangeError('it is neither for a user nor for a host')
  const keyId = reader.string().toString()
  const principals = stringsIn(reader.string())
  const [validAfter, validBefore] = [reader.uint64(), reader.uint64()]
  // Critical options, extensions, what is reserved, the key of the authority and its signature.
  for (let part = 0; part < 5; part++) reader.string()
  if (!reader.atEnd) throw new RangeError('there is something behind it')
  return {
    publicKey: `${type} ${blobOf([Buffer.from(type), ...fields]).toString('base64')}`,
    certType,
    keyId,
    principals,
    validAfter: Number(validAfter),
    validBefore: validBefore === FOREVER ? Number.POSITIVE_INFINITY : Number(validBefore),
  }
}

const blobOf = (strings: readonly Buffer[]): Buffer => Buffer.concat(strings.map(sshString))

function stringsIn(bytes: Buffer): string[] {
  const reader = new SshReader(bytes)
  const strings: string[] = []
  while (!reader.atEnd) strings.push(reader.string().toString())
  return strings
}
