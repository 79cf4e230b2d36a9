import { organization, type RequestCheck, sameIgnoringCase } from './request-checks.ts'

/** Somebody for whom an identity provider vouches. */
export interface PersonSubject {
  /** Full name. */
  readonly name: string
  readonly domain: string
  /** Local name. */
  readonly localName: string
}

/** The common name is the full name. */
export const personCommonName: RequestCheck<PersonSubject> = (request, { name }) =>
  request.commonName !== undefined && sameIgnoringCase(request.commonName, name)
    ? undefined
    : 'the common name is not that of the person'

/** A person is at no host; an address of e-mail is not what the identity provider vouches for. */
const onlyUris: RequestCheck<unknown> = ({ dnsNames, ipAddresses, emails, instanceId, hostname }) =>
  dnsNames.length + ipAddresses.length + emails.length > 0 || instanceId !== undefined || hostname !== undefined
    ? 'only a SPIFFE URI is allowed as alternative name'
    : undefined

/** There is no URI but the SPIFFE id. */
const onlySpiffeUri: RequestCheck<unknown> = ({ uris, spiffeUri }) =>
  uris.every((uri) => uri === spiffeUri) ? undefined : 'only a SPIFFE URI is allowed as alternative name'

/** The SPIFFE id, if any, is that of the user. */
export const userSpiffeUri: RequestCheck<PersonSubject> = ({ spiffeUri }, { domain, localName }, rules) =>
  spiffeUri === undefined || rules.spiffe.isServiceUri(spiffeUri, domain, localName, rules.userNamespace)
    ? undefined
    : 'the SPIFFE URI is not that of the user'

/** There are no alternative names. */
export const noAlternativeNames: RequestCheck<unknown> = ({ alternativeNames }) =>
  alternativeNames.length === 0 ? undefined : 'alternative names are not allowed'

/** Requests of users, whose common name is compared before. */
export const USER_REQUEST_CHECKS: readonly RequestCheck<PersonSubject>[] = [
  onlyUris,
  onlySpiffeUri,
  organization,
  userSpiffeUri,
]

/** Requests of external members, whose common name is compared before. */
export const EXTERNAL_MEMBER_REQUEST_CHECKS: readonly RequestCheck<PersonSubject>[] = [noAlternativeNames, organization]
