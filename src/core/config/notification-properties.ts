import { allUnsupported, className, sameAsIfSet, text, unset } from './property.ts'

const NOT_YET = 'there are no notifications yet'

/** Notifications to people (`athenz.notification_`). */
export const notificationProperties = allUnsupported(NOT_YET, {
  email_domain_to: text(unset, 'Domain of the addresses that messages go to.'),
  email_domain_from: text(unset, 'Domain of the address that messages come from.'),
  email_from: text(unset, 'User part of that address.'),
  workflow_url: text(unset, 'Page on which requests are approved, for links in messages.'),
  athenz_ui_url: text(unset, 'Page of the user interface, for links in messages.'),
  support_text: text(unset, 'Whom to ask, at the end of messages.'),
  support_url: text(unset, 'Where to ask, at the end of messages.'),
  user_authority: className(sameAsIfSet('athenz.{server}.user_authority_class'), 'Authority that knows the addresses.'),
})

/** Notification plug-ins (`athenz.notification.`); `athenz.notification.email.{topic}.subject` sets a subject line. */
export const notificationPluginProperties = allUnsupported(NOT_YET, {
  metric_factory_class: className(unset, 'Plug-in that counts notifications.'),
  object_store_factory_class: className(unset, 'Plug-in that keeps an index of what is to be reviewed.'),
})
