import { X509Certificate } from 'node:crypto'
import type { AuditLog } from '#core/audit/audit-log.ts'
import { AuthorityTexts } from '#zts/cert/authority-texts.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '#zts/cert/instance-provider.ts'
import { InstanceProviders } from '#zts/cert/instance-providers.ts'
import { ProviderSuffixes } from '#zts/cert/provider-suffixes.ts'
import type { SshCertificates, SshSigner, SshSigningRequest } from '#zts/cert/ssh-signer.ts'
import type { InstanceIdentityDependencies } from '#zts/service/instance-identity.ts'
import { instanceRefreshService } from '#zts/service/instance-refresh.ts'
import { instanceRegisterService } from '#zts/service/instance-register.ts'
import { instanceRemovalService } from '#zts/service/instance-removal.ts'
import { withIssuanceAudit } from '#zts/service/issuance-audit.ts'
import { sshCertificateService } from '#zts/service/ssh-certificate.ts'
import { MemoryCertificateRecords } from '#zts/store/memory/memory-certificate-records.ts'
import { MemorySshRecords } from '#zts/store/memory/memory-ssh-records.ts'
import { MemoryWorkloadRecords } from '#zts/store/memory/memory-workload-records.ts'
import { type RequestParts, requestFor } from '../../support/certificate-requests.ts'
import { NotingSigner, openCertificateParts } from './certificate-parts.ts'
import { type Answer, type CallOptions, Harness, type HarnessParts } from './harness.ts'
import { tokenParts } from './token-parts.ts'

/** Name of the provider in these tests. */
export const PROVIDER = 'sys.host.provider'

/** A provider that notes what it is asked and answers as the test says. */
export class NotingProvider implements InstanceProvider {
  svidTypes: InstanceProvider['svidTypes'] = 'x509'
  inProcess = true
  readonly asked: { operation: 'confirm' | 'refresh'; confirmation: InstanceConfirmation }[] = []
  attributes: Record<string, string> = {}
  /** Members of the answer that differ from the question. */
  lie: Partial<InstanceConfirmation> = {}
  failure: Error | undefined
  instanceRegisterToken?: InstanceProvider['instanceRegisterToken']

  get last(): InstanceConfirmation {
    const last = this.asked.at(-1)
    if (last === undefined) throw new Error('the provider was not asked')
    return last.confirmation
  }

  confirmInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    return this.#answer('confirm', confirmation)
  }

  refreshInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    return this.#answer('refresh', confirmation)
  }

  async #answer(operation: 'confirm' | 'refresh', confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    this.asked.push({ operation, confirmation })
    if (confirmation.attestationData === 'wrong') throw new ProviderRefusal('it is not ours')
    if (this.failure) throw this.failure
    return { ...confirmation, attributes: this.attributes, ...this.lie }
  }
}

/** An SSH signer that notes what it is asked for. */
export class NotingSshSigner implements SshSigner {
  readonly requests: SshSigningRequest[] = []
  failure: Error | undefined

  async sign(request: SshSigningRequest): Promise<SshCertificates> {
    this.requests.push(request)
    if (this.failure) throw this.failure
    return { certificates: [{ certificate: `ssh-${request.certType}-cert` }] }
  }

  async signerKey(certType: 'user' | 'host'): Promise<string> {
    return `ssh-${certType}-ca`
  }
}

const launch = (role: string, resource: string, effect = 'ALLOW') => ({ role, action: 'launch', resource, effect })

/** The system domain: who may launch instances, and which names their certificates may have. */
export const SYSTEM_DOMAIN = {
  name: 'sys.auth',
  roles: [
    { name: 'sys.auth:role.providers', roleMembers: [{ memberName: PROVIDER }] },
    { name: 'sys.auth:role.names', roleMembers: [{ memberName: PROVIDER }] },
  ],
  policies: [
    {
      name: 'sys.auth:policy.providers',
      assertions: [
        launch('sys.auth:role.providers', 'sys.auth:instance'),
        launch('sys.auth:role.names', 'sys.auth:dns.example.cloud'),
        launch('sys.auth:role.names', 'sys.auth:hostname.example.com'),
        launch('sys.auth:role.names', 'sys.auth:hostname.secret.example.com', 'DENY'),
      ],
    },
  ],
}

/** A domain whose service `api` the provider may launch. */
export const SPORTS_DOMAIN = {
  name: 'sports',
  account: '1234',
  certDnsDomain: 'sports.example.org',
  featureFlags: 4,
  roles: [
    { name: 'sports:role.launchers', roleMembers: [{ memberName: PROVIDER }] },
    { name: 'sports:role.admin', roleMembers: [{ memberName: 'user.admin' }] },
  ],
  policies: [
    {
      name: 'sports:policy.launch',
      assertions: [
        launch('sports:role.launchers', 'sports:service.api'),
        { role: 'sports:role.admin', action: '*', resource: 'sports:*' },
      ],
    },
  ],
  services: [
    { name: 'sports.api', featureFlags: 2, publicKeys: [] },
    { name: 'sports.web', publicKeys: [] },
  ],
}

const HOST_DOMAIN = {
  name: 'sys.host',
  services: [
    { name: PROVIDER, providerEndpoint: 'class://com.example.Test', publicKeys: [] },
    { name: 'sys.host.other', providerEndpoint: 'class://com.example.Missing', publicKeys: [] },
  ],
}

/** What tests of instances change. */
export interface InstanceHarnessOptions {
  readonly properties?: Readonly<Record<string, string>>
  readonly sports?: object
  readonly parts?: Partial<InstanceIdentityDependencies>
  /** Where issuances are recorded; nowhere when absent. */
  readonly audit?: AuditLog
}

const DNS = ['DNS:api.sports.example.cloud']

/** A certificate request of `sports.api` for an instance; further names are written as `DNS:x` and so on. */
export const csrOf = (instanceId = 'i-1', names: readonly string[] = [], more: RequestParts = {}): string =>
  requestFor('sports.api', [...DNS, `URI:athenz://instanceid/${PROVIDER}/${instanceId}`, ...names], more)

/** What stands in for the surroundings of a server. */
const newFakes = () => ({
  provider: new NotingProvider(),
  sshSigner: new NotingSshSigner(),
  records: new MemoryCertificateRecords(),
  sshRecords: new MemorySshRecords(),
  workloads: new MemoryWorkloadRecords(),
  log: [] as string[],
})
type Fakes = ReturnType<typeof newFakes>

/** Registers, renews and removes instances as over HTTP. */
export class InstanceHarness {
  readonly harness: Harness
  readonly signer: NotingSigner
  readonly fakes: Fakes

  private constructor(harness: Harness, signer: NotingSigner, fakes: Fakes) {
    this.harness = harness
    this.signer = signer
    this.fakes = fakes
  }

  static async open(options: InstanceHarnessOptions = {}): Promise<InstanceHarness> {
    const signer = await NotingSigner.create()
    const certificateParts = await openCertificateParts(signer)
    const nothing = { properties: { all: 'a', byKeyId: 'b' }, all: undefined, byKeyId: [], rootDirectory: '/' }
    const texts = await AuthorityTexts.read(nothing)
    const fakes = newFakes()
    const partsOf = (own: HarnessParts): InstanceIdentityDependencies => ({
      ...own,
      ...tokenParts(own),
      ...certificateParts(own),
      providerSuffixes: new ProviderSuffixes(own.domains, own.roleAccess),
      instanceProviders: new InstanceProviders({
        domains: own.domains,
        classes: new Map([['com.example.Test', () => fakes.provider]]),
        unsupported: new Map(),
        remote: () => 'not in this test',
        log: (_level, message) => fakes.log.push(message),
      }),
      certificateRecords: fakes.records,
      sshRecords: fakes.sshRecords,
      sshSigner: fakes.sshSigner,
      sshAuthorityTexts: { user: texts, host: texts },
      workloadRecords: fakes.workloads,
      log: (level, message) => fakes.log.push(`${level} ${message}`),
      ...options.parts,
    })
    const services = (own: HarnessParts) => {
      const parts = partsOf(own)
      const handlers = {
        ...instanceRegisterService(parts),
        ...instanceRefreshService(parts),
        ...instanceRemovalService(parts),
        ...sshCertificateService(parts),
      }
      const { audit } = options
      return audit
        ? withIssuanceAudit(handlers, { audit, serverName: 'zts.example.com', userDomain: 'user', now: own.now })
        : handlers
    }
    const harness = await Harness.open({
      services: [services],
      domains: [SYSTEM_DOMAIN, HOST_DOMAIN, { ...SPORTS_DOMAIN, ...options.sports }, { name: 'user' }],
      ...(options.properties && { properties: options.properties }),
    })
    return new InstanceHarness(harness, signer, fakes)
  }

  /** Asks for a first certificate, without credentials. */
  register(body: object = {}, options: CallOptions = { anonymous: true }): Promise<Answer> {
    return this.harness.post(
      '/instance',
      { provider: PROVIDER, domain: 'sports', service: 'api', attestationData: 'proof', csr: csrOf(), ...body },
      options,
    )
  }

  /** Asks for the next certificate with the present one. */
  refresh(certificate: X509Certificate | undefined, body: object = {}, options: RefreshOptions = {}): Promise<Answer> {
    const { instanceId = 'i-1', ...call } = options
    return this.harness.post(
      `/instance/${PROVIDER}/sports/api/${instanceId}`,
      { attestationData: 'proof', csr: csrOf(instanceId), ...body },
      {
        as: 'sports.api',
        ...call,
        principal: { ...(certificate && { x509Certificate: certificate }), ...call.principal },
      },
    )
  }
}

interface RefreshOptions extends CallOptions {
  readonly instanceId?: string
}

/** The certificate of an identity, which must be one. */
export function identityCertificate(answer: Answer): X509Certificate {
  if (answer.status !== 200 && answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return new X509Certificate(String(answer.body.x509Certificate))
}

/** Serial number in decimal digits. */
export const serialOf = (certificate: X509Certificate): string => BigInt(`0x${certificate.serialNumber}`).toString()
