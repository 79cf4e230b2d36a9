import { messageOf } from '#core/error/message-of.ts'
import type { StoreFile, TlsMaterial } from '#core/http/tls-material.ts'
import { TlsSource } from '#core/http/tls-source.ts'
import { invalidRequest } from './client-error.ts'
import { commonName, type Identity } from './identity.ts'

/** A file by its path, or with the password that opens it. */
export type KeyFile = string | StoreFile

/** Files with a certificate, its key and authorities: PEM, PKCS#12 or JKS. */
export interface CertificateFilesOptions {
  /** The private key; without `certificate`, the certificates, too. */
  readonly key: KeyFile
  /** PEM: the certificate of the client, then the issuers above it. */
  readonly certificate?: string
  /** Authorities that vouch for the servers; those of the client's options, or of the system, unless given. */
  readonly ca?: KeyFile
  /** Time between two looks at the files; a minute unless given. */
  readonly checkIntervalMillis?: number
  /** Told why changed files cannot be used, once for each reason; those read before stay in use. */
  readonly onError?: (error: unknown) => void
}

/** An identity in files. */
export interface CertificateFiles extends Identity {
  /** Looks at the files now; gives whether something was taken over. */
  check(): Promise<boolean>
  readonly tls: () => TlsMaterial
  readonly onChange: (listener: () => void) => () => void
  /** Looks at the files no more. */
  readonly close: () => void
}

const CHECK_INTERVAL_MILLIS = 60_000

/**
 * A service with a certificate in files, which are read again when they change: connections made after that have the new
 * certificate. A key and a certificate that do not belong together, as between two writes, change nothing.
 * @throws AthenzClientError `invalid-request` that names the file which cannot be used
 */
export async function certificateFiles(options: CertificateFilesOptions): Promise<CertificateFiles> {
  const { certificate, ca, checkIntervalMillis = CHECK_INTERVAL_MILLIS, onError } = options
  const files = {
    key: storeFile(options.key),
    ...(certificate !== undefined && { certificate: { file: certificate } }),
    ...(ca !== undefined && { trust: storeFile(ca) }),
  }
  const log = { info: () => {}, error: ({ err }: { readonly err: unknown }) => onError?.(err) }
  const source = await TlsSource.open(files, { log, intervalMillis: checkIntervalMillis }).catch((cause: unknown) => {
    throw invalidRequest(`the certificate cannot be used: ${messageOf(cause)}`, cause)
  })
  const listeners = new Set<() => void>()
  let name = commonName(source.material.cert)
  source.onChange((material) => {
    name = commonName(material.cert)
    // The source takes the material over after it has told so.
    queueMicrotask(() => {
      for (const listener of listeners) listener()
    })
  })
  return {
    get name() {
      return name
    },
    tls: () => source.material,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    check: () => source.check(),
    close: () => source.close(),
  }
}

const storeFile = (file: KeyFile): StoreFile => (typeof file === 'string' ? { file } : file)
