import { createHash } from 'node:crypto'
import type { EcdsaEncoding } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { formatTimestamp } from '#core/http/wire.ts'
import { localName, policyResourceName } from '#core/names/resource-name.ts'
import { CanonicalPart, canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { flattenedJws } from '#core/token/flattened-jws.ts'
import { SignedBytes } from '#core/token/signed-bytes.ts'
import { SignedTexts, type Texts } from '#core/token/signed-texts.ts'
import type { CachedAssertion, CachedDomain, CachedPolicy } from '../cache/model.ts'
import type { TokenSigners } from './token-signers.ts'

/** Settings of signed policies. */
export interface PolicySignerSettings {
  /** How long they count. */
  readonly lifeSeconds: number
}

/** Signed policies lose no more of their life than this part of it by being kept. */
const KEPT_SHARE_OF_LIFE = 1 / 1000

/**
 * Signs the policies of domains. What was signed is kept, within bounds, as the bytes that are sent: until the domain
 * changes, and for a small part of its life, since the policies of the next client are to count as long as those of the
 * last. Those who ask for the same at the same time share the work.
 */
export class PolicySigner {
  readonly #signers: TokenSigners
  readonly #settings: PolicySignerSettings
  readonly #now: () => number
  readonly #bytes = new SignedBytes()
  /** Tells versions of a domain apart also when they were modified at the same moment. */
  readonly #serials = new WeakMap<CachedDomain, number>()
  #lastSerial = 0

  constructor(signers: TokenSigners, settings: PolicySignerSettings, now: () => number) {
    this.#signers = signers
    this.#settings = settings
    this.#now = now
  }

  /** The active policies, `{"signedPolicyData":…,"signature":…,"keyId":…}`, signed over their canonical text. */
  signed(domain: CachedDomain): Buffer | Promise<Buffer> {
    return this.#bytes.get(domain.name, this.#state(domain), async () => {
      const policies = domain.policyVersions.filter(({ active }) => active)
      const { json, canonical } = await this.#signedPolicyData(domain, policies, activeForm, domain.policiesSignature)
      const { proprietaryObjects: signer } = this.#signers
      const signature = encodeYBase64(await signer.sign(canonical))
      return `{"signedPolicyData":${json},"signature":"${signature}","keyId":${JSON.stringify(signer.keyId)}}`
    })
  }

  /**
   * The policies as a JSON web signature in the flattened form. `versions` says, by names of policies (lower case, local
   * or full), which version is wanted instead of the active one, empty for that one; a policy that has no such version is
   * left out.
   */
  jws(domain: CachedDomain, versions: ReadonlyMap<string, string>, encoding: EcdsaEncoding): Buffer | Promise<Buffer> {
    const wanted = wantedVersions(domain, versions)
    return this.#bytes.get(`${encoding} ${domain.name} ${digest(wanted)}`, this.#state(domain), async () => {
      const policies = domain.policyVersions.filter(({ name, version, active }) => {
        const asked = wanted.get(name)
        return asked === undefined ? active : version === asked
      })
      // The signature of ZMS covers active policies without their versions.
      const { json } = await this.#signedPolicyData(domain, policies, versionedForm, undefined)
      return flattenedJws(this.#signers.jsonWebObjects(), json, encoding)
    })
  }

  async #signedPolicyData(
    { name, modified }: CachedDomain,
    policies: readonly CachedPolicy[],
    form: PolicyForm,
    zms: CachedDomain['policiesSignature'],
  ): Promise<Texts> {
    const texts = new SignedTexts()
    const list = await texts.each(policies, (policy) => policyTexts(texts, policy, form))
    const origin = {
      ...(zms && { zmsSignature: zms.signature, zmsKeyId: zms.keyId }),
      modified: formatTimestamp(modified),
      expires: formatTimestamp(this.#now() + this.#settings.lifeSeconds * 1000),
    }
    const policyData = { domain: name, policies: new CanonicalPart(list.canonical) }
    return {
      json: `{"policyData":{"domain":${JSON.stringify(name)},"policies":${list.json}},${JSON.stringify(origin).slice(1)}`,
      canonical: canonicalText({ policyData, ...origin }, canonicalShapes.signedPolicyData),
    }
  }

  /** Changes with the domain, and when what was signed is to be signed again. */
  #state(domain: CachedDomain): string {
    let serial = this.#serials.get(domain)
    if (serial === undefined) this.#serials.set(domain, (serial = ++this.#lastSerial))
    const keptMillis = Math.max(1, this.#settings.lifeSeconds * 1000 * KEPT_SHARE_OF_LIFE)
    return `${serial} ${Math.floor(this.#now() / keptMillis)}`
  }
}

/** What is told of policies and their assertions. */
interface PolicyForm {
  readonly policy: (policy: CachedPolicy) => Record<string, unknown>
  readonly assertion: (assertion: CachedAssertion) => Record<string, unknown>
}

/** What signatures over the canonical text cover. */
const activeForm: PolicyForm = {
  policy: ({ name, modified }) => ({ name, modified: modified === undefined ? undefined : formatTimestamp(modified) }),
  assertion: ({ role, resource, action, effect = 'ALLOW' }) => ({ role, resource, action, effect }),
}

/** All that ZMS said. */
const versionedForm: PolicyForm = {
  policy: (policy) => {
    const { caseSensitive, version, active } = policy
    return { ...activeForm.policy(policy), caseSensitive, version, active: version === undefined ? undefined : active }
  },
  assertion: (assertion) => {
    const { id, caseSensitive } = assertion
    return { ...activeForm.assertion(assertion), id, caseSensitive }
  },
}

/** A policy; its assertions are null when there are none. */
async function policyTexts(texts: SignedTexts, policy: CachedPolicy, form: PolicyForm): Promise<Texts> {
  const reply = form.policy(policy)
  const { assertions } = policy
  const list = await texts.list(assertions, form.assertion, canonicalShapes.assertion)
  const isEmpty = assertions.length === 0
  const canonical = isEmpty ? undefined : new CanonicalPart(list.canonical)
  return {
    json: `${JSON.stringify(reply).slice(0, -1)},"assertions":${isEmpty ? 'null' : list.json}}`,
    canonical: canonicalText({ ...reply, assertions: canonical }, canonicalShapes.policy),
  }
}

/** The versions that matter, by full names of policies that the domain has. */
function wantedVersions(
  { name: domain, policyVersions }: CachedDomain,
  versions: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const wanted = new Map<string, string>()
  if (versions.size === 0) return wanted
  const known = new Set(policyVersions.map(({ name }) => name))
  for (const [text, version] of versions) {
    if (version === '') continue
    const local = localName('policy', domain, text)
    const fullName = local === undefined ? undefined : policyResourceName(domain, local)
    if (fullName !== undefined && known.has(fullName)) wanted.set(fullName, version)
  }
  return wanted
}

/** A short text that is another one for other versions. */
function digest(wanted: ReadonlyMap<string, string>): string {
  if (wanted.size === 0) return ''
  const entries = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(entries)).digest('base64')
}
