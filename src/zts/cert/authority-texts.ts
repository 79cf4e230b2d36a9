import { resolve } from 'node:path'
import { ConfigError } from '#core/config/config-error.ts'
import { readConfigFile } from '#core/config/config-file.ts'

/** Where certificates or public keys of authorities are, as two properties name them. */
export interface AuthorityFiles {
  /** Names of the properties, for messages. */
  readonly properties: { readonly all: string; readonly byKeyId: string }
  readonly all: string | undefined
  /** `KEY:FILE` each; relative files count from the root directory. */
  readonly byKeyId: readonly string[]
  readonly rootDirectory: string
}

/** Texts about authorities that clients get along with certificates. */
export class AuthorityTexts {
  readonly #all: string | undefined
  readonly #byKeyId: ReadonlyMap<string, string>

  private constructor(all: string | undefined, byKeyId: ReadonlyMap<string, string>) {
    this.#all = all
    this.#byKeyId = byKeyId
  }

  /** Reads the files. Throws a ConfigError that names property, file and reason. */
  static async read(files: AuthorityFiles): Promise<AuthorityTexts> {
    const { properties, all, byKeyId, rootDirectory } = files
    const entries = byKeyId.map(async (entry): Promise<[string, string]> => {
      const colon = entry.indexOf(':')
      if (colon <= 0 || colon === entry.length - 1) {
        throw new ConfigError([`${properties.byKeyId}: "${entry}" does not name a key and a file (write KEY:FILE)`])
      }
      const file = resolve(rootDirectory, entry.slice(colon + 1))
      return [entry.slice(0, colon), await textOf(properties.byKeyId, file)]
    })
    return new AuthorityTexts(all && (await textOf(properties.all, all)), new Map(await Promise.all(entries)))
  }

  /** The text for a signing key, or the one for all keys. */
  of(signerKeyId: string | undefined): string | undefined {
    return (signerKeyId === undefined ? undefined : this.#byKeyId.get(signerKeyId)) ?? this.#all
  }
}

const textOf = (property: string, file: string) => readConfigFile(property, file, (text) => text)
