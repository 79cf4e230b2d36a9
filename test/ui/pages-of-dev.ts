import { type DevServers, startDevServers } from '../support/dev-servers.ts'

const AUTHORITIES = 'com.yahoo.athenz.auth.impl'

/** The settings of servers where everybody's password is the name. */
const PASSWORDS = {
  'athenz.zms.authority_classes': ['Principal', 'Certificate', 'TestUser']
    .map((name) => `${AUTHORITIES}.${name}Authority`)
    .join(','),
  'athenz.ui.password_sign_in': 'true',
}

/** Starts ZMS and the web page, where people sign in with their name as the password. */
export const startPages = (dir: string, settings: Readonly<Record<string, string>> = {}): Promise<DevServers> =>
  startDevServers({ dir, zts: false, ui: true, settings: { ...PASSWORDS, ...settings } })
