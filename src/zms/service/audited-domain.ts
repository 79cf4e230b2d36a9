import { notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { Domain } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import type { ZmsDependencies } from './dependencies.ts'
import type { AuditedKind } from './writes.ts'

/**
 * The domain that a write of an object of `kind` is about, as the transaction sees it. 404 when it has gone since the
 * request was let in, 400 when the domain demands an audit reference and there is none.
 */
export async function auditedDomain(
  { writes }: Pick<ZmsDependencies, 'writes'>,
  context: RequestContext,
  transaction: Transaction,
  { domainName, kind, auditRef }: { domainName: string; kind: AuditedKind; auditRef: string | undefined },
): Promise<Domain> {
  const domain = await transaction.domain(domainName)
  if (!domain) throw notFound(`${context.api}: Unknown domain: ${domainName}`)
  writes.requireAuditReference(context, kind, domain, auditRef)
  return domain
}
