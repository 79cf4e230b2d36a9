import { readFile } from 'node:fs/promises'
import type { SshHostRequest } from '#client/certificates.ts'
import { readSshCertificate, type SshCertificateFacts } from '#core/crypto/ssh-certificate-reader.ts'
import { parseSshPublicKey, sshKeyLine } from '#core/crypto/ssh-public-key.ts'
import type { Renewable } from './agent.ts'
import { writeAtomically } from './atomic-file.ts'
import { PUBLIC_ACCESS, textOf } from './certificate-pair.ts'
import type { Validity } from './renewal-schedule.ts'
import type { SiaConfig } from './sia-config.ts'

/** The SSH certificate in an answer of ZTS, and the key of its authority. */
export interface SshAnswer {
  readonly certificate: string | undefined
  readonly authority: string | undefined
}

/** Gets a new identity of the instance with everything that comes with it. */
export type RenewIdentity = () => Promise<void>

/**
 * The certificate of the SSH server of this machine, for its own key. ZTS gives it together with the identity of the
 * instance only, so that it is renewed with it; when it is due for itself, the identity is renewed, too.
 */
export class SshHostCertificate implements Renewable {
  readonly kind = 'SSH certificate'
  readonly name: string
  readonly #wanted: NonNullable<SiaConfig['sshHost']>
  readonly #renewIdentity: RenewIdentity
  /** What came with the last identity, until it was asked for. */
  #outcome: Error | 'installed' | undefined

  /** `service` is the full name of the service. */
  constructor(service: string, wanted: NonNullable<SiaConfig['sshHost']>, renewIdentity: RenewIdentity) {
    this.name = service
    this.#wanted = wanted
    this.#renewIdentity = renewIdentity
  }

  /** What ZTS is asked for; undefined when the key of the host cannot be read. Never rejects: the identity matters more. */
  async request(): Promise<SshHostRequest | undefined> {
    try {
      return { publicKey: await this.#publicKey(), principals: this.#wanted.principals }
    } catch (error) {
      this.#outcome = errorOf(error)
      return undefined
    }
  }

  /** Puts what came with an identity in place. Never rejects: the identity is good without it. */
  async install(answer: SshAnswer): Promise<void> {
    try {
      await this.#install(answer)
      this.#outcome = 'installed'
    } catch (error) {
      this.#outcome = errorOf(error)
    }
  }

  async validity(): Promise<Validity | undefined> {
    const line = await textOf(this.#certificateFile)
    const facts = line === undefined ? undefined : await this.#ownFacts(line).catch(() => undefined)
    return facts && { fromMillis: facts.validAfter * 1000, untilMillis: facts.validBefore * 1000 }
  }

  async renew(): Promise<void> {
    // What did not come with the identity a moment ago would not come now either.
    if (this.#outcome === undefined || this.#outcome === 'installed') await this.#renewIdentity()
    const outcome = this.#outcome
    this.#outcome = undefined
    if (outcome instanceof Error) throw outcome
  }

  async #install({ certificate, authority }: SshAnswer): Promise<void> {
    if (certificate === undefined) throw new Error('ZTS gave no SSH certificate: its log says why')
    const { certType } = await this.#ownFacts(certificate)
    if (certType !== 'host') throw new Error('ZTS gave an SSH certificate that is not for a host')
    const { authorityFile } = this.#wanted
    if (authority !== undefined && authorityFile !== undefined) {
      await writeAtomically(authorityFile, `${authority.trim()}\n`, PUBLIC_ACCESS)
    }
    await writeAtomically(this.#certificateFile, `${certificate.trim()}\n`, PUBLIC_ACCESS)
  }

  /** What a certificate says. Rejects when it is none, or not for the key of the host. */
  async #ownFacts(line: string): Promise<SshCertificateFacts> {
    const facts = readSshCertificate(line)
    if (facts.publicKey !== (await this.#publicKey())) throw new Error('the SSH certificate is for another key')
    return facts
  }

  /** The key of the host in one line, without a comment. */
  async #publicKey(): Promise<string> {
    return sshKeyLine(parseSshPublicKey(await readFile(this.#wanted.publicKeyFile, 'utf8')))
  }

  get #certificateFile(): string {
    const { certificateFile, publicKeyFile } = this.#wanted
    // As ssh-keygen calls it, and as HostCertificate of sshd_config mostly has it.
    return certificateFile ?? publicKeyFile.replace(/(?:\.pub)?$/, '-cert.pub')
  }
}

const errorOf = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
