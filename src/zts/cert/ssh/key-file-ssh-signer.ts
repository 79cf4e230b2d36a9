import { readFile } from 'node:fs/promises'
import { ConfigError } from '#core/config/config-error.ts'
import { loadPrivateKey, publicKeyOf } from '#core/crypto/keys.ts'
import { parseSshPublicKey, sshKeyLine } from '#core/crypto/ssh-public-key.ts'
import { messageOf } from '#core/error/message-of.ts'
import { badRequest } from '#core/error/service-error.ts'
import type { SshCertificates, SshSigner, SshSigningRequest } from '../ssh-signer.ts'
import { isOpenSshPrivateKey, parseOpenSshPrivateKey } from './openssh-private-key.ts'
import { buildSshCertificate, type SshAuthority, sshAuthority } from './ssh-certificate.ts'

/** One authority of a {@link KeyFileSshSigner}. */
export interface SshAuthorityFile {
  /** Name of the property that points at the file, for messages. */
  readonly property: string
  /** Private key: PEM, or the form that ssh-keygen writes. */
  readonly file: string
  readonly passphrase?: string | undefined
  /** Life of its certificates. */
  readonly expiryMinutes: number
}

/** Clocks of hosts may be behind by so much. */
const BACKDATING_SECONDS = 60
const SECONDS_PER_MINUTE = 60

/** Signs SSH certificates with a private key from a file for each kind of certificate. */
export class KeyFileSshSigner implements SshSigner {
  readonly #authorities: ReadonlyMap<'user' | 'host', { authority: SshAuthority; expiryMinutes: number }>
  readonly #now: () => number

  private constructor(
    authorities: ReadonlyMap<'user' | 'host', { authority: SshAuthority; expiryMinutes: number }>,
    now: () => number,
  ) {
    this.#authorities = authorities
    this.#now = now
  }

  /** Reads the keys. Throws a ConfigError that names the property of a file that cannot be used. */
  static async open(
    files: Partial<Record<'user' | 'host', SshAuthorityFile>>,
    now: () => number,
  ): Promise<KeyFileSshSigner> {
    const authorities = new Map<'user' | 'host', { authority: SshAuthority; expiryMinutes: number }>()
    for (const certType of ['user', 'host'] as const) {
      const file = files[certType]
      if (file === undefined) continue
      authorities.set(certType, { authority: await readAuthority(file), expiryMinutes: file.expiryMinutes })
    }
    return new KeyFileSshSigner(authorities, now)
  }

  async sign(request: SshSigningRequest): Promise<SshCertificates> {
    const { certType, principals, keyId, sources, command } = request
    const { authority, expiryMinutes } = this.#authority(certType, request.signerKeyId)
    const nowSeconds = Math.floor(this.#now() / 1000)
    const publicKey = parseSshPublicKey(request.publicKey)
    try {
      const certificate = await buildSshCertificate(
        {
          publicKey,
          certType,
          principals,
          keyId,
          validAfter: nowSeconds - BACKDATING_SECONDS,
          validBefore: nowSeconds + expiryMinutes * SECONDS_PER_MINUTE,
          sources,
          command,
        },
        authority,
      )
      return { certificates: [{ certificate }] }
    } catch (error) {
      if (error instanceof RangeError) throw badRequest(`the SSH certificate request is refused: ${error.message}`)
      throw error
    }
  }

  async signerKey(certType: 'user' | 'host', signerKeyId: string | undefined): Promise<string | undefined> {
    return signerKeyId === undefined ? this.#line(certType) : undefined
  }

  #line(certType: 'user' | 'host'): string | undefined {
    const found = this.#authorities.get(certType)
    return found && sshKeyLine(found.authority.publicKey)
  }

  #authority(certType: 'user' | 'host', signerKeyId: string | undefined) {
    // Whoever asks for a certain key must not get a certificate of another.
    if (signerKeyId !== undefined) throw badRequest(`there is no SSH signing key ${signerKeyId}`)
    const found = this.#authorities.get(certType)
    if (found === undefined) throw badRequest(`SSH certificates for a ${certType} are not issued here`)
    return found
  }
}

async function readAuthority({ property, file, passphrase }: SshAuthorityFile): Promise<SshAuthority> {
  try {
    const text = await readFile(file, 'utf8')
    const key = isOpenSshPrivateKey(text)
      ? parseOpenSshPrivateKey(text)
      : loadPrivateKey(text, { use: 'certificate', ...(passphrase !== undefined && { passphrase }) })
    return sshAuthority(key, publicKeyOf(key))
  } catch (cause) {
    const line = `${property}: ${file}: ${messageOf(cause)}`
    throw Object.assign(new ConfigError([line]), { cause })
  }
}
