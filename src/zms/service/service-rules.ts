import { loadPublicKey } from '#core/crypto/keys.ts'
import { decodeYBase64 } from '#core/crypto/ybase64.ts'
import { badRequest } from '#core/error/service-error.ts'
import type { Domain } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'

/** Bit of a domain's feature flags that allows underscores in the names of its services. */
const UNDERSCORE_FEATURE = 1

/**
 * 400 when no service may have the name: it is reserved, has an underscore where none is allowed, or is too short. A
 * service that exists already keeps its underscore.
 */
export function requireServiceName(
  { config: { zms } }: Pick<ZmsDependencies, 'config'>,
  domain: Domain | undefined,
  name: string,
): void {
  if (zms.reservedServiceNames.has(name)) throw badRequest('putServiceIdentity: reserved service name')
  if (name.includes('_') && !zms.allowUnderscoreInServiceNames.value && !keepsUnderscore(domain, name)) {
    throw badRequest('putServiceIdentity: service name with underscore not allowed')
  }
  if (name.length < zms.serviceNameMinLength) throw badRequest('putServiceIdentity: service name length too short')
}

const keepsUnderscore = (domain: Domain | undefined, name: string): boolean =>
  ((domain?.featureFlags ?? 0) & UNDERSCORE_FEATURE) !== 0 || domain?.services.has(name) === true

/**
 * 400 unless the endpoint of a provider is absent, names a class, or is an HTTP URL whose host is `localhost` or ends as
 * one of the configured suffixes; without suffixes any host will do. `label` begins the message.
 */
export function requireProviderEndpoint(
  { config }: Pick<ZmsDependencies, 'config'>,
  label: string,
  endpoint: string | undefined,
): void {
  if (endpoint === undefined || endpoint === '') return
  const { protocol, hostname } = urlOf(endpoint) ?? {}
  if (protocol === 'class:') return
  if ((protocol === 'http:' || protocol === 'https:') && hostname) {
    const suffixes = config.zms.providerEndpoints
    if (suffixes.length === 0 || hostname === 'localhost') return
    if (suffixes.some((suffix) => hostname.endsWith(suffix.toLowerCase()))) return
  }
  throw badRequest(`${label}: Invalid endpoint: ${endpoint} - must be http(s) and in configured domain`)
}

function urlOf(text: string): { protocol: string; hostname: string } | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

/**
 * 400 with `message` unless the key has an id and its text is the ybase64 of a PEM public key or certificate of a kind
 * that can sign tokens; why goes to the log.
 */
export function requirePublicKey(id: string, key: string, message: string): void {
  if (id === '') throw badRequest(message, { detail: 'the key has no id' })
  try {
    loadPublicKey(decodeYBase64(key).toString('latin1'))
  } catch (cause) {
    throw badRequest(message, { cause, ...(cause instanceof Error && { detail: cause.message }) })
  }
}
