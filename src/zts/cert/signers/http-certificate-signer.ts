import { X509Certificate } from 'node:crypto'
import { textMember } from '#core/http/json-client.ts'
import type { CertificateSigner, CertificateUsage, SigningRequest } from '../certificate-signer.ts'
import { ConnectFailure, type SignerAnswer, type SignerConnection } from './signer-connection.ts'
import type { SignerKeys } from './signer-keys.ts'

/** What a remote signer is asked through. */
export interface HttpSignerOptions {
  readonly baseUrl: string
  readonly connection: Pick<SignerConnection, 'ask' | 'close'>
  readonly keys: SignerKeys
  readonly maxExpiryMins: number
  /** How often a request is tried again. */
  readonly retries: number
  /** Read at each failure: whether only requests that the signer cannot have seen are tried again. */
  readonly retriesConnectFailuresOnly: () => boolean
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** Numbers of extended key usages in the signer's API; without any it takes both sides of TLS. */
const USAGE_NUMBERS: Readonly<Record<CertificateUsage, readonly number[] | undefined>> = {
  client: [2],
  server: undefined,
  codeSigning: [3],
  timestamping: [8],
}

const DEFAULT_VALIDITY_SECONDS = 2_592_000
/** The certificate of an authority changes hardly ever, and every registration gives it to a client. */
const AUTHORITY_LIFE_MILLIS = 600_000

/** Has certificates signed by another service: Crypki, or one with the same API. */
export class HttpCertificateSigner implements CertificateSigner {
  readonly #options: HttpSignerOptions
  readonly #authorities = new Map<string, { readonly pem: Promise<string>; readonly readAt: number }>()

  constructor(options: HttpSignerOptions) {
    this.#options = options
  }

  get maxExpiryMins(): number {
    return this.#options.maxExpiryMins
  }

  async sign({ request, provider, usage, expiryMins, priority, signerKeyId }: SigningRequest): Promise<string> {
    const { keys, maxExpiryMins } = this.#options
    const key = keys.keyFor(provider, signerKeyId)
    const extendedKeyUsage = usage && USAGE_NUMBERS[usage]
    const { status, body } = await this.#ask(key, {
      key_meta: { identifier: key },
      csr: request.pem,
      validity: expiryMins > 0 && expiryMins < maxExpiryMins ? expiryMins * 60 : DEFAULT_VALIDITY_SECONDS,
      ...(extendedKeyUsage && { ext_key_usage: extendedKeyUsage }),
      priority,
    })
    if (status !== 201) throw new Error(`the signer answers with status ${status}`)
    const pem = certificateOf(body)
    const certificate = new X509Certificate(pem)
    if (certificate.ca || !certificate.publicKey.equals(request.publicKey)) {
      throw new Error('the signer answers with a certificate that was not asked for')
    }
    return pem
  }

  caCertificate(provider: string | undefined, signerKeyId: string | undefined): Promise<string> {
    const key = this.#options.keys.keyFor(provider, signerKeyId)
    const now = this.#options.now()
    const known = this.#authorities.get(key)
    // One that was read in the future was read before the clock was set back.
    if (known && known.readAt <= now && now - known.readAt < AUTHORITY_LIFE_MILLIS) return known.pem
    const pem = this.#authority(key)
    this.#authorities.set(key, { pem, readAt: now })
    return pem.catch((error: unknown) => {
      // Asked again at the next occasion; until then what was known before is still right.
      if (known) this.#authorities.set(key, known)
      else this.#authorities.delete(key)
      if (known) return known.pem
      throw error
    })
  }

  close(): Promise<void> {
    return this.#options.connection.close()
  }

  async #authority(key: string): Promise<string> {
    const { status, body } = await this.#ask(key)
    if (status !== 200) throw new Error(`the signer answers with status ${status}`)
    return certificateOf(body)
  }

  async #ask(key: string, json?: object): Promise<SignerAnswer> {
    const { baseUrl, connection, retries, retriesConnectFailuresOnly } = this.#options
    const url = new URL(`${baseUrl.replace(/\/$/, '')}/sig/x509-cert/keys/${encodeURIComponent(key)}`)
    for (let attempt = 0; ; attempt++) {
      try {
        return await connection.ask(url, json)
      } catch (error) {
        const again = error instanceof ConnectFailure || !retriesConnectFailuresOnly()
        if (!again || attempt >= retries) throw error
      }
    }
  }
}

function certificateOf(body: string): string {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw new Error('the answer of the signer is no JSON')
  }
  const pem = textMember(value, 'cert')
  if (!pem) throw new Error('the answer of the signer has no certificate')
  return pem
}
