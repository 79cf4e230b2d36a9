import { ConfigError, problemLine } from '#core/config/config-error.ts'
import { Zpe } from './zpe.ts'
import type { ZpeOptions } from './zpe-options.ts'

/**
 * Starts the policy engine for tokens whose keys ZTS publishes, as the original's `init` does: `jwkUrl` is needed. Without
 * it, and with the keys in `athenz.conf` alone, use {@link Zpe.open}.
 * @throws ConfigError when it is missing, RangeError for an option that cannot be meant
 */
export async function init(options: ZpeOptions & { readonly jwkUrl: string }): Promise<Zpe> {
  if (!options.jwkUrl)
    throw new ConfigError([problemLine('options', 'athenz.zpe.jwk_uri', 'missing required property')])
  return Zpe.open(options)
}
