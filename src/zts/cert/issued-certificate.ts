import { DerReader, derTags } from '#core/crypto/der-reader.ts'
import { pemBlocks } from '#core/crypto/pem.ts'

/** What is kept of a certificate that was issued. Times are epoch milliseconds. */
export interface IssuedCertificateFacts {
  /** Decimal. */
  readonly serial: string
  readonly notBefore: number
  readonly notAfter: number
}

const VERSION_TAG = 0xa0

/**
 * Reads serial number and validity of the first certificate of a PEM text, without the rest, which takes the X.509 parser
 * several times as long. Throws Error when there is none.
 */
export function readIssuedCertificate(pem: string): IssuedCertificateFacts {
  const block = pemBlocks(pem).find(({ label }) => label === 'CERTIFICATE')
  if (block === undefined) throw new Error('the signer has given no certificate')
  const base64 = block.text.slice(block.text.indexOf('\n'), block.text.lastIndexOf('\n-----END'))
  const fields = new DerReader(Buffer.from(base64, 'base64')).enter().enter()
  if (fields.nextTag === VERSION_TAG) fields.next()
  const serial = fields.next(derTags.integer).content.toString('hex')
  // Algorithm, issuer.
  fields.next(derTags.sequence)
  fields.next(derTags.sequence)
  const validity = fields.enter()
  return { serial: BigInt(`0x${serial}`).toString(), notBefore: readTime(validity), notAfter: readTime(validity) }
}

const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18
const STAMP = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/

/** UTCTime with two digits of the year, or GeneralizedTime with four (RFC 5280, 4.1.2.5). */
function readTime(reader: DerReader): number {
  const { tag, content } = reader.next()
  const text = content.toString('latin1')
  const century = Number(text.slice(0, 2)) < 50 ? '20' : '19'
  const stamp = tag === UTC_TIME ? century + text : text
  const [, ...parts] = STAMP.exec(stamp) ?? []
  if ((tag !== UTC_TIME && tag !== GENERALIZED_TIME) || parts.length === 0)
    throw new Error('the certificate has an odd time')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}
