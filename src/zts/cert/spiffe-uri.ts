/** Which SPIFFE ids services and roles may have in their certificates: a plug-in. */
export interface SpiffeUriValidator {
  /** `namespace` is that of the request; undefined when it names none. Names are lower case. */
  isServiceUri(uri: string, domain: string, service: string, namespace: string | undefined): boolean
  isRoleUri(uri: string, domain: string, role: string): boolean
}

const DEFAULT_NAMESPACE = 'default'

/** `spiffe://{trust}/ns/{namespace}/sa/{domain}.{service}` and `spiffe://{trust}/ns/{domain}/ra/{role}`. */
export const trustDomainUris = (trustDomain: string): SpiffeUriValidator => ({
  isServiceUri: (uri, domain, service, namespace = DEFAULT_NAMESPACE) =>
    sameUri(uri, `spiffe://${trustDomain}/ns/${namespace}/sa/${domain}.${service}`),
  isRoleUri: (uri, domain, role) => sameUri(uri, `spiffe://${trustDomain}/ns/${domain}/ra/${role}`),
})

/** `spiffe://{domain}/sa/{service}` and `spiffe://{domain}/ra/{role}`. */
export const basicUris: SpiffeUriValidator = {
  isServiceUri: (uri, domain, service) => sameUri(uri, `spiffe://${domain}/sa/${service}`),
  isRoleUri: (uri, domain, role) => sameUri(uri, `spiffe://${domain}/ra/${role}`),
}

/** One that agrees with what any of several accepts. */
export const anySpiffeUri = (validators: readonly SpiffeUriValidator[]): SpiffeUriValidator => ({
  isServiceUri: (...names) => validators.some((validator) => validator.isServiceUri(...names)),
  isRoleUri: (...names) => validators.some((validator) => validator.isRoleUri(...names)),
})

// URIs of requests are visible ASCII, so that lower case joins nothing but A–Z with a–z.
const sameUri = (given: string, wanted: string) => given.toLowerCase() === wanted.toLowerCase()
