import { boolean, count, millis, minutes, origin, path, text, unset, url } from './property.ts'

/** The web page for people (`athenz.ui.`): settings of ours. */
export const uiProperties = {
  root_dir: path('{root}', 'Base folder of the web page; relative paths count from it.'),
  prop_file: path('{root}/conf/ui_server/ui.properties', 'File with the properties of the web page.'),
  zms_url: url('https://localhost:4443/zms/v1', 'Where ZMS is.'),
  zms_ca_file: path(unset, 'PEM certificates of the authorities that vouch for ZMS; those of the system when not set.'),
  zms_timeout: millis(10_000, 'Longest wait for an answer of ZMS.'),
  service: text('sys.auth.ui-server', 'Full name of the service as which the page signs for people.'),
  user_domain: text('user', 'Domain of the people who sign in, as in ZMS.'),
  origin: origin(unset, 'Address of the page as browsers see it, when a proxy in front of it changes the Host header.'),
  password_sign_in: boolean(true, 'Let people sign in with the name and password that ZMS checks.'),
  certificate_sign_in_origin: origin(unset, 'Address at which browsers sign in by certificate; none when not set.'),
  zms_browser_url: url(unset, 'Where browsers reach ZMS to sign in by certificate; zms_url when not set.'),
  sign_in_link_file: path(unset, 'File with a sign-in by a link, as athenz dev writes it; none when not set.'),
  zts_url: url(unset, 'Where ZTS is, for the command lines that pages show; a placeholder when not set.'),
  zts_ca_file: text(
    unset,
    'File of the authorities that vouch for ZTS, as these lines name it; left out when not set.',
  ),
  dns_suffix: text(
    unset,
    'End of the DNS names in certificates of services, for these lines; a placeholder when not set.',
  ),
  session_timeout: minutes(60, 'Longest time until somebody has to sign in again; ZMS may set a shorter one.'),
  sign_in_attempts_per_minute: count(10, 'Attempts to sign in by one address that is not exempt, and for one name.'),
  page_size: count(50, 'Rows of a list on one page.'),
  documentation_url: url(unset, 'Page with the rules of your organization, linked at the foot of every page.'),
}

/** Limits that are others than those of the servers with data (`athenz.ts.`). */
export const uiLimitProperties = {
  request_body_max_bytes: count(1_048_576, 'Longest request body; a longer one is refused with status 413.'),
}
