import type { PropertyReader } from './authority.ts'
import { integerSetting, textSetting } from './setting.ts'

/** Tolerances for tokens, and the domain of users. */
export interface TokenSettings {
  readonly allowedOffsetSeconds: number
  readonly maxExpirySeconds: number
  readonly userDomain: string
}

const DEFAULT_OFFSET_SECONDS = 300
const DEFAULT_MAX_EXPIRY_SECONDS = 2_592_000

/** Reads what the authorities for principal and role tokens have in common; `offsetName` is the property of the one. */
export function readTokenSettings(property: PropertyReader, offsetName: string): TokenSettings {
  const offsetSeconds = integerSetting(property, offsetName, DEFAULT_OFFSET_SECONDS)
  return {
    // Existing servers take a negative offset as none given.
    allowedOffsetSeconds: offsetSeconds < 0 ? DEFAULT_OFFSET_SECONDS : offsetSeconds,
    maxExpirySeconds: integerSetting(property, 'athenz.token_max_expiry', DEFAULT_MAX_EXPIRY_SECONDS),
    userDomain: textSetting(property, 'athenz.user_domain', 'user').toLowerCase(),
  }
}
