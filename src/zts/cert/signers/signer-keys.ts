import { z } from 'zod'
import { readConfigFile } from '#core/config/config-file.ts'

const PROPERTY = 'athenz.zts.certsign_provider_keys_fname'
const DEFAULT_KEY = 'x509-key'

const SignerKeysFile = z.object({
  defaultKeyId: z.string().min(1).optional(),
  providerKeys: z
    .array(z.object({ keyId: z.string().min(1), providers: z.array(z.string()) }))
    .nullish()
    .transform((keys) => keys ?? []),
})

/** Which key of a remote signer signs certificates of which provider. */
export class SignerKeys {
  readonly #defaultKey: string
  readonly #byProvider: ReadonlyMap<string, string>

  private constructor(defaultKey: string, byProvider: ReadonlyMap<string, string>) {
    this.#defaultKey = defaultKey
    this.#byProvider = byProvider
  }

  /**
   * Reads a file `{"defaultKeyId":"x509-key","providerKeys":[{"keyId":"aws","providers":["athenz.aws"]}]}`. Throws a
   * ConfigError that says what is wrong with it.
   */
  static async read(file: string | undefined): Promise<SignerKeys> {
    if (file === undefined) return new SignerKeys(DEFAULT_KEY, new Map())
    const { defaultKeyId, providerKeys } = await readConfigFile(PROPERTY, file, (text) =>
      SignerKeysFile.parse(JSON.parse(text)),
    )
    const entries = providerKeys.flatMap(({ keyId, providers }) =>
      providers.map((provider): [string, string] => [provider.toLowerCase(), keyId]),
    )
    return new SignerKeys(defaultKeyId ?? DEFAULT_KEY, new Map(entries))
  }

  /** The key asked for, or that of the provider, or the default. */
  keyFor(provider: string | undefined, signerKeyId: string | undefined): string {
    return signerKeyId || (provider && this.#byProvider.get(provider)) || this.#defaultKey
  }
}
