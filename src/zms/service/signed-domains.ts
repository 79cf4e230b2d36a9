import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, notModified, ok, type Reply, type RequestContext, type RequestOf } from '#core/http/endpoint.ts'
import { PREFERENCE_APPLIED, patienceOf } from '#core/http/prefer.ts'
import type { Patience } from '#core/http/waiting-room.ts'
import { formatTimestamp, parseTimestamp } from '#core/http/wire.ts'
import type { signedDomainsEndpoints } from '../api/signed-domains.ts'
import type { Domain, DomainBase } from '../store/model.ts'
import { ChangeWatch, type ModifiedDomain } from './change-watch.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { DomainSigner } from './domain-signer.ts'
import { ModifiedLists } from './modified-lists.ts'
import { bareDomain, domainWithSetting, needsSettings } from './signed-settings.ts'

type DomainsQuery = RequestOf<typeof signedDomainsEndpoints.getSignedDomains>['query']

/** Domains that are loaded at once for a list of many. */
const BATCH_SIZE = 50

/** Changes by any process of this server. */
const changesOf = ({ writes, onChangeElsewhere }: ZmsDependencies) => ({
  onChange(listener: () => void) {
    writes.onChange(listener)
    onChangeElsewhere?.(listener)
  },
})

/**
 * Signed domains. A list of modified domains is held back until there is something new when the client prefers to wait
 * (RFC 7240) and says what it knows; the original answers such a request at once.
 */
export function signedDomainsService(deps: ZmsDependencies): Handlers<typeof signedDomainsEndpoints> {
  const { store, signer, authorization, credentialsBox } = deps
  const domainSigner = new DomainSigner(signer, (member) => deps.memberRules.typeOf(member))
  const watch = new ChangeWatch(store, changesOf(deps), { log: (message) => deps.log('warn', message) })
  const lists = new ModifiedLists(store, watch)

  return {
    async getSignedDomains({ query, headers }, context) {
      const { matchingTag } = headers
      if (query.domain === undefined && !isTrue(query.metaOnly) && !readsMaster(deps, query, context)) {
        throw badRequest('getSignedDomains: all domains at once are for system services only; ask with metaonly=true')
      }
      // Who does not say what it knows has nothing to wait for.
      const patience = tagMillis(matchingTag) === 0 ? undefined : patienceOf(context)
      if (patience) {
        const reply = await patientReply(query, matchingTag, patience)
        if (reply) return { ...reply, headers: { ...reply.headers, ...PREFERENCE_APPLIED } }
      }
      const since = tagMillis(matchingTag)
      if (query.domain !== undefined) return singleReply(query.domain, query, since)
      // Lists begin with the second of the tag, as those of the original: two domains may have changed at the same moment.
      return listReply(await store.modifiedDomains(since - (since % 1000)), query, matchingTag)
    },

    async getJWSDomain({ params, query, headers }, context) {
      const { principal } = context
      const credentials =
        credentialsBox !== undefined &&
        principal !== undefined &&
        (await authorization.isAllowed(principal, 'access', 'sys.auth:attribute.creds'))
      const domain = await store.domain(params.name)
      if (!domain) throw notFound(`No such domain: ${params.name}`)
      const etag = entityTag(domain.modified)
      if (domain.modified <= tagMillis(headers.matchingTag)) return notModified(etag)
      const encoding = query.signatureP1363Format && signer.kind.family !== 'rsa' ? 'p1363' : 'der'
      return ok(await domainSigner.jws(domain, { credentials, encoding }), { etag })
    },
  }

  /** The answer after waiting for news of what the tag tells; undefined when too many wait already. */
  async function patientReply(
    query: DomainsQuery,
    matchingTag: string | undefined,
    patience: Patience,
  ): Promise<Reply | undefined> {
    const since = tagMillis(matchingTag)
    const { domain: name } = query
    if (name === undefined) {
      const modified = await lists.next(since, patience)
      return modified && listReply(modified, query, matchingTag)
    }
    const domain = await store.domain(name)
    if (domain && domain.modified <= since) {
      const news = watch.wait(
        since,
        (modified) => modified.some((each) => each.name === name && each.modified > since),
        patience,
      )
      if (news === undefined) return undefined
      await news
    }
    return singleReply(name, query, since)
  }

  async function singleReply(name: string, query: DomainsQuery, since: number): Promise<Reply> {
    const domain = await store.domain(name)
    if (!domain) return ok({ domains: [] }, { etag: entityTag(deps.now()) })
    const etag = entityTag(domain.modified)
    if (domain.modified <= since) return notModified(etag)
    if (isTrue(query.metaOnly)) return ok({ domains: settingsOf([domain], query.metaAttr) }, { etag })
    const signed = await domainSigner.signed(domain, { conditions: query.conditions ?? false })
    return ok(domainsBody([signed]), { etag })
  }

  /** The answer with these domains, oldest first; 304 when there are none. */
  async function listReply(
    modified: readonly ModifiedDomain[],
    query: DomainsQuery,
    matchingTag: string | undefined,
  ): Promise<Reply> {
    const newest = modified.at(-1)
    if (!newest) return notModified(matchingTag ?? entityTag(0))
    const etag = entityTag(newest.modified)
    if (!isTrue(query.metaOnly)) return ok(domainsBody(await signedDomains(modified, query)), { etag })
    if (!needsSettings(query.metaAttr)) return ok({ domains: modified.map(bareDomain) }, { etag })
    const settings: Record<string, unknown>[] = []
    for await (const domain of storedDomains(modified)) {
      // Tags and contacts are not among all settings when many domains are listed.
      const { tags: _, contacts: __, ...base } = domain
      settings.push(...settingsOf([base], query.metaAttr))
    }
    return ok({ domains: settings }, { etag })
  }

  async function signedDomains(modified: readonly ModifiedDomain[], query: DomainsQuery): Promise<Buffer[]> {
    const signed: Buffer[] = []
    for await (const domain of storedDomains(modified)) {
      signed.push(await domainSigner.signed(domain, { conditions: query.conditions ?? false }))
    }
    return signed
  }

  /** The domains as they are now, without those that are gone. */
  async function* storedDomains(modified: readonly ModifiedDomain[]): AsyncGenerator<Domain> {
    for (let start = 0; start < modified.length; start += BATCH_SIZE) {
      const names = modified.slice(start, start + BATCH_SIZE).map(({ name }) => name)
      yield* (await store.domains(names)).values()
    }
  }
}

/** System services may ask for the copy that counts; there is only one here, but only they get all domains in full. */
function readsMaster({ config }: ZmsDependencies, { master }: DomainsQuery, { principal }: RequestContext): boolean {
  const { masterCopyForSignedDomains, readOnlyMode } = config.zms
  const isSystemService = principal?.fullName.startsWith('sys.') ?? false
  return (masterCopyForSignedDomains || (master ?? false)) && isSystemService && !readOnlyMode.value
}

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true'

function settingsOf(domains: readonly DomainBase[], attribute: string | undefined): Record<string, unknown>[] {
  if (attribute === undefined) return domains.map(bareDomain)
  return domains.map((domain) => domainWithSetting(domain, attribute)).filter((each) => each !== undefined)
}

const [BODY_START, BODY_END, COMMA] = [Buffer.from('{"domains":['), Buffer.from(']}'), Buffer.from(',')]

const domainsBody = (signed: readonly Buffer[]): Buffer =>
  Buffer.concat([BODY_START, ...signed.flatMap((each, index) => (index === 0 ? [each] : [COMMA, each])), BODY_END])

const entityTag = (modified: number): string => `"${formatTimestamp(modified)}"`

/** Epoch milliseconds of an entity tag; 0, from the beginning, for what is none of ours. */
const tagMillis = (tag: string | undefined): number => parseTimestamp(tag?.replaceAll('"', '') ?? '') ?? 0
