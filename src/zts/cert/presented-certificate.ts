import type { X509Certificate } from 'node:crypto'
import { readAlternativeNames, readSubject } from '#core/crypto/certificate-name-reader.ts'
import { DerError, DerReader, derTags, idOf, readOid } from '#core/crypto/der-reader.ts'
import { hostnameOf, instancesOf } from './certificate-request.ts'

/** What the certificate of a caller names. */
export interface PresentedCertificate {
  /** Undefined when there is none, or more than one. */
  readonly organizationalUnit: string | undefined
  readonly dnsNames: readonly string[]
  /** IPv6 with all groups. */
  readonly ipAddresses: readonly string[]
  readonly uris: readonly string[]
  readonly instanceId: string | undefined
  /** Of the URI `athenz://hostname/{name}`. */
  readonly hostname: string | undefined
}

const NOTHING: PresentedCertificate = {
  organizationalUnit: undefined,
  dnsNames: [],
  ipAddresses: [],
  uris: [],
  instanceId: undefined,
  hostname: undefined,
}

const VERSION_TAG = 0xa0
const EXTENSIONS_TAG = 0xa3
const SUBJECT_ALTERNATIVE_NAME = idOf('2.5.29.17')

/**
 * Reads the names of a certificate that TLS has verified. One that does not hold to its format, or is ambiguous about who
 * it is for, names nothing.
 */
export function readPresentedCertificate(certificate: X509Certificate): PresentedCertificate {
  try {
    return read(certificate.raw)
  } catch (error) {
    if (error instanceof DerError) return NOTHING
    throw error
  }
}

function read(der: Buffer): PresentedCertificate {
  const fields = new DerReader(der).enter().enter()
  if (fields.nextTag === VERSION_TAG) fields.next()
  // Serial number, algorithm, issuer, validity.
  for (const tag of [derTags.integer, derTags.sequence, derTags.sequence, derTags.sequence]) fields.next(tag)
  const units = readSubject(fields.next(derTags.sequence).content).get('OU') ?? []
  fields.next(derTags.sequence)
  while (!fields.done && fields.nextTag !== EXTENSIONS_TAG) fields.next()
  const names = fields.done ? [] : readAlternativeNames(alternativeNames(fields.enter(EXTENSIONS_TAG).enter()))
  const valuesOf = (type: 'dns' | 'ip' | 'uri') => names.filter((name) => name.type === type).map(({ value }) => value)
  const dnsNames = valuesOf('dns')
  const uris = valuesOf('uri')
  const { id, others } = instancesOf(uris, dnsNames)
  if (others) throw new DerError('it names more than one instance')
  return {
    organizationalUnit: units.length === 1 ? units[0] : undefined,
    dnsNames,
    ipAddresses: valuesOf('ip'),
    uris,
    instanceId: id,
    hostname: hostnameOf(uris),
  }
}

function alternativeNames(extensions: DerReader): Buffer | undefined {
  while (!extensions.done) {
    const extension = extensions.enter()
    if (readOid(extension) !== SUBJECT_ALTERNATIVE_NAME) continue
    if (extension.nextTag === derTags.boolean) extension.next()
    return extension.next(derTags.octetString).content
  }
  return undefined
}
