import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { LRUCache } from 'lru-cache'
import { pemBlocks } from '#core/crypto/pem.ts'
import type { AuthenticationResult, Authority, AuthorityContext, PropertyReader } from './authority.ts'
import { CertificateAuthority } from './certificate-authority.ts'
import { clientCertificateFailure, readForwardedCertificate } from './forwarded-certificate.ts'
import { Networks } from './networks.ts'
import { peerAddressOf } from './remote-address.ts'
import { listSetting, textSetting } from './setting.ts'

const HEADER_PROPERTY = 'athenz.ts.forwarded_certificate_header'
const PROXIES_PROPERTY = 'athenz.ts.forwarded_certificate_proxies'
const CA_PROPERTY = 'athenz.ts.forwarded_certificate_ca_file'
/** Certificates that were read and verified; clients send the same one with every request. */
const KNOWN_MAX_COUNT = 1000

/**
 * Accepts client certificates that a proxy, which ends TLS before this server, passes on in a header. Only the configured
 * proxies are believed, and only certificates of the configured authorities, whose signatures are verified here once more.
 * All else is as with {@link CertificateAuthority}, with its properties. Own properties:
 * `athenz.ts.forwarded_certificate_proxies` (addresses and networks), `.forwarded_certificate_ca_file` (PEM),
 * `.forwarded_certificate_header`. Not of the original, which has nothing for this.
 */
export class ForwardedCertificateAuthority implements Authority {
  readonly id = 'Auth-X509-FORWARDED'
  readonly credentialSource = 'request'
  readonly challenge = 'AthenzX509Certificate realm="athenz"'
  readonly allowAuthorization = true
  readonly #identities = new CertificateAuthority()
  readonly #known = new LRUCache<string, X509Certificate>({ max: KNOWN_MAX_COUNT })
  #header = ''
  #proxies = Networks.read([], PROXIES_PROPERTY)
  #authorities: readonly X509Certificate[] = []
  #now!: () => number

  async initialize(context: AuthorityContext): Promise<void> {
    const { property, now } = context
    await this.#identities.initialize(context)
    this.#now = now
    this.#header = textSetting(property, HEADER_PROPERTY, 'Client-Cert').toLowerCase()
    this.#proxies = readProxies(property)
    this.#authorities = await readAuthorities(property)
  }

  authenticateRequest(request: IncomingMessage): AuthenticationResult {
    const values = request.headersDistinct[this.#header]
    if (values === undefined) return null
    const peer = peerAddressOf(request)
    // Whoever reaches this server without the proxy can write any certificate into the header: they are public.
    if (!this.#proxies.includes(peer)) return rejected(`a certificate from ${peer}, which is no configured proxy`)
    const [value = '', ...others] = values
    if (others.length > 0) return rejected(`several headers ${this.#header}`)
    const certificate = this.#certificateOf(value)
    if (typeof certificate === 'string') return rejected(certificate)
    const identity = this.#identities.authenticateCertificate({
      leaf: certificate,
      raw: certificate.raw,
      remoteAddress: peer,
    })
    return identity === null || 'rejected' in identity ? identity : { ...identity, authority: this }
  }

  #certificateOf(header: string): X509Certificate | string {
    const now = this.#now()
    const known = this.#known.get(header)
    if (known !== undefined && now <= known.validToDate.getTime()) return known
    const certificate = readForwardedCertificate(header)
    if (typeof certificate === 'string') return certificate
    const failure = clientCertificateFailure(certificate, this.#authorities, now)
    if (failure !== undefined) return failure
    this.#known.set(header, certificate)
    return certificate
  }
}

const rejected = (reason: string): AuthenticationResult => ({ rejected: `ForwardedCertificateAuthority: ${reason}` })

function readProxies(property: PropertyReader): Networks {
  const entries = listSetting(property, PROXIES_PROPERTY)
  if (entries.length === 0) throw new Error(`${PROXIES_PROPERTY} is not set: no proxy would be believed`)
  return Networks.read(entries, PROXIES_PROPERTY)
}

async function readAuthorities(property: PropertyReader): Promise<readonly X509Certificate[]> {
  const file = textSetting(property, CA_PROPERTY)
  if (file === undefined) throw new Error(`${CA_PROPERTY} is not set: no certificate would be trusted`)
  let text: string
  try {
    text = await readFile(file, 'latin1')
  } catch (cause) {
    throw new Error(`${CA_PROPERTY}: the file ${file} cannot be read`, { cause })
  }
  const certificates = pemBlocks(text)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map((block) => new X509Certificate(block.text))
  if (certificates.length === 0) throw new Error(`${CA_PROPERTY}: ${file} has no certificate in PEM form`)
  return certificates
}
