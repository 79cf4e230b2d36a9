import { notFound } from '#core/error/service-error.ts'
import { type Handlers, notModified, ok, type Reply, type RequestContext } from '#core/http/endpoint.ts'
import type { MaybePromise } from '#core/http/maybe-promise.ts'
import { PREFERENCE_APPLIED, patienceOf } from '#core/http/prefer.ts'
import { formatTimestamp } from '#core/http/wire.ts'
import type { signedPoliciesEndpoints } from '../api/signed-policies.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { DomainWatch } from './domain-watch.ts'
import { PolicySigner } from './policy-signer.ts'

type Sign = (domain: CachedDomain) => MaybePromise<Buffer>

/**
 * Signed policies. A client that knows the latest and prefers to wait (RFC 7240) is answered when the domain changes; the
 * original answers such a request at once.
 */
export function signedPoliciesService({
  config,
  domains,
  signers,
  now,
}: Pick<ZtsDependencies, 'config' | 'domains' | 'signers' | 'now'>): Handlers<typeof signedPoliciesEndpoints> {
  const signer = new PolicySigner(signers, { lifeSeconds: config.zts.signedPolicyTimeoutSeconds }, now)
  const watch = new DomainWatch(domains)

  function domainOf(name: string): CachedDomain {
    const domain = domains.get(name)
    if (domain === undefined) throw notFound(`Domain not found: '${name}'`)
    return domain
  }

  /** Signed policies for a client that has those of the tag. The tag does not tell versions of policies apart. */
  async function answer(
    name: string,
    matchingTag: string | undefined,
    context: RequestContext,
    sign: Sign,
  ): Promise<Reply> {
    const domain = domainOf(name)
    if (matchingTag !== entityTag(domain)) return policies(domain, sign)
    const patience = patienceOf(context)
    const isNews = () => {
      const latest = domains.get(name)
      return latest === undefined || entityTag(latest) !== matchingTag
    }
    const waiting = patience && watch.wait(name, isNews, patience)
    if (waiting === undefined) return notModified(matchingTag)
    const reply = (await waiting) ? await policies(domainOf(name), sign) : notModified(matchingTag)
    return { ...reply, headers: { ...reply.headers, ...PREFERENCE_APPLIED } }
  }

  return {
    getDomainSignedPolicyData: ({ params, headers }, context) =>
      answer(params.domainName, headers.matchingTag, context, (domain) => signer.signed(domain)),

    postSignedPolicyRequest: ({ params, headers, body }, context) =>
      answer(params.domainName, headers.matchingTag, context, (domain) =>
        signer.jws(domain, body.policyVersions, body.signatureP1363Format ? 'p1363' : 'der'),
      ),
  }
}

const policies = async (domain: CachedDomain, sign: Sign): Promise<Reply> =>
  ok(await sign(domain), { etag: entityTag(domain) })

const entityTag = ({ modified }: CachedDomain): string => `"${formatTimestamp(modified)}"`
