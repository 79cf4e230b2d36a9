import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newPrivateKey, privateKeyPem } from '#client/certificate-requests.ts'
import { AthenzClientError } from '#client/client-error.ts'
import { certificateIdentity, commonName, type Identity } from '#client/identity.ts'
import { keyPairIdentity } from '#client/key-pair-identity.ts'
import type { ZtsClient } from '#client/zts-client.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import type { Renewable } from './agent.ts'
import { writeAtomically } from './atomic-file.ts'
import {
  type CertificatePair,
  type KeyAndCertificate,
  PUBLIC_ACCESS,
  type StoredPair,
  textOf,
} from './certificate-pair.ts'
import type { Validity } from './renewal-schedule.ts'
import { runCommand } from './run-command.ts'
import type { SiaConfig } from './sia-config.ts'
import { type SshAnswer, SshHostCertificate } from './ssh-host-certificate.ts'

/** What items work with. */
export interface ItemContext {
  readonly config: SiaConfig
  /** The key and the certificate of the service. */
  readonly pair: CertificatePair
  /** Does something with a client of ZTS that calls as somebody. */
  readonly withZts: <T>(identity: Identity | undefined, work: (zts: ZtsClient) => Promise<T>) => Promise<T>
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** How long a certificate is good. */
export const validityOf = ({ x509 }: StoredPair): Validity => ({
  fromMillis: x509.validFromDate.getTime(),
  untilMillis: x509.validToDate.getTime(),
})

/** Who calls with the certificate of the service. */
export const identityOf = ({ key, certificate }: KeyAndCertificate): Identity =>
  certificateIdentity({ key, cert: certificate })

interface Issued extends KeyAndCertificate {
  readonly authorities: string | undefined
  readonly athenzJwk?: object | undefined
  readonly ssh?: SshAnswer
}

/** ZTS knows the instance or its certificate no more: it has to register again. */
const UNKNOWN_STATUSES: ReadonlySet<number> = new Set([401, 403])

/** The certificate of the service: by a registered key, or as an instance that registers and then renews. */
export class ServiceCertificate implements Renewable {
  readonly kind = 'service certificate'
  readonly name: string
  /** What comes with it for the SSH server of the machine, if that is configured. */
  readonly sshHost: SshHostCertificate | undefined
  readonly #context: ItemContext

  constructor(context: ItemContext) {
    const { domain, service, sshHost } = context.config
    this.#context = context
    this.name = `${domain}.${service}`
    this.sshHost = sshHost && new SshHostCertificate(this.name, sshHost, () => this.renew())
  }

  async validity(): Promise<Validity | undefined> {
    const stored = await this.#context.pair.read()
    return stored && validityOf(stored)
  }

  async renew(): Promise<void> {
    const { config, pair } = this.#context
    const stored = await pair.read()
    const issued = await (config.registeredKey ? this.#byRegisteredKey(config.registeredKey) : this.#asInstance(stored))
    const certified = commonName(issued.certificate)
    if (certified !== this.name) throw new Error(`ZTS gave a certificate for ${certified ?? 'nobody'}`)
    await pair.install(issued)
    const { folder } = config
    if (issued.authorities)
      await writeAtomically(join(folder, 'certs', 'ca.cert.pem'), issued.authorities, PUBLIC_ACCESS)
    if (issued.athenzJwk) {
      await writeAtomically(this.#jwkFile, `${JSON.stringify(issued.athenzJwk)}\n`, PUBLIC_ACCESS)
    }
    if (issued.ssh) await this.sshHost?.install(issued.ssh)
  }

  async #byRegisteredKey({ file, id }: NonNullable<SiaConfig['registeredKey']>): Promise<Issued> {
    const { config, withZts } = this.#context
    const privateKey = loadPrivateKey(await readFile(file, 'utf8'))
    const { domain, service } = config
    const identity = keyPairIdentity({ domain, service, privateKey, keyId: id })
    const answer = await withZts(identity, (zts) => zts.getServiceCertificate({ ...config, privateKey, keyId: id }))
    const { certificate, caCertBundle: authorities } = answer
    if (certificate === undefined) throw new Error('ZTS gave no certificate')
    return { key: privateKeyPem(privateKey), certificate, authorities }
  }

  async #asInstance(stored: StoredPair | undefined): Promise<Issued> {
    const { log, withZts } = this.#context
    const attestationData = await this.#attestation()
    if (stored) {
      try {
        return await withZts(identityOf(stored), (zts) => this.#ask(zts, 'refreshInstance', stored, attestationData))
      } catch (error) {
        const isUnknown = error instanceof AthenzClientError && UNKNOWN_STATUSES.has(error.status ?? 0)
        if (!isUnknown || attestationData === undefined) throw error
        log(
          'warn',
          `ZTS does not renew the certificate of ${this.name} (${error.message}); the instance registers again`,
        )
      }
    }
    if (attestationData === undefined) {
      throw new Error('the first certificate needs attestationFile or attestationCommand')
    }
    return withZts(undefined, (zts) => this.#ask(zts, 'registerInstance', undefined, attestationData))
  }

  async #ask(
    zts: ZtsClient,
    operation: 'registerInstance' | 'refreshInstance',
    stored: StoredPair | undefined,
    attestationData: string | undefined,
  ): Promise<Issued> {
    const { config } = this.#context
    const { provider = '', instanceId = '', keepKey, keyKind, sshHost: _ofConfig, ...wishes } = config
    const sshHost = await this.sshHost?.request()
    const privateKey = keepKey && stored ? stored.privateKey : await newPrivateKey(keyKind)
    const answer = await zts[operation]({
      ...wishes,
      ...(sshHost && { sshHost }),
      provider,
      instanceId,
      privateKey,
      athenzJwk: (await this.#jwkModified()) ?? true,
      ...(attestationData !== undefined && { attestationData }),
    })
    const { x509Certificate: certificate, x509CertificateSigner: authorities, athenzJWK: athenzJwk } = answer
    if (certificate === undefined) throw new Error('ZTS gave no certificate')
    const ssh = sshHost && { certificate: answer.sshCertificate, authority: answer.sshCertificateSigner }
    return { key: privateKeyPem(privateKey), certificate, authorities, athenzJwk, ...(ssh && { ssh }) }
  }

  async #attestation(): Promise<string | undefined> {
    const { attestationFile: file, attestationCommand: words, commandTimeoutSeconds } = this.#context.config
    const text = words
      ? await runCommand(words, commandTimeoutSeconds)
      : file === undefined
        ? undefined
        : await textOf(file)
    return text?.trim() || undefined
  }

  get #jwkFile(): string {
    return join(this.#context.config.folder, 'athenz.conf')
  }

  /** When the public keys of the servers that are on disk had changed last. */
  async #jwkModified(): Promise<Date | undefined> {
    const text = await textOf(this.#jwkFile).catch(() => undefined)
    if (text === undefined) return undefined
    try {
      const { modified } = JSON.parse(text) as { modified?: unknown }
      const date = new Date(typeof modified === 'string' ? modified : Number.NaN)
      return Number.isNaN(date.getTime()) ? undefined : date
    } catch {
      return undefined
    }
  }
}
