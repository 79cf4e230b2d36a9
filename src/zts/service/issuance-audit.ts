import { createHash, X509Certificate } from 'node:crypto'
import type { AuditLog } from '#core/audit/audit-log.ts'
import { auditEntryOf } from '#core/audit/entry-of.ts'
import { requireRecordable } from '#core/audit/recordable.ts'
import { subjectAttributes } from '#core/crypto/certificate-subject.ts'
import type { Handler, Handlers, Reply, RequestContext, RequestOf } from '#core/http/endpoint.ts'
import type { ztsEndpoints } from '../api/index.ts'
import { readIssuedCertificate } from '../cert/issued-certificate.ts'

type Endpoints = typeof ztsEndpoints
type ZtsHandlers = Handlers<Endpoints>

/** Whom something was issued to, and how it came about. */
interface Issuance {
  readonly domain: string
  /** Local name of the service, role or person; the instance, where there is one. */
  readonly entity: string
  readonly details: Readonly<Record<string, unknown>>
}

/** What the entry about an answered request says. */
type Describe<Operation extends keyof Endpoints> = (
  request: RequestOf<Endpoints[Operation]>,
  context: RequestContext,
  userDomain: string,
) => Issuance

/** The operations that give out or take back what identifies somebody. Tokens, which live for hours, are in the access log. */
type AuditedOperation =
  | 'postInstanceRegisterInformation'
  | 'postInstanceRefreshInformation'
  | 'deleteInstanceIdentity'
  | 'getInstanceRegisterToken'
  | 'postInstanceRefreshRequest'
  | 'postRoleCertificateRequest'
  | 'postRoleCertificateRequestExt'
  | 'postUserCertificateRequest'
  | 'postExternalMemberCertificateRequest'
  | 'postSSHCertRequest'

const DESCRIPTIONS: { readonly [Operation in AuditedOperation]: Describe<Operation> } = {
  postInstanceRegisterInformation: ({ body }) => ({
    domain: body.domain,
    entity: body.service,
    details: { provider: body.provider, hostname: body.hostname, namespace: body.namespace },
  }),
  postInstanceRefreshInformation: ({ params, body }) => ({
    domain: params.domain,
    entity: params.instanceId,
    details: { provider: params.provider, service: params.service, hostname: body.hostname, namespace: body.namespace },
  }),
  deleteInstanceIdentity: ({ params }) => ({
    domain: params.domain,
    entity: params.instanceId,
    details: { provider: params.provider, service: params.service },
  }),
  getInstanceRegisterToken: ({ params }) => ({
    domain: params.domain,
    entity: params.instanceId,
    details: { provider: params.provider, service: params.service },
  }),
  postInstanceRefreshRequest: ({ params, body }) => ({
    domain: params.domain,
    entity: params.service,
    details: { keyId: body.keyId, namespace: body.namespace },
  }),
  postRoleCertificateRequest: ({ params, body }) => ({
    domain: params.domainName,
    entity: params.roleName,
    details: { proxyForPrincipal: body.proxyForPrincipal },
  }),
  // The role is in the certificate.
  postRoleCertificateRequestExt: ({ body }) => ({
    domain: '',
    entity: '',
    details: { proxyForPrincipal: body.proxyForPrincipal },
  }),
  postUserCertificateRequest: ({ body }, _context, userDomain) => ({
    domain: userDomain,
    entity: body.name,
    details: {},
  }),
  postExternalMemberCertificateRequest: ({ body }) => {
    const colon = body.name.indexOf(':')
    return { domain: body.name.slice(0, colon), entity: body.name.slice(colon + 1), details: {} }
  },
  postSSHCertRequest: ({ body }, { principal }) => ({
    domain: principal?.domain ?? '',
    entity: principal?.name ?? '',
    details: {
      certType: body.certRequestMeta.certType,
      principals: body.certRequestData.principals,
      instanceId: body.certRequestMeta.instanceId,
    },
  }),
}

/** Where issuances are recorded. */
export interface IssuanceAuditOptions {
  readonly audit: AuditLog
  /** Name of this server. */
  readonly serverName: string
  readonly userDomain: string
  /** Epoch milliseconds. */
  readonly now: () => number
}

/**
 * The same handlers, of which those that issue certificates, or take them back, answer once that is in the audit log. A log
 * that is required is asked before something is issued, too (503).
 */
export function withIssuanceAudit<SomeHandlers extends Partial<ZtsHandlers>>(
  handlers: SomeHandlers,
  options: IssuanceAuditOptions,
): SomeHandlers {
  const wrapped = Object.entries(DESCRIPTIONS).flatMap(([operation, describe]) => {
    const handler = handlers[operation as AuditedOperation] as AnyHandler | undefined
    return handler === undefined ? [] : [[operation, audited(handler, describe as AnyDescription, options)] as const]
  })
  return { ...handlers, ...Object.fromEntries(wrapped) }
}

type AnyRequest = RequestOf<Endpoints[AuditedOperation]>
type AnyHandler = (request: AnyRequest, context: RequestContext) => ReturnType<Handler<Endpoints[AuditedOperation]>>
type AnyDescription = (request: AnyRequest, context: RequestContext, userDomain: string) => Issuance

const audited =
  (handler: AnyHandler, describe: AnyDescription, options: IssuanceAuditOptions): AnyHandler =>
  async (request, context) => {
    const { audit, serverName, userDomain, now } = options
    requireRecordable(audit)
    const reply = await handler(request, context)
    const outcome = outcomeOf(reply)
    if (outcome === undefined) return reply
    const { domain, entity, details } = describe(request, context, userDomain)
    const subject = domain === '' ? roleOf(outcome) : { domain, entity: outcome.instanceId ?? entity }
    await audit.record(
      auditEntryOf(context, {
        when: now(),
        where: serverName,
        why: undefined,
        ...subject,
        details: JSON.stringify({ ...details, ...outcome }),
      }),
    )
    return reply
  }

/** What was issued. Times are ISO 8601, serial numbers decimal. */
interface Outcome {
  readonly instanceId?: string
  readonly service?: string
  /** Its parts, `NAME=value` each. */
  readonly subject?: readonly string[]
  readonly subjectAltName?: string
  readonly serial?: string
  readonly notBefore?: string
  readonly notAfter?: string
  /** SHA-256 of SSH certificates, in base64url. */
  readonly sshCertificates?: readonly string[]
  readonly jwt?: true
}

/** Members of the answers that hold what was issued. */
interface Issued {
  readonly instanceId?: string
  readonly name?: string
  readonly x509Certificate?: string
  /** Of a service that shows its key; of a role in the old form, where it is called a token. */
  readonly certificate?: string
  readonly token?: string
  readonly serviceToken?: string
  readonly sshCertificate?: string
  readonly certificates?: readonly { readonly certificate: string }[]
}

const NO_CONTENT = 204

/** Undefined when nothing was issued: clients without an SSH signer get an empty answer. */
function outcomeOf({ status, body }: Reply): Outcome | undefined {
  if (status === NO_CONTENT) return {}
  if (body === undefined) return undefined
  const issued = body as Issued
  const pem = issued.x509Certificate ?? issued.certificate ?? issued.token
  const ssh = issued.certificates?.map(({ certificate }) => certificate) ?? [issued.sshCertificate]
  const sshCertificates = ssh.filter((text) => text !== undefined)
  return {
    ...(issued.instanceId !== undefined && { instanceId: issued.instanceId }),
    ...(issued.name !== undefined && { service: issued.name }),
    ...(pem !== undefined && certificateFacts(pem)),
    ...(pem === undefined && issued.serviceToken !== undefined && { jwt: true as const }),
    ...(sshCertificates.length > 0 && { sshCertificates: sshCertificates.map(sshThumbprint) }),
  }
}

function certificateFacts(pem: string): Outcome {
  const { serial, notBefore, notAfter } = readIssuedCertificate(pem)
  const certificate = new X509Certificate(pem)
  const { subjectAltName } = certificate
  return {
    subject: subjectAttributes(certificate),
    ...(subjectAltName !== undefined && { subjectAltName }),
    serial,
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
  }
}

/** The second word of the line is the certificate. */
const sshThumbprint = (line: string): string =>
  createHash('sha256')
    .update(Buffer.from(line.split(' ')[1] ?? line, 'base64'))
    .digest('base64url')

/** Domain and name of the role that a certificate is for, by its common name `domain:role.name`. */
function roleOf({ subject = [] }: Outcome): Pick<Issuance, 'domain' | 'entity'> {
  const name = subject.find((part) => part.startsWith('CN='))?.slice('CN='.length) ?? ''
  const [domain = '', role = ''] = name.split(':role.')
  return { domain: domain.toLowerCase(), entity: role.toLowerCase() }
}
