import { accessEndpoints } from './access.ts'
import { accessTokenEndpoints } from './access-token.ts'
import { awsCredentialsEndpoints } from './aws-credentials.ts'
import { caBundleEndpoints } from './ca-bundle.ts'
import { externalCredentialsEndpoints } from './external-credentials.ts'
import { externalMemberCertificateEndpoints } from './external-member-certificate.ts'
import { hostEndpoints } from './host.ts'
import { idTokenEndpoints } from './id-token.ts'
import { instanceRefreshEndpoints } from './instance-refresh.ts'
import { instanceRegisterEndpoints } from './instance-register.ts'
import { instanceRemovalEndpoints } from './instance-removal.ts'
import { introspectEndpoints } from './introspect.ts'
import { keysEndpoints } from './keys.ts'
import { metadataDocumentsEndpoints } from './metadata-documents.ts'
import { roleAccessEndpoints } from './role-access.ts'
import { roleCertificateEndpoints } from './role-certificate.ts'
import { roleTokenEndpoints } from './role-token.ts'
import { rolesRequiringCertificateEndpoints } from './roles-requiring-certificate.ts'
import { serviceIdentityEndpoints } from './service-identity.ts'
import { serviceRefreshEndpoints } from './service-refresh.ts'
import { signedPoliciesEndpoints } from './signed-policies.ts'
import { sshCertificateEndpoints } from './ssh-certificate.ts'
import { systemEndpoints } from './system.ts'
import { tenantDomainsEndpoints } from './tenant-domains.ts'
import { transportRulesEndpoints } from './transport-rules.ts'
import { userCertificateEndpoints } from './user-certificate.ts'
import { workloadEndpoints } from './workload.ts'

/** Path below which all operations of ZTS are found. */
export const ZTS_API_ROOT = '/zts/v1'

/** Every operation of ZTS by its published name. */
export const ztsEndpoints = {
  ...accessEndpoints,
  ...roleAccessEndpoints,
  ...serviceIdentityEndpoints,
  ...hostEndpoints,
  ...signedPoliciesEndpoints,
  ...roleTokenEndpoints,
  ...roleCertificateEndpoints,
  ...rolesRequiringCertificateEndpoints,
  ...tenantDomainsEndpoints,
  ...instanceRegisterEndpoints,
  ...instanceRefreshEndpoints,
  ...instanceRemovalEndpoints,
  ...serviceRefreshEndpoints,
  ...caBundleEndpoints,
  ...sshCertificateEndpoints,
  ...accessTokenEndpoints,
  ...idTokenEndpoints,
  ...introspectEndpoints,
  ...keysEndpoints,
  ...metadataDocumentsEndpoints,
  ...awsCredentialsEndpoints,
  ...externalCredentialsEndpoints,
  ...userCertificateEndpoints,
  ...externalMemberCertificateEndpoints,
  ...workloadEndpoints,
  ...transportRulesEndpoints,
  ...systemEndpoints,
}
