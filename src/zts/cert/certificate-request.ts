import type { KeyObject } from 'node:crypto'
import { toPem } from '#core/crypto/certificate-asn1.ts'
import type { AlternativeName } from '#core/crypto/certificate-name.ts'
import type { SubjectAttribute } from '#core/crypto/certificate-name-reader.ts'
import {
  type ParsedCertificateRequest,
  parseCertificateRequest,
  verifiedPublicKey,
} from '#core/crypto/certificate-request-reader.ts'
import { DerError } from '#core/crypto/der-reader.ts'
import { pemBlocks } from '#core/crypto/pem.ts'
import { badRequest } from '#core/error/service-error.ts'

/**
 * A certificate request whose form is good and whose signature is that of its key. Whether its sender may have such a
 * certificate is for the checks to say. The only way to one is {@link readCertificateRequest}, so that nothing else can
 * reach a signer.
 */
export interface CertificateRequestView {
  /** Made anew of the bytes that were checked: what a remote signer gets. */
  readonly pem: string
  /** DER of the subject, for the certificate. */
  readonly subjectDer: Buffer
  readonly commonName: string | undefined
  readonly organization: string | undefined
  readonly organizationalUnit: string | undefined
  readonly publicKey: KeyObject
  /** DER of the SubjectPublicKeyInfo, for the certificate. */
  readonly publicKeyDer: Buffer
  readonly publicKeyPem: string
  /** In the order given. */
  readonly alternativeNames: readonly AlternativeName[]
  readonly dnsNames: readonly string[]
  /** IPv6 with all groups. */
  readonly ipAddresses: readonly string[]
  readonly emails: readonly string[]
  readonly uris: readonly string[]
  readonly spiffeUri: string | undefined
  /** Of the URI `athenz://instanceid/{provider}/{id}`, or else of a DNS name `{id}.instanceid.athenz.{suffix}`. */
  readonly instanceId: string | undefined
  /** Whether DNS names name further instances. */
  readonly namesOtherInstances: boolean
  /** Of the URI `athenz://hostname/{name}`. */
  readonly hostname: string | undefined
}

/** URIs among the alternative names that have a meaning. */
export const certificateUris = {
  spiffe: 'spiffe://',
  hostname: 'athenz://hostname/',
  principal: 'athenz://principal/',
  proxyUser: 'athenz://proxyuser/',
  instanceId: 'athenz://instanceid/',
} as const

const INSTANCE_ID_DNS = '.instanceid.athenz.'
const LABELS: readonly string[] = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']
/** What the peer says of a text that is no request at all. */
const NO_REQUEST = 'Invalid csr provided'
const NO_TEXT = 'CSR is null or empty'
/** More than a thousand alternative names beside a key of 8192 bits. */
const TEXT_MAX_LENGTH = 65_536
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const INSTANCE_ID = /^[a-zA-Z0-9._~=+@$,:-]{1,255}$/
const DNS_NAME = /^(?:\*\.)?[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)*$/
const DNS_NAME_MAX_LENGTH = 253

/** How a refusal is worded. */
export interface RefusalWording {
  /** Stands before the reason, with a colon. */
  readonly prefix: string
  /** Whether the peer gives its reasons there; what it would not refuse gets a reason all the same. */
  readonly peerGivesReasons: boolean
}

/**
 * Reads a PKCS #10 request in PEM and verifies its signature. Stricter than the peer, which takes broken signatures,
 * RSA keys of any length and requests for a CA, and ignores what they ask for.
 * Throws `bad-request` with the reason.
 */
export async function readCertificateRequest(pem: string, wording?: RefusalWording): Promise<CertificateRequestView> {
  try {
    const parsed = parseCertificateRequest(derOf(pem))
    if (parsed.asksForAuthority) throw new DerError('it asks for a certificate of an authority')
    const view = viewOf(parsed)
    return { ...view, publicKey: await verifiedPublicKey(parsed) }
  } catch (error) {
    if (!(error instanceof DerError) && !(error instanceof RecordedReason)) throw error
    const known = error instanceof RecordedReason
    const reason = known ? error.message : `the certificate request is refused: ${error.message}`
    if (wording === undefined) throw badRequest(reason)
    if (known && !wording.peerGivesReasons) throw badRequest(wording.prefix, { detail: reason })
    throw badRequest(`${wording.prefix}: ${reason}`)
  }
}

/** A reason in the words of the peer. */
class RecordedReason extends Error {}

function derOf(pem: string): Buffer {
  if (pem === '') throw new RecordedReason(NO_TEXT)
  if (pem.length > TEXT_MAX_LENGTH) throw new DerError('it is too long')
  const block = pemBlocks(pem).find(({ label }) => LABELS.includes(label))
  if (block === undefined) throw new RecordedReason(NO_REQUEST)
  const lines = block.text.trim().split('\n').slice(1, -1)
  const base64 = lines.map((line) => line.trim()).join('')
  const der = Buffer.from(base64, 'base64')
  // Node leaves out what is not base64, so that another program may read something else.
  if (!BASE64.test(base64) || der.toString('base64') !== base64) throw new DerError('it is not in base64')
  return der
}

function viewOf(parsed: ParsedCertificateRequest): Omit<CertificateRequestView, 'publicKey'> {
  const { der, subject, subjectDer, publicKeyDer, alternativeNames } = parsed
  const valuesOf = (type: AlternativeName['type']) =>
    alternativeNames.filter((name) => name.type === type).map(({ value }) => value)
  const dnsNames = valuesOf('dns')
  const uris = valuesOf('uri')
  const { id: instanceId, others } = instancesOf(uris, dnsNames)
  for (const name of dnsNames) {
    if (name.length > DNS_NAME_MAX_LENGTH || !DNS_NAME.test(name)) throw new DerError('it has a DNS name that is none')
  }
  return {
    pem: toPem('CERTIFICATE REQUEST', der),
    subjectDer,
    commonName: single(subject, 'CN'),
    organization: single(subject, 'O'),
    organizationalUnit: single(subject, 'OU'),
    publicKeyDer,
    publicKeyPem: toPem('PUBLIC KEY', publicKeyDer),
    alternativeNames,
    dnsNames,
    ipAddresses: valuesOf('ip'),
    emails: valuesOf('email'),
    uris,
    spiffeUri: spiffeUriOf(uris),
    instanceId,
    namesOtherInstances: others,
    hostname: hostnameOf(uris),
  }
}

/** With two common names, one program would take the first for the name and another the last. */
function single(subject: ParsedCertificateRequest['subject'], type: SubjectAttribute): string | undefined {
  const values = subject.get(type) ?? []
  if (values.length > 1) throw new RecordedReason('CSR Subject contains multiple values for the same field.')
  return values[0]
}

function spiffeUriOf(uris: readonly string[]): string | undefined {
  const found = uris.filter(
    (uri) => uri.slice(0, certificateUris.spiffe.length).toLowerCase() === certificateUris.spiffe,
  )
  if (found.length > 1) throw new RecordedReason('Invalid SPIFFE URI present in CSR')
  return found[0]
}

/** The instance that alternative names name. */
export interface NamedInstance {
  readonly id: string | undefined
  /** Whether DNS names name others besides. */
  readonly others: boolean
}

/**
 * Reads the instance, from URIs before DNS names. Throws DerError when several URIs name one each, or it has another form.
 */
export function instancesOf(uris: readonly string[], dnsNames: readonly string[]): NamedInstance {
  const ofUris = uris.flatMap((uri) => {
    if (!uri.startsWith(certificateUris.instanceId)) return []
    const slash = uri.indexOf('/', certificateUris.instanceId.length)
    return slash === -1 ? [] : [uri.slice(slash + 1)]
  })
  const ofDnsNames = dnsNames.flatMap((name) => {
    const at = name.indexOf(INSTANCE_ID_DNS)
    return at === -1 ? [] : [name.slice(0, at)]
  })
  const id = only(ofUris, 'instance id') ?? ofDnsNames[0]
  if (id !== undefined && id !== '' && !INSTANCE_ID.test(id))
    throw new DerError('it has an instance id of another form')
  return { id, others: ofDnsNames.some((other) => other.toLowerCase() !== id?.toLowerCase()) }
}

/** The host that URIs name. Throws DerError when there are several. */
export function hostnameOf(uris: readonly string[]): string | undefined {
  const found = uris.filter((uri) => uri.startsWith(certificateUris.hostname))
  return only(
    found.map((uri) => uri.slice(certificateUris.hostname.length)),
    'host name',
  )
}

function only(values: readonly string[], what: string): string | undefined {
  if (new Set(values).size > 1) throw new DerError(`it has more than one ${what}`)
  return values[0]
}
