import type { AuthorityTexts } from '../authority-texts.ts'

/** Public keys of the authorities for SSH certificates by kind, as files of the configuration have them. */
export interface SshAuthorityTexts {
  readonly user: AuthorityTexts
  readonly host: AuthorityTexts
}
