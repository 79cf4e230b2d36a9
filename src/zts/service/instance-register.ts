import { randomUUID } from 'node:crypto'
import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, ok, type Reply, type RequestContext } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { InstanceRegisterInformation, instanceRegisterEndpoints } from '../api/instance-register.ts'
import type { CachedDomain } from '../cache/model.ts'
import { type InstanceConfirmation, ProviderRefusal } from '../cert/instance-provider.ts'
import { admitInstance, registeredDomain, requireLaunchable } from './instance-admission.ts'
import type { InstanceRequest } from './instance-certificate.ts'
import { InstanceIdentities, type InstanceIdentityDependencies } from './instance-identity.ts'
import { askProvider, callerCertificateAttributes, instanceAttributes, refusalText } from './provider-question.ts'

const BASE_PATH = '/zts/v1/instance'
/** As a Host header may be; anything else is not repeated. */
const HOST = /^[A-Za-z0-9._-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/

/** First identities of instances, and tokens with which they may ask for one. */
export function instanceRegisterService(
  deps: InstanceIdentityDependencies,
): Handlers<typeof instanceRegisterEndpoints> {
  const { config, instanceProviders, requestRules } = deps
  const identities = new InstanceIdentities(deps)

  const registerWithCertificate = async (
    body: InstanceRegisterInformation,
    csr: string,
    domain: CachedDomain,
    context: RequestContext,
  ): Promise<Reply> => {
    if (!body.attestationData) throw badRequest('attestation data is required for x509 certificate request')
    const certificate = context.principal?.x509Certificate
    const instance: InstanceRequest = {
      provider: body.provider,
      domain,
      service: body.service,
      csr,
      body,
      fallbackInstanceId: body.x509CertInstanceId || undefined,
      attributes: certificate ? callerCertificateAttributes(certificate) : [],
      refreshes: false,
    }
    const verified = await identities.certificates.verify(instance, context)
    const { instanceId, answer } = verified
    const issued = await identities.certificates.issue(instance, verified, { priority: 'High', usage: answer.usage })
    if (answer.keepsRecord) {
      const key = { provider: body.provider, instanceId, service: serviceFullName(domain.name, body.service) }
      const facts = identities.recordFacts(instance, answer.usage === 'client', context)
      await identities.records.register(key, issued, facts)
    }
    const identity = await identities.identity(instance, verified, issued, context)
    return created({ ...identity, serviceToken: await serviceToken(body, context) }, body, instanceId, context)
  }

  const serviceToken = (body: InstanceRegisterInformation, context: RequestContext): Promise<string> | undefined => {
    if (body.token !== true) return undefined
    const { domain, service } = body
    if (!config.zts.certRequestTokenTypeJwt) return identities.tokens.principalToken(domain, service, context)
    return identities.tokens.jwt(
      {
        domain,
        service,
        audience: body.jwtSVIDAudience,
        nonce: body.jwtSVIDNonce || randomUUID(),
        spiffe: undefined,
        spiffeSubject: false,
        keyType: body.jwtSVIDKeyType,
        lifeSeconds: undefined,
      },
      context,
    )
  }

  const registerWithToken = async (
    body: InstanceRegisterInformation,
    domain: CachedDomain,
    context: RequestContext,
  ): Promise<Reply> => {
    const { provider: name, service, jwtSVIDAudience: audience, jwtSVIDSpiffe: spiffe } = body
    if (!audience) throw badRequest('Audience is required for jwt SVID requests')
    if (spiffe && !requestRules.spiffe.isServiceUri(spiffe, domain.name, service, body.namespace)) {
      throw badRequest('SPIFFE URI validation failed')
    }
    const spiffeSubject = body.jwtSVIDSpiffeSubject === true
    if (spiffeSubject && !spiffe) throw badRequest('SPIFFE URI is required when jwtSVIDSpiffeSubject is true')
    const provider = instanceProviders.provider(name)
    if (provider === undefined) throw badRequest(`unable to get instance for provider: ${name}`)
    if (provider.svidTypes === 'x509') throw badRequest(`invalid instance provider type for JWT: ${name}`)
    const instanceId = body.jwtSVIDInstanceId ?? ''
    const certificate = context.principal?.x509Certificate
    const attributes = new Map([
      ...instanceAttributes(domain, service, { instanceId, hostname: body.hostname, cloud: body.cloud }, context),
      ...(certificate ? callerCertificateAttributes(certificate) : []),
    ])
    const { attestationData = '' } = body
    const question = { provider: name, domain: domain.name, service, attestationData, attributes, refreshes: false }
    await askProvider(provider, question, context)
    const token = await identities.tokens.jwt(
      {
        domain: domain.name,
        service,
        audience,
        nonce: body.jwtSVIDNonce,
        spiffe,
        spiffeSubject,
        keyType: body.jwtSVIDKeyType,
        lifeSeconds: body.expiryTime,
      },
      context,
    )
    const identity = {
      provider: name,
      name: serviceFullName(domain.name, service),
      instanceId,
      serviceToken: token,
      athenzJWK: identities.keys(body),
    }
    return created(identity, body, instanceId, context)
  }

  return {
    async postInstanceRegisterInformation({ body }, context) {
      const domain = admitInstance(deps, body, context.remoteAddress)
      return body.csr
        ? await registerWithCertificate(body, body.csr, domain, context)
        : await registerWithToken(body, domain, context)
    },

    async getInstanceRegisterToken({ params }, context) {
      const { provider: name, domain: domainName, service, instanceId } = params
      // Somebody who manages the service asks, from where no provider has instances.
      const domain = registeredDomain(deps, params)
      requireLaunchable(deps, params)
      const provider = instanceProviders.provider(name)
      if (provider === undefined) throw badRequest(`unable to get instance for provider: ${name}`)
      const attributes = Object.fromEntries(instanceAttributes(domain, service, { instanceId }, context))
      const question = { provider: name, domain: domainName, service, attestationData: '', attributes }
      const token = await registerToken(() => provider.instanceRegisterToken?.(question))
      return ok({ provider: name, domain: domainName, service, attestationData: token.attestationData })
    },
  }
}

async function registerToken(ask: () => Promise<InstanceConfirmation> | undefined): Promise<InstanceConfirmation> {
  try {
    const token = await ask()
    if (token !== undefined) return token
  } catch (cause) {
    if (!(cause instanceof ProviderRefusal)) throw cause
    throw badRequest(`unable to get instance register token: ${refusalText(cause)}`, { cause })
  }
  const none = refusalText({ status: 501, message: 'Not Implemented' })
  throw badRequest(`unable to get instance register token: ${none}`)
}

/** `Location` is absolute, as clients know it, unless the request does not say where it went. */
function created(
  identity: object,
  { provider, domain, service }: InstanceRegisterInformation,
  instanceId: string,
  context: RequestContext,
): Reply {
  const path = `${BASE_PATH}/${provider}/${domain}/${service}/${encodeURI(instanceId)}`
  const host = context.header('host')
  const base = host !== undefined && HOST.test(host) ? `${context.secure === false ? 'http' : 'https'}://${host}` : ''
  return { status: 201, body: identity, headers: { location: base + path } }
}
