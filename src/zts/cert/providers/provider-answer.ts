import type { CertificateUsage } from '../certificate-signer.ts'
import { type InstanceConfirmation, ProviderRefusal } from '../instance-provider.ts'
import { attributeNames, attributeOf, listAttribute } from './attributes.ts'

/** What a provider says about the certificate of an instance that it vouches for. */
export interface ProviderAnswer {
  readonly usage: CertificateUsage | undefined
  /** 0 when the provider does not say. */
  readonly expiryMins: number
  /** Whether a record is kept, and compared at the next renewal. */
  readonly keepsRecord: boolean
  /** Unit that the certificate may name. */
  readonly organizationalUnit: string | undefined
  /** Whether the instance may have an SSH certificate of a host. */
  readonly ssh: boolean
  readonly privateIp: string | undefined
  /** Names that its SSH certificate may have besides. */
  readonly sshPrincipals: readonly string[]
  /** What is left of the attributes is for the instance. */
  readonly attributes: Readonly<Record<string, string>>
}

const USAGES: ReadonlySet<string> = new Set<CertificateUsage>(['client', 'server', 'codeSigning', 'timestamping'])
const UNDERSTOOD: ReadonlySet<string> = new Set<string>([
  attributeNames.usage,
  attributeNames.expiryMins,
  attributeNames.keepsRecord,
  attributeNames.organizationalUnit,
  attributeNames.ssh,
  attributeNames.privateIp,
  attributeNames.sshPrincipals,
])
const MINUTES = /^\d{1,9}$/

/**
 * Reads the answer to a question. Refuses (ProviderRefusal) one about another instance than was asked for, and one whose
 * attributes cannot be what they should be, because a certificate with more than the provider meant cannot be taken back.
 */
export function readProviderAnswer(asked: InstanceConfirmation, answer: InstanceConfirmation): ProviderAnswer {
  for (const member of ['provider', 'domain', 'service'] as const) {
    const given = answer[member] as string | undefined
    if (given !== undefined && given !== null && given.toLowerCase() !== asked[member].toLowerCase()) {
      throw new ProviderRefusal(`the provider answered for another ${member}`)
    }
  }
  const attributes = answer.attributes ?? {}
  const usage = attributeOf(attributes, attributeNames.usage)
  if (usage !== undefined && !USAGES.has(usage)) throw new ProviderRefusal('the provider named an unknown usage')
  const minutes = attributeOf(attributes, attributeNames.expiryMins)
  if (minutes !== undefined && !MINUTES.test(minutes)) throw new ProviderRefusal('the provider named an unfit expiry')
  return {
    usage: usage as CertificateUsage | undefined,
    expiryMins: Number(minutes ?? 0),
    keepsRecord: attributeOf(attributes, attributeNames.keepsRecord)?.toLowerCase() !== 'false',
    organizationalUnit: attributeOf(attributes, attributeNames.organizationalUnit),
    ssh: attributeOf(attributes, attributeNames.ssh)?.toLowerCase() === 'true',
    privateIp: attributeOf(attributes, attributeNames.privateIp),
    sshPrincipals: listAttribute(attributes, attributeNames.sshPrincipals),
    attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => !UNDERSTOOD.has(name))),
  }
}
