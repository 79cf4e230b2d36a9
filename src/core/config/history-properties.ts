import { boolean, className, count, hours, jdbcUrl, path, seconds, secret, text, unset } from './property.ts'

/** History of authentication: settings of ours (`athenz.ts.`). */
export const ownHistoryProperties = {
  auth_history_dir: path(
    '{root}/var/auth_history',
    'Folder of the history in files; both servers of a machine share it.',
  ),
  auth_history_max_uses: count(200_000, 'Uses that a server keeps there; the least recent make room for others.'),
  auth_history_interval_seconds: seconds(60, 'Time between two deliveries of what was noted.'),
  auth_history_hours: hours(720, 'How long a use is remembered.'),
  auth_history_jdbc_store: jdbcUrl(unset, 'Database of the history; it may be that of ZMS.'),
  auth_history_jdbc_user: text(unset, 'User of that database.'),
  auth_history_jdbc_password: secret(unset, 'Its password, or the name of the password in the private key store.'),
  auth_history_jdbc_app_name: text('jdbc', 'Application under which the private key store has the password.'),
  auth_history_jdbc_keygroup_name: text('', 'Key group under which the private key store has the password.'),
  auth_history_jdbc_use_ssl: boolean(false, 'Encrypt the connection to that database.'),
  auth_history_jdbc_verify_server_certificate: boolean(false, 'Verify the certificate of that database.'),
}

/** The same of ZTS alone; ZMS has a property of the original for it. */
export const ztsHistoryProperties = {
  auth_history_store_factory_class: className(
    unset,
    'Where ZTS notes who uses which domain: file, mysql, or a module; none = nowhere.',
  ),
}
