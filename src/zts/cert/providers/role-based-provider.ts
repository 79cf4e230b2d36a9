import { nameAttributes, parseName } from '#core/authority/distinguished-name.ts'
import { isName } from '#core/names/patterns.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '../instance-provider.ts'
import { attributeNames, attributeOf } from './attributes.ts'

/** What the provider is made of. */
export interface RoleBasedOptions {
  /** Names of the issuers whose certificates count; any when empty. */
  readonly issuerNames: readonly string[]
  /** Whether a principal (full name) may do something, by the policies of the domain of the resource. */
  readonly mayPrincipal: (principal: string, action: string, resource: string) => boolean
}

const ACTION = 'zts.assume_service'

/** Vouches for services with certificates that may, by the policies of a domain, get JSON web tokens of another service. */
export class RoleBasedProvider implements InstanceProvider {
  readonly svidTypes = 'jwt'
  readonly inProcess = true
  readonly #mayPrincipal: RoleBasedOptions['mayPrincipal']
  /** Undefined: any. */
  readonly #issuers: ReadonlySet<string | undefined> | undefined

  constructor({ issuerNames, mayPrincipal }: RoleBasedOptions) {
    this.#mayPrincipal = mayPrincipal
    this.#issuers = issuerNames.length > 0 ? new Set(issuerNames.map(parseName)) : undefined
  }

  async confirmInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    const { provider, domain, service, attributes } = confirmation
    const issuer = attributeOf(attributes, attributeNames.issuerName)
    const known = issuer === undefined ? undefined : parseName(issuer)
    if (known === undefined || this.#issuers?.has(known) === false) throw new ProviderRefusal('Invalid issuer DN')
    const subject = attributeOf(attributes, attributeNames.subjectName)
    if (subject === undefined) throw new ProviderRefusal('No certificate subject DN provided')
    const [commonName, ...others] = (nameAttributes(subject) ?? []).filter(({ type }) => type === 'CN')
    const client = commonName?.value.toLowerCase() ?? ''
    if (others.length > 0 || !client.includes('.') || !isName('CompoundName', client)) {
      throw new ProviderRefusal('Invalid certificate subject CN')
    }
    if (!this.#mayPrincipal(client, ACTION, `${domain}:service.${service}`)) {
      throw new ProviderRefusal(
        `Service: ${client} not authorized to assume identity: ${serviceFullName(domain, service)}`,
      )
    }
    return { provider, domain, service, attestationData: '', attributes: {} }
  }

  async refreshInstance(): Promise<InstanceConfirmation> {
    throw new ProviderRefusal('JWT SVIDs cannot be refreshed')
  }
}
