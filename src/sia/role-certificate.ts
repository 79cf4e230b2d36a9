import { newPrivateKey, privateKeyPem } from '#client/certificate-requests.ts'
import { commonName } from '#client/identity.ts'
import type { Renewable } from './agent.ts'
import { CertificatePair } from './certificate-pair.ts'
import type { Validity } from './renewal-schedule.ts'
import { type ItemContext, identityOf, validityOf } from './service-certificate.ts'
import type { SiaConfig } from './sia-config.ts'

/** A certificate of a role that the service holds, with a key of its own. */
export class RoleCertificate implements Renewable {
  readonly kind = 'role certificate'
  readonly name: string
  readonly #context: ItemContext
  readonly #wanted: SiaConfig['roleCertificates'][number]
  readonly #pair: CertificatePair

  constructor(context: ItemContext, wanted: SiaConfig['roleCertificates'][number]) {
    this.#context = context
    this.#wanted = wanted
    this.name = `${wanted.domain}:role.${wanted.role}`
    this.#pair = new CertificatePair(context.config.folder, this.name, context.config)
  }

  async validity(): Promise<Validity | undefined> {
    const stored = await this.#pair.read()
    return stored && validityOf(stored)
  }

  async renew(): Promise<void> {
    const { config, pair, withZts } = this.#context
    const { domain, role, expiryMinutes } = this.#wanted
    const [service, former] = [await pair.read(), await this.#pair.read()]
    if (service === undefined) throw new Error('the service has no certificate to ask with')
    const privateKey = await newPrivateKey(config.keyKind)
    const { expiryMinutes: _ofService, dnsNames: _ofInstance, ...names } = config
    const certificate = await withZts(identityOf(service), (zts) =>
      zts.getRoleCertificate({
        ...names,
        roleDomain: domain,
        roleName: role,
        principal: `${config.domain}.${config.service}`,
        privateKey,
        ...(expiryMinutes !== undefined && { expiryMinutes }),
        ...(former && { previousCertificate: former.certificate }),
      }),
    )
    const certified = commonName(certificate)
    if (certified !== this.name) throw new Error(`ZTS gave a certificate for ${certified ?? 'nobody'}`)
    await this.#pair.install({ key: privateKeyPem(privateKey), certificate })
  }
}
