import {
  allUnsupported,
  boolean,
  className,
  count,
  days,
  list,
  millis,
  minutes,
  ms,
  path,
  pattern,
  seconds,
  secret,
  set,
  text,
  unset,
  url,
} from './property.ts'

const CLASS_PATH = 'com.yahoo.athenz.instance.provider.impl'

const noProvider = (service: string) =>
  `there is no provider for ${service} here; a module in athenz.ts.instance_providers takes its place`

/** Client toward providers that are asked by HTTP (`athenz.instance.`). */
export const instanceClientProperties = {
  'provider.client.connect_timeout': millis(30_000, 'Longest wait for a connection to a provider.'),
  'provider.client.read_timeout': millis(30_000, 'Longest wait for its answer.'),
}

/** Providers, and ZTS as one. */
export const ztsProviderProperties = {
  provider_endpoints: list('', 'Ends of the host names that provider endpoints may have; none = any.'),
  provider_dns_suffix: list('zts.athenz.cloud', 'Ends of the DNS names that the ZTS provider accepts.'),
  provider_jwks_uri: url(unset, "Where the ZTS provider reads keys; the server's own keys when not set."),
  provider_service_list: set('', 'Services that the ZTS provider launches; none and no role below = all.'),
  provider_service_role: text(unset, 'Role of the services that the ZTS provider launches.'),
  provider_token_expiry_time: minutes(30, 'How long a register token is accepted.'),
  provider_user_cert_skip_service_check: boolean(false, 'Do not ask for that list and role in user certificates.'),
}

/** Providers of the operator's own (`athenz.ts.`). */
export const ownProviderProperties = {
  instance_providers: list(
    '',
    'ES modules of instance providers by class name: com.example.Hosts=./hosts.js,CLASS=MODULE.',
  ),
}

/** AWS. */
export const awsProviderProperties = allUnsupported(noProvider('AWS'), {
  aws_dns_suffix: list('', 'Ends of the DNS names of EC2 and Lambda.'),
  aws_eks_dns_suffix: list('', 'Ends of the DNS names of EKS.'),
  aws_eks_cluster_names: list('', 'Names of EKS clusters.'),
  aws_boot_time_offset: seconds(300, 'How long after its start a machine may register.'),
  aws_public_cert: path(unset, 'PEM certificate that signs the documents of machines.'),
  aws_public_cert_per_region: path(unset, 'JSON file of such certificates by region.'),
  aws_cert_validity_sts_only: days(7, 'Life of certificates without a document.'),
  aws_validate_ip_address: boolean(false, 'Compare the address of the caller with the list below.'),
  aws_allowed_ip_addresses: set('', 'Addresses from which AWS instances may register.'),
  aws_attestation_validator_factory_class: className(
    `${CLASS_PATH}.DefaultAWSAttestationValidatorFactory`,
    'Judges of what AWS instances present.',
  ),
  aws_web_identity_audience: text(unset, 'Audience of web identity tokens.'),
  aws_web_identity_issuer_regex: pattern(
    'https://[a-z0-9-]+\\.tokens\\.sts\\.global\\.api\\.aws',
    'Issuers of web identity tokens.',
  ),
  aws_web_identity_sts_claim_name: text('https://sts.amazonaws.com/', 'Claim that describes the AWS identity.'),
  aws_web_identity_discovery_proxy: url(unset, 'HTTP proxy toward the issuer.'),
  aws_web_identity_allowed_org_ids: set('', 'AWS organizations whose tokens are accepted; none = any.'),
  aws_web_identity_principal_validator_factory_class: className(unset, 'Judge of the AWS principal.'),
})

/** Azure. */
export const azureProviderProperties = {
  ...allUnsupported(noProvider('Azure'), {
    azure_dns_suffix: list('', 'Ends of the DNS names of Azure machines.'),
    azure_aks_dns_suffix: list('', 'Ends of the DNS names of AKS.'),
    azure_resource_uri: text(unset, 'Audience of the tokens of machines.'),
    azure_provider: text(unset, 'Name of the Azure provider service.'),
    azure_openid_config_uri: url(
      'https://login.microsoftonline.com/common/.well-known/openid-configuration',
      'Where the keys of Azure are described.',
    ),
    azure_openid_jwks_uri: url(unset, 'Where the keys of Azure are, instead.'),
    azure_mgmt_client_max_pool_route: count(45, 'Most connections to one address of it.'),
    azure_mgmt_client_max_pool_total: count(50, 'Most connections in all.'),
    azure_mgmt_client_max_retries: count(2, 'How often a failed request is tried again.'),
    azure_mgmt_client_retry_interval_ms: ms(1000, 'Time between these tries.'),
  }),
  azure_mgmt_client_connect_timeout_ms: ms(
    5000,
    'Longest wait for a connection to Azure when it is asked for credentials.',
  ),
  azure_mgmt_client_read_timeout_ms: ms(15_000, 'Longest wait for its answer.'),
}

/** Google. */
export const gcpProviderProperties = allUnsupported(noProvider('Google'), {
  gcp_dns_suffix: list('', 'Ends of the DNS names of Google machines.'),
  gcp_gke_dns_suffix: list('', 'Ends of the DNS names of GKE.'),
  gcp_gke_cluster_names: list('', 'Names of GKE clusters.'),
  gcp_region_name: text(unset, 'Google region.'),
  gcp_boot_time_offset: seconds(300, 'How long after its start a machine may register.'),
  gcp_cert_validity: days(7, 'Life of the certificates.'),
  gcp_identity_expected_audience: text('', 'Audience of the tokens of machines.'),
  gcp_validate_ip_address: boolean(false, 'Compare the address of the caller with the list below.'),
  gcp_allowed_ip_addresses: set('', 'Addresses from which Google instances may register.'),
})

/** Kubernetes. */
export const kubernetesProviderProperties = allUnsupported(noProvider('Kubernetes'), {
  k8s_cert_validity: days(7, 'Life of the certificates.'),
  k8s_provider_attestation_expected_audience: text('', 'Audience of the tokens of service accounts.'),
  k8s_provider_attestation_aws_assume_role_name: text(
    'oidc-issuers-reader',
    'AWS role that may list the issuers of EKS.',
  ),
  k8s_provider_aws_attestation_using_iam_role: boolean(true, 'Use that role.'),
  k8s_provider_distribution_validator_factory_class: className(
    `${CLASS_PATH}.DefaultKubernetesDistributionValidatorFactory`,
    'Chooser of the judge by distribution.',
  ),
  k8s_provider_subject_attr_validator_factory_class: className(unset, 'Judge of service accounts.'),
  k8s_provider_aws_attr_validator_factory_class: className(unset, 'Judge of attributes on EKS.'),
  k8s_provider_gcp_attr_validator_factory_class: className(unset, 'Judge of attributes on GKE.'),
})

/** Build services. */
export const buildProviderProperties = {
  'github_actions.audience': text('athenz.io', 'Audience of the tokens of GitHub.'),
  'github_actions.issuer': url('https://token.actions.githubusercontent.com', 'Issuer of the tokens.'),
  'github_actions.jwks_uri': url(unset, 'Where its keys are; found through the issuer when not set.'),
  'github_actions.enterprise': text(unset, 'Enterprise that a token must name.'),
  'github_actions.boot_time_offset': seconds(300, 'How old a token may be.'),
  'github_actions.cert_expiry_time': minutes(360, 'Life of the certificates.'),
  'github_actions.provider_dns_suffix': list('github-actions.athenz.io', 'Ends of the DNS names.'),
  'github_actions.job_workflow_ref_authz_check': boolean(
    false,
    'Demand the right for the workflow that is called as well.',
  ),
  'build_kite.audience': text('athenz.io', 'Audience of the tokens of Buildkite.'),
  'build_kite.issuer': url('https://agent.buildkite.com', 'Issuer of the tokens.'),
  'build_kite.jwks_uri': url(unset, 'Where its keys are; found through the issuer when not set.'),
  'build_kite.boot_time_offset': seconds(300, 'How old a token may be.'),
  'build_kite.cert_expiry_time': minutes(360, 'Life of the certificates.'),
  'build_kite.provider_dns_suffix': list('build-kite.athenz.io', 'Ends of the DNS names.'),
  'spacelift.audience': text('athenz.io', 'Audience of the tokens of Spacelift.'),
  'spacelift.issuer': url(unset, 'Issuer of the tokens.'),
  'spacelift.jwks_uri': url(unset, 'Where its keys are; found through the issuer when not set.'),
  'spacelift.boot_time_offset': seconds(300, 'How old a token may be.'),
  'spacelift.cert_expiry_time': minutes(360, 'Life of the certificates.'),
  'spacelift.provider_dns_suffix': list('spacelift.athenz.io', 'Ends of the DNS names.'),
  'harness.audience': text('athenz.io', 'Audience of the tokens of Harness.'),
  'harness.issuer': url(unset, 'Issuer of the tokens.'),
  'harness.jwks_uri': url(unset, 'Where its keys are; found through the issuer when not set.'),
  'harness.account_id': text(unset, 'Account that a token must name.'),
  'harness.boot_time_offset': seconds(300, 'How old a token may be.'),
  'harness.cert_expiry_time': minutes(360, 'Life of the certificates.'),
  'harness.provider_dns_suffix': list('harness.athenz.io', 'Ends of the DNS names.'),
}

/** Other providers. */
export const otherProviderProperties = {
  ...allUnsupported(noProvider('machines with secure boot'), {
    sb_provider_dns_suffix: list('zts.athenz.cloud', 'Ends of the DNS names of machines with secure boot.'),
    sb_provider_issuer_dn_list: text(unset, 'Issuers of their certificates.'),
    sb_provider_service_list: set('', 'Services that they may run.'),
    sb_provider_attr_validator_factory_class: className(unset, 'Judge of their attributes.'),
  }),
  athenz_rbac_provider_issuer_dn_list: text(unset, 'Issuers of the certificates that the Athenz provider accepts.'),
  code_signing_cert_validity: minutes(15, 'Life of certificates that sign code.'),
  code_signing_attestation_expected_audience: text('', 'Audience of the tokens presented for them.'),
  code_signing_oidc_provider_openid_config_uri: url(unset, 'Where the keys of their issuer are described.'),
  code_signing_oidc_provider_openid_jwks_uri: url(unset, 'Where the keys of their issuer are, instead.'),
  code_signing_attr_validator_factory_class: className(unset, 'Judge of their attributes.'),
}

const identityProvider = (who: string) =>
  ({
    idp_token_endpoint: url(unset, `Where the code of ${who} is exchanged for a token.`),
    idp_client_id: text(unset, 'Client id of ZTS there.'),
    idp_client_secret_app: text(unset, 'Application under which the private key store has its secret.'),
    idp_client_secret_keygroup: text(unset, 'Key group under which the private key store has its secret.'),
    idp_client_secret_keyname: secret(unset, 'Name of its secret in the private key store.'),
    idp_redirect_uri: url('http://127.0.0.1:9213/oauth2/callback', 'Address to which the browser was sent back.'),
    idp_config_endpoint: url(unset, 'Where the identity provider is described.'),
    idp_jwks_endpoint: url(unset, 'Where its keys are, instead.'),
    idp_audience: text(unset, 'Audience of its tokens.'),
    connect_timeout: millis(10_000, 'Longest wait for a connection to it.'),
    read_timeout: millis(15_000, 'Longest wait for its answer.'),
  }) as const

/** Identity provider of users (`athenz.zts.user_cert.`). */
export const userIdentityProviderProperties = {
  ...identityProvider('a user'),
  user_name_claim: text(unset, 'Claim that names the user; sub when not set.'),
}

/** Identity provider of external members (`athenz.zts.external_member_cert.`). */
export const memberIdentityProviderProperties = {
  ...identityProvider('an external member'),
  member_name_claim: text(unset, 'Claim that names the member; sub when not set.'),
}
