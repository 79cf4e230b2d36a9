/** What ZTS asks a provider to confirm, and what the provider answers. */
export interface InstanceConfirmation {
  /** Full name of the provider service. */
  readonly provider: string
  readonly domain: string
  /** Local name. */
  readonly service: string
  readonly attestationData: string
  readonly attributes: Readonly<Record<string, string>>
}

/** A refusal by a provider: 403, or 504 when the provider could not be asked. */
export class ProviderRefusal extends Error {
  readonly status: 403 | 504

  constructor(message: string, status: 403 | 504 = 403) {
    super(message)
    this.status = status
  }
}

/** Vouches for instances: a service behind HTTPS, or a plug-in. Refuses by throwing {@link ProviderRefusal}. */
export interface InstanceProvider {
  /** What its confirmations are good for. */
  readonly svidTypes: 'x509' | 'jwt' | 'both'
  /** Whether it runs inside this server: then it is told the public key of a request, too. */
  readonly inProcess: boolean
  /** For an instance that asks for its first certificate. */
  confirmInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation>
  /** For an instance that renews its certificate. */
  refreshInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation>
  /** A token that an instance may register with; absent when the provider has none. */
  instanceRegisterToken?(confirmation: InstanceConfirmation): Promise<InstanceConfirmation>
  close?(): Promise<void> | void
}
