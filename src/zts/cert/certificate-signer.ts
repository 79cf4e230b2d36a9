import type { CertificateRequestView } from './certificate-request.ts'

/** What a certificate may be used for; both sides of TLS when not said. */
export type CertificateUsage = 'client' | 'server' | 'codeSigning' | 'timestamping'

/** How urgent a signature is, told to remote signers. */
export type SigningPriority = 'Unspecified_priority' | 'High' | 'Medium' | 'Low'

/** A certificate to be issued. The request has passed every check of ZTS. */
export interface SigningRequest {
  /** Service that launched the instance; undefined where there is none, as for role certificates. */
  readonly provider: string | undefined
  /** Signers elsewhere are sent its `pem`; subject, key and alternative names are all that a certificate takes of it. */
  readonly request: CertificateRequestView
  readonly usage: CertificateUsage | undefined
  /** 0: what the signer gives. */
  readonly expiryMins: number
  readonly priority: SigningPriority
  /** Key of the signer; its own choice when undefined. */
  readonly signerKeyId: string | undefined
}

/** Issues X.509 certificates: a plug-in. Failures reject; what they say goes to the log, not to clients. */
export interface CertificateSigner {
  /** The longest life it gives. */
  readonly maxExpiryMins: number
  /** The certificate in PEM, with its chain when the signer sends one. */
  sign(request: SigningRequest): Promise<string>
  /** Certificates of the authority in PEM; undefined when the signer does not tell. */
  caCertificate(provider: string | undefined, signerKeyId: string | undefined): Promise<string | undefined>
  close?(): Promise<void> | void
}
