import type { Handlers } from '#core/http/endpoint.ts'
import type { ztsEndpoints } from './api/index.ts'
import { accessService } from './service/access.ts'
import { accessTokenService } from './service/access-token.ts'
import { awsCredentialsService } from './service/aws-credentials.ts'
import { caBundleService } from './service/ca-bundle.ts'
import type { ZtsDependencies } from './service/dependencies.ts'
import { externalCredentialsService } from './service/external-credentials.ts'
import { externalMemberCertificateService } from './service/external-member-certificate.ts'
import { hostService } from './service/host.ts'
import { idTokenService } from './service/id-token.ts'
import { instanceRefreshService } from './service/instance-refresh.ts'
import { instanceRegisterService } from './service/instance-register.ts'
import { instanceRemovalService } from './service/instance-removal.ts'
import { introspectService } from './service/introspect.ts'
import { keysService } from './service/keys.ts'
import { metadataDocumentsService } from './service/metadata-documents.ts'
import { principalRolesService } from './service/principal-roles.ts'
import { roleCertificateService } from './service/role-certificate.ts'
import { roleTokenService } from './service/role-token.ts'
import { rolesRequiringCertificateService } from './service/roles-requiring-certificate.ts'
import { serviceIdentityService } from './service/service-identity.ts'
import { serviceRefreshService } from './service/service-refresh.ts'
import { signedPoliciesService } from './service/signed-policies.ts'
import { sshCertificateService } from './service/ssh-certificate.ts'
import { type SystemParts, systemService } from './service/system.ts'
import { tenantDomainsService } from './service/tenant-domains.ts'
import { tokenExchange } from './service/token-exchange.ts'
import { transportRulesService } from './service/transport-rules.ts'
import { userCertificateService } from './service/user-certificate.ts'
import { workloadService } from './service/workload.ts'

/** The code behind every operation of ZTS. */
export function ztsHandlers(deps: ZtsDependencies, parts: SystemParts): Handlers<typeof ztsEndpoints> {
  return {
    ...accessService(deps),
    ...accessTokenService(deps, tokenExchange(deps)),
    ...awsCredentialsService(deps),
    ...caBundleService(deps),
    ...externalCredentialsService(deps),
    ...roleCertificateService(deps),
    ...serviceRefreshService(deps),
    ...userCertificateService(deps),
    ...externalMemberCertificateService(deps),
    ...hostService(deps),
    ...idTokenService(deps),
    ...instanceRefreshService(deps),
    ...instanceRegisterService(deps),
    ...instanceRemovalService(deps),
    ...introspectService(deps),
    ...keysService(deps),
    ...metadataDocumentsService(deps),
    ...principalRolesService(deps),
    ...roleTokenService(deps),
    ...rolesRequiringCertificateService(deps),
    ...serviceIdentityService(deps),
    ...signedPoliciesService(deps),
    ...sshCertificateService(deps),
    ...tenantDomainsService(deps),
    ...transportRulesService(deps),
    ...workloadService(deps),
    ...systemService(deps, parts),
  }
}
