import type { ZtsClient } from '#client/zts-client.ts'
import type { Clock } from '#core/seam/clock.ts'
import { type PolicyDocument, type PolicyVerification, readPolicyDocument } from '#zpe/policy-document.ts'
import { policyFile, readPolicyFile, writePolicyFile } from './policy-file.ts'
import type { ZpuConfig } from './zpu-config.ts'

/** What the updater is made of. */
export interface PolicyUpdaterParts {
  readonly config: ZpuConfig
  readonly zts: Pick<ZtsClient, 'exchange'>
  readonly verification: PolicyVerification
  readonly clock: Clock
}

/** How one domain is brought up to date. */
export interface UpdateOptions {
  /** Fetch the policies whatever is there. */
  readonly force?: boolean
  /** How long ZTS may hold its answer back until there is something new; not at all unless given. */
  readonly waitSeconds?: number
  readonly signal?: AbortSignal
}

/** What has become of a domain. */
export interface DomainUpdate {
  /** Whether its file was written; false when it was up to date. */
  readonly written: boolean
  /** Whether ZTS has held its answer back, as it was asked to. */
  readonly waited: boolean
  /** The policies in the file. */
  readonly policies: PolicyDocument
}

/** Beside the time for which ZTS holds its answer back. */
const ANSWER_MILLIS = 30_000

/** Fetches the policies of domains from ZTS, verifies them, and puts them where policy engines find them. */
export class PolicyUpdater {
  readonly #parts: PolicyUpdaterParts

  constructor(parts: PolicyUpdaterParts) {
    this.#parts = parts
  }

  /**
   * Brings the file of one domain up to date.
   * @throws AthenzClientError, UnusablePolicies, and errors of node:fs; the file is as it was then. RangeError for what is no
   * name of a domain
   */
  async update(domain: string, { force = false, waitSeconds, signal }: UpdateOptions = {}): Promise<DomainUpdate> {
    const { config, verification } = this.#parts
    // What is no name of a domain is no name of a file.
    policyFile(config, domain)
    const present = force ? undefined : await this.#present(domain)
    const tag = present && `"${present.modified}"`
    const { status, headers, body } = await this.#fetch(domain, tag, waitSeconds, signal)
    const waited = headers['preference-applied'] !== undefined
    if (status === 304) {
      if (present === undefined) throw new Error('ZTS says that nothing has changed, but there is nothing')
      return { written: false, waited, policies: present }
    }
    const policies = await readPolicyDocument(JSON.stringify(body), verification)
    this.#check(policies, domain)
    await writePolicyFile(config, domain, policies.text)
    return { written: true, waited, policies }
  }

  /** The policies that are there, if they are those of the domain, in order, and good for long enough. */
  async #present(domain: string): Promise<PolicyDocument | undefined> {
    const { config, verification, clock } = this.#parts
    const present = await readPolicyFile(config, domain, verification).catch(() => undefined)
    const isGood = present?.domain === domain && (present.form === 'jws') === config.jws
    return isGood && clock() < present.expiresMillis - config.expiryCheckSeconds * 1000 ? present : undefined
  }

  #fetch(domain: string, matchingTag: string | undefined, waitSeconds: number | undefined, signal?: AbortSignal) {
    const { zts, config } = this.#parts
    const request = { domainName: domain, ...(matchingTag !== undefined && { matchingTag }) }
    const options = {
      ...(signal && { signal }),
      ...(waitSeconds !== undefined && {
        headers: { prefer: `wait=${waitSeconds}` },
        timeoutMillis: waitSeconds * 1000 + ANSWER_MILLIS,
      }),
    }
    if (!config.jws) return zts.exchange('getDomainSignedPolicyData', request, options)
    const body = { policyVersions: config.policyVersions, signatureP1363Format: true }
    return zts.exchange('postSignedPolicyRequest', { ...request, body }, options)
  }

  #check({ domain, expiresMillis, form }: PolicyDocument, wanted: string): void {
    if (domain !== wanted) throw new Error(`ZTS has answered with the policies of ${domain}`)
    // Web signatures are taken as they are, as the original's tool does.
    if (form === 'signed' && expiresMillis < this.#parts.clock()) throw new Error('the policies have expired')
  }
}
