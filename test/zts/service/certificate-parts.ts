import { X509Certificate } from 'node:crypto'
import { AllowedAddresses } from '#zts/cert/allowed-addresses.ts'
import { AuthorityTexts } from '#zts/cert/authority-texts.ts'
import { CertificateIssuer } from '#zts/cert/certificate-issuer.ts'
import type { CertificateSigner, SigningRequest } from '#zts/cert/certificate-signer.ts'
import { requestRules } from '#zts/cert/request-rules.ts'
import { anySpiffeUri, basicUris, trustDomainUris } from '#zts/cert/spiffe-uri.ts'
import type { ZtsDependencies } from '#zts/service/dependencies.ts'
import { testAuthority } from '../cert/signing-support.ts'
import type { Answer, HarnessParts } from './harness.ts'

/** Parts that certificates need beside those of every harness. */
export type CertificateParts = Pick<ZtsDependencies, 'certificateIssuer' | 'requestRules' | 'allowedAddresses'>

/** A signer that notes what it is asked for; a test may let it fail. */
export class NotingSigner implements CertificateSigner {
  readonly requests: SigningRequest[] = []
  readonly authority: string
  failure: Error | undefined
  readonly #signer: CertificateSigner

  private constructor(signer: CertificateSigner, authority: string) {
    this.#signer = signer
    this.authority = authority
  }

  static async create(): Promise<NotingSigner> {
    const { signer, pem } = await testAuthority()
    return new NotingSigner(signer, pem)
  }

  get maxExpiryMins(): number {
    return this.#signer.maxExpiryMins
  }

  /** The last request. */
  get last(): SigningRequest {
    const last = this.requests.at(-1)
    if (last === undefined) throw new Error('nothing was signed')
    return last
  }

  async sign(request: SigningRequest): Promise<string> {
    this.requests.push(request)
    if (this.failure) throw this.failure
    return this.#signer.sign(request)
  }

  async caCertificate(): Promise<string> {
    return this.authority
  }
}

/** The parts as a server makes them of its configuration, with a signer of the test. */
export async function openCertificateParts(
  signer: NotingSigner,
  serviceAddresses?: string,
): Promise<(parts: HarnessParts) => CertificateParts> {
  const files = { services: serviceAddresses, providers: undefined, rootDirectory: '/' }
  const allowedAddresses = await AllowedAddresses.open(files, () => {})
  const properties = { all: 'all', byKeyId: 'byKeyId' }
  const authorityTexts = await AuthorityTexts.read({ properties, all: undefined, byKeyId: [], rootDirectory: '/' })
  return ({ config, log }) => ({
    certificateIssuer: new CertificateIssuer({ signer, authorityTexts, log }),
    requestRules: requestRules(config, {
      spiffe: anySpiffeUri([trustDomainUris(config.zts.spiffeTrustDomain), basicUris]),
      dataValidator: undefined,
      hostnames: undefined,
    }),
    allowedAddresses,
  })
}

/** The certificate of an answer, which must be one. */
export function certificateOf(answer: Answer, member = 'x509Certificate'): X509Certificate {
  if (answer.status !== 200) throw new Error(`no certificate: ${JSON.stringify(answer.body)}`)
  return new X509Certificate(String(answer.body[member]))
}

/** How long a certificate lives. */
export const minutesOf = ({ validFromDate, validToDate }: X509Certificate): number =>
  (validToDate.getTime() - validFromDate.getTime()) / 60_000
