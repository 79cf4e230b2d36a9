/** SSH certificates for a host or a user, as the API has them. */
export interface SshCertificates {
  readonly certificates: readonly {
    readonly certificate: string
    readonly publicKey?: string | undefined
    readonly privateKey?: string | undefined
  }[]
  readonly certificateSigner?: string | undefined
}

/** What else a request says, for signers that know what to do with it; nobody has checked any of it. */
export interface FurtherSshRequest {
  /** Where the certificate is to be used. */
  readonly destinations: readonly string[]
  /** Of a hardware key. */
  readonly touchPublicKey?: string
  /** Algorithm of the authority: 1 RSA, 3 ECDSA. */
  readonly caPubKeyAlgo?: number
  readonly attestationData?: string
}

/** An SSH certificate to be issued. */
export interface SshSigningRequest {
  /** Full name of who asks. */
  readonly principal: string
  readonly certType: 'user' | 'host'
  /** Names that the certificate is for. */
  readonly principals: readonly string[]
  /** In the one-line form of OpenSSH. */
  readonly publicKey: string
  /** What the certificate calls its subject in logs. */
  readonly keyId: string
  /** Addresses it may be used from; any when empty. */
  readonly sources: readonly string[]
  /** Only this command may be run with it. */
  readonly command?: string | undefined
  readonly signerKeyId: string | undefined
  /** Absent when there is nothing else. */
  readonly further?: FurtherSshRequest
}

/** Issues SSH certificates: a plug-in. A ServiceError keeps its status, anything else is a 500. */
export interface SshSigner {
  sign(request: SshSigningRequest): Promise<SshCertificates>
  /** Public key of the authority for that kind of certificates, in the one-line form of OpenSSH. */
  signerKey(certType: 'user' | 'host', signerKeyId: string | undefined): Promise<string | undefined>
  close?(): Promise<void> | void
}
