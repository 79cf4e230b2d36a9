import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { badRequest } from '../error/service-error.ts'
import { findSoundKeyKind } from './key-kind.ts'
import { mpint, SshReader, sshString } from './ssh-wire.ts'

/** A public key as SSH has it. */
export interface SshPublicKey {
  /** Name of its kind, e.g. `ssh-ed25519`. */
  readonly type: string
  /** Its numbers in the binary form, without the name. */
  readonly fields: Buffer
  readonly key: KeyObject
}

/** What is known of one kind of key: how its numbers are read from SSH into JWK members, and written back. */
interface KeyRow {
  readonly type: string
  /** Curve in JWK; RSA has none. */
  readonly curve?: string
  /** Name of the curve in SSH. */
  readonly sshCurve?: string
}

const KEY_ROWS: readonly KeyRow[] = [
  { type: 'ssh-ed25519', curve: 'Ed25519' },
  { type: 'ecdsa-sha2-nistp256', curve: 'P-256', sshCurve: 'nistp256' },
  { type: 'ecdsa-sha2-nistp384', curve: 'P-384', sshCurve: 'nistp384' },
  { type: 'ecdsa-sha2-nistp521', curve: 'P-521', sshCurve: 'nistp521' },
  { type: 'ssh-rsa' },
]

const LINE_MAX_LENGTH = 8192
const LINE = /^([a-z0-9@.-]{1,64}) ([A-Za-z0-9+/]+={0,2})(?: [^\r\n]*)?$/
/** First byte of a point whose two coordinates follow. */
const UNCOMPRESSED = 4

/**
 * Reads a key in the one-line form of OpenSSH (`type base64 comment`). Security keys (`sk-…`), DSA and RSA keys below
 * 2048 bits are refused.
 * @throws ServiceError `bad-request` with the reason
 */
export function parseSshPublicKey(line: string): SshPublicKey {
  const match = line.length > LINE_MAX_LENGTH ? null : LINE.exec(line.trim())
  if (match === null) throw refused('not in the form "type base64 comment"')
  const [, type, base64] = match as unknown as [string, string, string]
  const row = KEY_ROWS.find((each) => each.type === type)
  if (row === undefined) throw refused(`keys of type ${type} are not accepted`)
  let key: KeyObject
  try {
    const reader = new SshReader(Buffer.from(base64, 'base64'))
    if (reader.string().toString('latin1') !== type) throw new RangeError('the type is not that of the line')
    key = createPublicKey({ key: readFields(row, reader), format: 'jwk' })
    if (!reader.atEnd) throw new RangeError('there is something behind it')
  } catch (cause) {
    throw refused(cause instanceof RangeError ? cause.message : 'it is not a key', cause)
  }
  const kind = findSoundKeyKind(key, 'certificate')
  if (typeof kind === 'string') throw refused(kind)
  // Written anew, so that nothing but the key gets into a certificate.
  return sshPublicKey(key)
}

/** The SSH form of a public key. Throws RangeError for a kind that SSH certificates are not made with. */
export function sshPublicKey(key: KeyObject): SshPublicKey {
  const jwk = key.export({ format: 'jwk' })
  const row = KEY_ROWS.find(({ curve }) => curve === jwk.crv)
  if (row === undefined) throw new RangeError(`keys on the curve ${jwk.crv} are not used in SSH`)
  return { type: row.type, fields: writeFields(row, jwk), key }
}

/** Binary form with the name of its kind. */
export const sshKeyBlob = ({ type, fields }: SshPublicKey): Buffer => Buffer.concat([sshString(type), fields])

/** One-line form of OpenSSH. */
export const sshKeyLine = (key: SshPublicKey): string => `${key.type} ${sshKeyBlob(key).toString('base64')}`

function readFields({ curve, sshCurve }: KeyRow, reader: SshReader): JsonWebKey {
  if (curve === undefined) {
    const e = reader.mpint()
    return { kty: 'RSA', e: base64url(e), n: base64url(reader.mpint()) }
  }
  if (sshCurve === undefined) return { kty: 'OKP', crv: curve, x: base64url(reader.string()) }
  if (reader.string().toString('latin1') !== sshCurve) throw new RangeError('the curve is not that of its type')
  const point = reader.string()
  if (point[0] !== UNCOMPRESSED || point.length % 2 !== 1) throw new RangeError('the point is not written in full')
  const middle = (point.length + 1) / 2
  return { kty: 'EC', crv: curve, x: base64url(point.subarray(1, middle)), y: base64url(point.subarray(middle)) }
}

function writeFields({ curve, sshCurve }: KeyRow, { e, n, x, y }: JsonWebKey): Buffer {
  if (curve === undefined) return Buffer.concat([mpint(bytesOf(e)), mpint(bytesOf(n))])
  if (sshCurve === undefined) return sshString(bytesOf(x))
  return Buffer.concat([
    sshString(sshCurve),
    sshString(Buffer.concat([Buffer.from([UNCOMPRESSED]), bytesOf(x), bytesOf(y)])),
  ])
}

const bytesOf = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')

const base64url = (bytes: Buffer) => bytes.toString('base64url')

const refused = (reason: string, cause?: unknown) => badRequest(`the SSH public key is refused: ${reason}`, { cause })
