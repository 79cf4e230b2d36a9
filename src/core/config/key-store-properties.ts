import { boolean, count, millis, path, secret, text, unset, url, word } from './property.ts'

/** Private key stores of AWS (`athenz.aws.`). */
export const awsKeyStoreProperties = {
  'zms.key_name': text('service_private_key', 'Name of the private key of ZMS; .rsa or .ec comes behind it.'),
  'zms.key_id_name': text('service_private_key_id', 'Name of the id of that key.'),
  'zms.bucket_name': text(unset, 'Bucket of S3 that has them.'),
  'zts.key_name': text('service_private_key', 'Name of the private key of ZTS; .rsa or .ec comes behind it.'),
  'zts.key_id_name': text('service_private_key_id', 'Name of the id of that key.'),
  'zts.bucket_name': text(unset, 'Bucket of S3 that has them.'),
  's3.region': text(unset, 'Region of the buckets; found out by the library of AWS when not set.'),
  store_kms_decrypt: boolean(false, 'Decrypt objects of S3 with the key management service.'),
  store_kms_region: text(unset, 'Region of that service.'),
}

/** Private key stores: settings of ours (`athenz.ts.`). */
export const ownKeyStoreProperties = {
  aws_region: text(unset, 'Region of Systems Manager and Secrets Manager of AWS; found out when not set.'),
  vault_address: url(unset, 'Address of HashiCorp Vault.'),
  vault_namespace: text(unset, 'Namespace in Vault.'),
  vault_mount: text('secret', 'Path of the KV engine in Vault.'),
  vault_kv_version: word(['1', '2'], '2', 'Version of that engine.'),
  vault_path: text('athenz', 'Path in that engine below which keys and passwords are.'),
  vault_token: secret(unset, 'Token for Vault, or file:PATH of the file that has it.'),
  vault_role_id: text(unset, 'Role for a login by AppRole, instead of a token.'),
  vault_secret_id: secret(unset, 'Secret of that role, or file:PATH of the file that has it.'),
  vault_approle_mount: text('approle', 'Path of the AppRole method in Vault, below auth/.'),
  vault_ca_file: path(unset, 'PEM certificates that Vault is trusted by, instead of the usual.'),
  vault_cert_file: path(unset, 'PEM client certificate for Vault.'),
  vault_key_file: path(unset, 'PEM private key of that certificate.'),
  vault_timeout_millis: millis(5_000, 'Longest wait for a connection to Vault, and for an answer of it.'),
  vault_attempts: count(4, 'How often Vault is asked while it does not answer or is not ready.'),
}
