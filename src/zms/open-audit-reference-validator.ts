import { loadPlugIn, missingMethods } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { AuditReferenceValidator } from './service/audit-reference.ts'

/** Opens the judge that `athenz.zms.audit_ref_validator_factory_class` selects; none when it selects none. */
export async function openAuditReferenceValidator({
  zms,
}: ConfigOf['zms']): Promise<AuditReferenceValidator | undefined> {
  if (zms.auditRefValidatorFactoryClass === undefined) return undefined
  return loadPlugIn<AuditReferenceValidator, []>(zms.auditRefValidatorFactoryClass, {
    property: 'athenz.zms.audit_ref_validator_factory_class',
    what: 'judge of audit references',
    builtIn: new Map(),
    problemsOf: missingMethods('isValid'),
    directory: zms.rootDir,
  })
}
