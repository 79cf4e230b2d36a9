import {
  allUnsupported,
  boolean,
  className,
  count,
  integer,
  millis,
  path,
  sameAsIfSet,
  secret,
  text,
  unset,
  url,
  word,
} from './property.ts'

/** Notifications to people (`athenz.notification_`). */
export const notificationProperties = {
  email_domain_to: text(unset, 'Domain of the addresses that messages go to: user.joe is joe at that domain.'),
  email_domain_from: text(unset, 'Domain of the address that messages come from.'),
  email_from: text(unset, 'User part of that address.'),
  workflow_url: url(unset, 'Page on which requests are approved, for links in messages.'),
  athenz_ui_url: url(unset, 'Page of the user interface, for links in messages.'),
  support_text: text(unset, 'Whom to ask, at the end of messages.'),
  support_url: url(unset, 'Where to ask, at the end of messages.'),
  user_authority: className(
    sameAsIfSet('athenz.{server}.user_authority_class'),
    'Authority that knows the addresses of users, where it knows any.',
  ),
}

const subject = (initial: string) => text(initial, 'Subject line.')

/** Notification plug-ins (`athenz.notification.`), and the subject lines of messages. */
export const notificationPluginProperties = {
  ...allUnsupported('notifications are counted on the operations port', {
    metric_factory_class: className(unset, 'Plug-in that counts notifications.'),
  }),
  ...allUnsupported('what is to be reviewed is read from the data themselves', {
    object_store_factory_class: className(unset, 'Plug-in that keeps an index of what is to be reviewed.'),
  }),
  'email.membership.approval.subject': subject('Athenz: a role membership awaits your decision'),
  'email.membership.reminder.subject': subject('Athenz: role memberships still await your decision'),
  'email.group_membership.approval.subject': subject('Athenz: a group membership awaits your decision'),
  'email.group_membership.reminder.subject': subject('Athenz: group memberships still await your decision'),
  'email.role_member.expiry.subject': subject('Athenz: your role memberships are about to end'),
  'email.domain.role_member.expiry.subject': subject('Athenz: role memberships in your domains are about to end'),
  'email.group_member.expiry.subject': subject('Athenz: your group memberships are about to end'),
  'email.domain.group_member.expiry.subject': subject('Athenz: group memberships in your domains are about to end'),
  'email.role_member.review.subject': subject('Athenz: your role memberships are about to be reviewed'),
  'email.domain.role_member.review.subject': subject('Athenz: role memberships in your domains are to be reviewed'),
  'email.pending_role_membership.decision.approval.subject': subject('Athenz: a role membership was approved'),
  'email.pending_role_membership.decision.reject.subject': subject('Athenz: a role membership was rejected'),
  'email.pending_group_membership.decision.approval.subject': subject('Athenz: a group membership was approved'),
  'email.pending_group_membership.decision.reject.subject': subject('Athenz: a group membership was rejected'),
  'email.unrefreshed_certs.subject': subject('Athenz: certificates of your services are not refreshed'),
  'email.digest.subject': subject('Athenz: what is about to end or awaits you'),
}

/** How notifications are sent (`athenz.ts.notification.`), which the original leaves to AWS. */
export const notificationSenderProperties = {
  digest: boolean(false, 'Put all that one person is told in a day into one message.'),
  smtp_host: text(unset, 'Mail server that the sender email gives messages to.'),
  smtp_port: integer(587, 'Its port.'),
  smtp_tls: word(
    ['starttls', 'tls', 'none'],
    'starttls',
    'How it is talked to: TLS begun by STARTTLS, TLS from the start, or, on this machine, none.',
  ),
  smtp_ca_file: path(unset, 'PEM certificates of the authorities of the mail server; those of Node.js if not set.'),
  smtp_user: text(unset, 'User to log in as; none = no login.'),
  smtp_password: secret(unset, 'Password of that user, or its name in the private key store.'),
  smtp_key_group: text(unset, 'Key group of that password in the private key store.'),
  smtp_timeout_millis: millis(30_000, 'Longest silence of the mail server.'),
  html: boolean(true, 'Send mails as HTML too, beside the plain text.'),
  webhook_url: url(unset, 'Where the sender webhook posts to: an https URL, or http on this machine.'),
  webhook_secret: secret(unset, 'Secret that signs what is posted, or its name in the private key store.'),
  webhook_key_group: text(unset, 'Key group of that secret in the private key store.'),
  webhook_ca_file: path(unset, 'PEM certificates of the authorities of the receiver; those of Node.js if not set.'),
  webhook_timeout_millis: millis(5000, 'Longest wait for an answer of the receiver.'),
  webhook_retries: count(3, 'How often a failed delivery is tried again at once, at growing intervals.'),
}
