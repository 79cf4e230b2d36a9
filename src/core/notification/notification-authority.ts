import type { Authority, AuthorityContext } from '../authority/authority.ts'
import { type LoadedAuthorities, loadAuthorities } from '../authority/load.ts'

/** The authority that knows addresses, and how it is closed when nobody else does that. */
export interface NotificationAuthority {
  readonly authority: Authority | undefined
  readonly close: () => Promise<void>
}

/**
 * The authority that `athenz.notification_user_authority` names: that of the server when it is among its own, otherwise
 * one for notifications alone.
 * @throws ConfigError when it cannot be used
 */
export async function openNotificationAuthority(
  className: string | undefined,
  server: {
    readonly authorities: LoadedAuthorities
    readonly classNames: readonly string[]
    readonly directory: string
  },
  context: AuthorityContext,
): Promise<NotificationAuthority> {
  const property = 'athenz.notification_user_authority'
  if (className === undefined) return { authority: undefined, close: async () => {} }
  if (server.classNames.includes(className)) {
    return { authority: server.authorities.named(property, className), close: async () => {} }
  }
  const setting = { property, classNames: [className], directory: server.directory }
  const [authority] = (await loadAuthorities(setting, context)).list
  return { authority, close: async () => authority?.close?.() }
}
